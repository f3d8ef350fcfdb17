"""A full disk under the directory store: deposits are answered 503, what is there is served."""

import errno
import os
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from structlog.testing import capture_logs

from base import part_state
from base.part_state import PartStates
from storage.blobs import BlobUnavailable, directory
from storage.blobs.reports import StoreReport
from tests.fixtures import MakePerson
from tests.outages.readiness import degraded
from tests.steps import deposit
from tests.vault.decoding import corpus


async def test_deposits_wait_and_reading_goes_on(
    client: httpx.AsyncClient,
    management: httpx.AsyncClient,
    make_person: MakePerson,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The process stays ready: those who read lose nothing. `tests/faults/` fills a real disk; here
    `write` says what it would."""

    def full(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    person = await make_person()
    document = await deposit(client, person, corpus.pdf(1))
    with capture_logs() as lines:
        with monkeypatch.context() as patched:
            patched.setattr(directory, "os", SimpleNamespace(**vars(os) | {"write": full}))
            patched.setattr(directory, "NamedTemporaryFile", full)
            for _ in range(3):
                answer = await client.post(
                    "/v1/documents",
                    headers=person.headers,
                    files={"file": ("scan.pdf", corpus.pdf(2))},
                    data={"type": "payslip"},
                )
                assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
                assert answer.headers["retry-after"] == "5"
                path = f"/v1/documents/{document['id']}/content"
                assert (await client.get(path, headers=person.headers)).status_code == 200
            ready = await degraded(management, "disk")
            assert (ready.status_code, ready.json()["ready"]) == (200, True)
        await deposit(client, person, corpus.pdf(3))
    told = [(line["event"], line["part"], line["code"]) for line in lines if "part" in line]
    assert told == [("part_failing", "disk", "ENOSPC"), ("part_recovered", "disk", "ENOSPC")]


async def test_a_process_that_writes_nothing_else_sees_the_disk_well_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readiness noticed that the disk is full; it must also notice when there is room again."""
    parts = PartStates()
    store = directory.DirectoryStore(tmp_path / "store", report=StoreReport(parts))
    with monkeypatch.context() as patched:
        patched.setattr(directory.os, "statvfs", lambda _: SimpleNamespace(f_bavail=0))
        with pytest.raises(BlobUnavailable):
            await store.check()
    assert parts.disk.code == "ENOSPC"
    monkeypatch.setattr(part_state, "QUIET_SECONDS", 0.0)
    await store.check()
    assert parts.disk.code is None
    assert list(store.temporary.iterdir()) == []
    await store.close()
