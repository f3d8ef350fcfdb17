"""A full disk under the directory store: deposits are answered 503, what is there is served."""

import errno
import os
from types import SimpleNamespace

import httpx
import pytest
from structlog.testing import capture_logs

from storage.blobs import directory
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

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    person = await make_person()
    document = await deposit(client, person, corpus.pdf(1))
    with capture_logs() as lines:
        with monkeypatch.context() as patched:
            patched.setattr(directory, "os", SimpleNamespace(**vars(os) | {"write": full}))
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
