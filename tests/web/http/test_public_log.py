"""The log over HTTP: receipts verify offline, the public log with only its key."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from audit import verify
from audit.records import events_of
from audit.tlog.checkpoint import Policy, verify_checkpoint
from audit.tlog.notes import Verifier
from audit.tlog.sequencer_loop import SequencerLoop
from tests.audit.tlog.logs import EAGER
from tests.fixtures import STORES, MakePerson, Served, SomePerson
from tests.steps import deposit, erase
from tests.vault.decoding import corpus
from vault.services import Services
from web.process.sequencer import run_sequencer

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
async def sequencer(services: Services) -> AsyncIterator[SequencerLoop]:
    """The sequencer of that service, running."""
    async with run_sequencer(services, EAGER) as made:
        yield made


async def unefois(*arguments: str) -> tuple[int, str]:
    """Run the command in a process without settings. Returns its exit status and its output."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "web.cli", *arguments),
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


async def proof_of(client: httpx.AsyncClient, person: SomePerson, event: str) -> dict[str, Any]:
    """The proof of an entry, once it is in the tree."""
    limit = time.monotonic() + 20
    while True:
        answer = await client.get(f"/v1/access-log/{event}/proof", headers=person.headers)
        if answer.status_code == 200:
            found: dict[str, Any] = answer.json()
            return found
        assert answer.status_code == 202
        assert answer.headers["retry-after"] == "1"
        assert time.monotonic() < limit
        await asyncio.sleep(0.05)


async def published(client: httpx.AsyncClient, size: int) -> str:
    """The public checkpoint, once it covers `size` entries."""
    limit = time.monotonic() + 20
    while True:
        answer = await client.get("/log/checkpoint")
        if answer.status_code == 200 and int(answer.text.split("\n")[1]) >= size:
            return answer.text
        assert time.monotonic() < limit
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("store", STORES, indirect=True)
async def test_a_receipt_and_the_whole_log_verify_outside(
    client: httpx.AsyncClient,
    make_person: MakePerson,
    sequencer: SequencerLoop,
    served: Served,
    tmp_path: Path,
) -> None:
    person = await make_person()
    await deposit(client, person, corpus.pdf(1))
    entries = (await client.get("/v1/access-log", headers=person.headers)).json()["items"]
    proof = await proof_of(client, person, entries[0]["id"])
    assert proof["event"]["id"] == entries[0]["id"]
    vkey = (await client.get("/log/vkey")).text.strip()

    # Offline, with the key alone.
    receipt = tmp_path / "receipt.json"
    receipt.write_text(json.dumps(proof))
    status, output = await unefois("verify", "--vkey", vkey, "--receipt", str(receipt))
    assert status == 0, output

    # Against the whole public log.
    await published(client, proof["index"] + 1)
    where = ("verify", "--vkey", vkey, "--url", f"{served.base_url}/log")
    status, output = await unefois(*where, "--receipt", str(receipt), "--whole")
    assert status == 0, output
    assert "of the published tree" in output

    # An edited receipt is refused with a sentence.
    receipt.write_text(json.dumps(proof | {"event": proof["event"] | {"outcome": "refused"}}))
    status, output = await unefois(*where, "--receipt", str(receipt))
    assert (status, output) == (
        1,
        "unefois: NOT verified: the receipt's event is not the one that was recorded:"
        " it was edited\n",
    )


