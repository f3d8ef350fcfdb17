"""`kill -9` while an export is made: it goes on from what was safe, nothing of it is lost, and its
process needs little memory for it, however much goes in. `make big-export`: with a gigabyte."""

import asyncio
import os
import shutil
import time
import zipfile
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from base.pipeline import write
from base.settings import Settings
from tests.attacks.test_crash import orphans
from tests.fixtures import MakePerson, SomePerson
from tests.servers.killable import killable
from tests.steps import deposit, until
from tests.uploads import padded_pdf
from tests.vault.exports.steps import Export, begun, seen, taken
from vault import jobs
from vault.maintenance.cleanup import sweep_blobs
from vault.services import Services
from web.cli.main import main

PAPERS = int(os.environ.get("EXPORT_PAPERS", "24"))
SIZE = int(os.environ.get("EXPORT_BYTES", "1500000"))
MOST_MEMORY = 150
"""MiB that making it adds to what a server holds at rest."""
_HALF = PAPERS * SIZE // 2
_RANGE = 32 * 1024 * 1024


@pytest.mark.timeout(120 + PAPERS)
async def test_killed_while_it_is_made(
    base_settings: Settings,
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    tmp_path: Path,
) -> None:
    person = await make_person()
    papers = []
    for _ in range(PAPERS):
        data = padded_pdf(SIZE)
        papers.append(sha256(data).hexdigest())
        await deposit(client, person, data)
    export = (await begun(client, person))["id"]
    with killable(base_settings) as server:
        pid, _ = await asyncio.to_thread(server.start)
        peak = await _until(client, person, export, pid, lambda one: one["bytes"] > _HALF)
        await asyncio.to_thread(server.kill, pid)
        left = await seen(client, person, export)
        assert left["state"] == "making", "it was made before it was killed"
        safe = await _pieces(services, export)
        pid, _ = await asyncio.to_thread(server.start)
        async with services.database.transaction() as tx:
            # At once, and not only when the job of the dead process is taken for dead.
            await write(tx, jobs.export_job(person.id, UUID(export)))
        peak = max(peak, await _until(client, person, export, pid, is_ready))
    assert peak <= MOST_MEMORY
    assert (await _pieces(services, export))[: len(safe) - 1] == safe[:-1], "it began anew"
    whole = tmp_path / "export.zip"
    await _download(client, person, export, whole)
    await _check(whole, papers)
    await sweep_blobs(services, timedelta(0))
    assert await orphans(services, [person.id]) == set()
    assert (await taken(client, person, export, Range="bytes=-1")).status_code == 206


def is_ready(export: Export) -> bool:
    return bool(export["state"] == "ready")


async def _until(
    client: httpx.AsyncClient,
    person: SomePerson,
    export: str,
    pid: int,
    holds: Callable[[Export], bool],
) -> float:
    """Watch it until then; the MiB that the process took meanwhile beyond what it held at rest."""
    memory, began = _Memory(pid), time.monotonic()

    async def is_so() -> bool:
        return holds(await seen(client, person, export))

    await until(is_so, 60 + PAPERS)
    made = (await seen(client, person, export))["bytes"]
    print(
        f"\n{PAPERS} papers: {made / 2**20:.0f} MiB made after {time.monotonic() - began:.0f} s,"
        f" {memory.added():.0f} MiB of memory beyond {memory.at_rest:.0f} at rest"
    )
    return memory.added()


class _Memory:
    """What a process holds beyond what it did at rest, in MiB."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak begins anew (proc(5))
        self.at_rest = self._read("VmRSS")

    def added(self) -> float:
        """At the most, until now."""
        return self._read("VmHWM") - self.at_rest

    def _read(self, name: str) -> float:
        lines = Path(f"/proc/{self._pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith(name)).split()[1]) / 1024


async def _download(client: httpx.AsyncClient, person: SomePerson, export: str, to: Path) -> None:
    """In parts, as a connection that breaks would."""
    with to.open("wb") as file:
        while True:
            start = file.tell()
            part = f"bytes={start}-{start + _RANGE - 1}"
            answer = await taken(client, person, export, Range=part)
            assert answer.status_code == 206, answer.text
            file.write(answer.content)
            if file.tell() == int(answer.headers["content-range"].rpartition("/")[2]):
                return


async def _check(whole: Path, papers: list[str]) -> None:
    """By a tool that knows nothing of us, byte for byte, and by our own command."""
    unzip = shutil.which("unzip")
    if unzip is not None:
        process = await asyncio.create_subprocess_exec(unzip, "-tqq", str(whole))
        assert await process.wait() == 0
    with zipfile.ZipFile(whole) as found:
        originals = [one for one in found.namelist() if "original" in one]
        digests = [sha256(found.read(one)).hexdigest() for one in originals]
    assert digests == papers
    assert main(["verify", "export", str(whole)]) == 0


async def _pieces(services: Services, export: str) -> list[UUID]:
    async with services.database.transaction() as tx:
        found = await tx.execute(
            text("SELECT id FROM unefois.archive_piece WHERE archive_id = :id ORDER BY position"),
            {"id": export},
        )
        return list(found.scalars())