async def test_a_witness_in_a_process_of_its_own_cosigns(
    client: httpx.AsyncClient, make_person: MakePerson, sequencer: SequencerLoop, tmp_path: Path
) -> None:
    await make_person()
    checkpoint = await published(client, 1)
    vkey = (await client.get("/log/vkey")).text.strip()
    where = ("--home", str(tmp_path / "witness"), "--log", vkey, "--name", "witness.test/w")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "web.cli", "witness", *where, "--port", "0"),
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        witness = Verifier.parse((await process.stdout.readline()).decode())
        address = (await process.stdout.readline()).decode().strip()
        async with httpx.AsyncClient(base_url=address, trust_env=False) as http:
            answer = await http.post("/add-checkpoint", content=f"old 0\n\n{checkpoint}")
            assert answer.status_code == 200, answer.text
            # It would refuse another tree of that size, even signed by the log's own key: it
            # remembers its last checkpoint.
            again = await http.post("/add-checkpoint", content=f"old 0\n\n{checkpoint}")
            assert again.status_code == 409
            assert again.text == checkpoint.split("\n")[1] + "\n"
        cosigned = (checkpoint + answer.text).encode()
        found = verify_checkpoint(cosigned, Verifier.parse(vkey), Policy((witness,), 1))
        assert set(found.witnesses) == {witness.name}
    finally:
        process.terminate()
        assert await process.wait() == 0


async def test_after_erasure_the_tree_verifies_and_says_nothing(
    client: httpx.AsyncClient, make_person: MakePerson, sequencer: SequencerLoop, services: Services
) -> None:
    person = await make_person()
    entries = (await client.get("/v1/access-log", headers=person.headers)).json()["items"]
    proof = await proof_of(client, person, entries[0]["id"])
    await erase(services, person)
    gone = await client.get(f"/v1/access-log/{entries[0]['id']}/proof", headers=person.headers)
    assert gone.status_code == 401
    vkey = Verifier.parse((await client.get("/log/vkey")).text)
    assert verify.check_receipt(json.dumps(proof).encode(), vkey).index == proof["index"]
    async with services.database.transaction() as tx:
        rows = await events_of(tx, event_id=UUID(entries[0]["id"]), limit=1)
        assert rows, "the sealed row stays, and its leaf with it"
        assert (await services.audit_log.open_entries(tx, rows))[0].values is None


async def test_a_line_of_others_has_no_proof(
    client: httpx.AsyncClient, make_person: MakePerson, sequencer: SequencerLoop
) -> None:
    person, other = await make_person(), await make_person()
    entries = (await client.get("/v1/access-log", headers=person.headers)).json()["items"]
    path = f"/v1/access-log/{entries[0]['id']}/proof"
    unknown = await client.get(path, headers=other.headers)
    nonsense = await client.get("/v1/access-log/x/proof", headers=other.headers)
    assert unknown.status_code == nonsense.status_code == 404
    assert unknown.json()["code"] == nonsense.json()["code"] == "not_found"
    assert (await client.get(path)).status_code == 401


async def test_what_is_served_is_cacheable_as_it_should_be(
    client: httpx.AsyncClient, make_person: MakePerson, sequencer: SequencerLoop
) -> None:
    await make_person()
    note = await published(client, 1)
    size = int(note.split("\n")[1])
    for path, kind, cached in (
        ("checkpoint", "text/plain; charset=utf-8", "max-age=2"),
        ("vkey", "text/plain; charset=utf-8", "max-age=2"),
        (f"tile/0/{size // 256:03}.p/{size % 256}", "application/octet-stream", "immutable"),
    ):
        if path.endswith(".p/0"):
            continue
        answer = await client.get(f"/log/{path}")
        assert answer.status_code == 200, path
        assert answer.headers["content-type"] == kind
        assert cached in answer.headers["cache-control"]
    for wrong in ("tile/0/0", "tile/0/000.p/0", "tile/0/x000/000", "tile/00/000", "tile/63/000",
                  "tile/0/%2e%2e/000", "tile/entries/999", "tile", "other"):  # fmt: skip
        assert (await client.get(f"/log/{wrong}")).status_code == 404, wrong


async def test_readiness_names_what_is_degraded_and_stays_ready(
    management: httpx.AsyncClient,
) -> None:
    answer = await management.get("/readyz")
    assert answer.status_code == 200
    assert isinstance(answer.json()["degraded"], list)
