"""Witnesses over real HTTP: ours follows the specification, and refusals are distinguished."""

import base64
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI, Response

from audit.tlog import merkle
from audit.tlog.checkpoint import Checkpoint, Policy, sign_checkpoint, verify_checkpoint
from audit.tlog.notes import COSIGNATURE, InvalidNote, LocalSigner, Note, Verifier, cosign
from audit.tlog.witness import Witness as OurWitness
from audit.tlog.witness_client import (
    Refusal,
    WitnessAddress,
    WitnessClient,
    read_witnesses,
    request_body,
)
from tests.audit.tlog.servers import ORIGIN, Served
from web.http.witness import witness_app
from web.process.server import listen, run_server, server_for


@pytest.fixture(scope="module")
def log() -> Served:
    made = Served()
    made.grow(300)
    return made


@pytest.fixture
def witness(log: Served, tmp_path: Path) -> OurWitness:
    return OurWitness(tmp_path / "w", "witness.test/w1", log.log.verifier, ORIGIN)


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """A real server for an application."""
    with listen("127.0.0.1", 0) as listener:
        async with run_server(server_for(app), listener):
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def note_of(log: Served, size: int, root: bytes | None = None) -> Note:
    """A checkpoint, signed by that log."""
    return sign_checkpoint(
        Checkpoint(ORIGIN, size, log.root(size) if root is None else root), log.log
    )


def proof_of(log: Served, old: int, size: int) -> list[bytes]:
    return merkle.consistency_proof(old, size, log.read)


def body(log: Served, old: int, size: int) -> bytes:
    return request_body(note_of(log, size), old, proof_of(log, old, size))


def test_it_cosigns_what_continues_and_remembers_it(
    log: Served, witness: OurWitness, tmp_path: Path
) -> None:
    assert witness.latest(witness.origin_hash).status == 404
    for old, size in ((0, 0), (0, 10), (10, 10), (10, 256), (256, 300)):
        answer = witness.add_checkpoint(body(log, old, size))
        assert answer.status == 200
        raw = note_of(log, size).encode() + answer.body
        assert verify_checkpoint(raw, log.log.verifier, Policy((witness.verifier,), 1)).witnesses
    # A later process with the same folder.
    again = OurWitness(tmp_path / "w", "witness.test/w1", log.log.verifier, ORIGIN)
    assert again.verifier == witness.verifier
    answer = again.add_checkpoint(body(log, 0, 300))
    assert (answer.status, answer.type, answer.body) == (409, "text/x.tlog.size", b"300\n")
    kept = verify_checkpoint(
        again.latest(again.origin_hash).body, log.log.verifier, Policy((witness.verifier,), 1)
    )
    assert kept.checkpoint.size == 300
    assert again.latest("0" * 64).status == 404


def test_it_answers_each_refusal_as_specified(log: Served, witness: OurWitness) -> None:
    other = LocalSigner(ORIGIN, Ed25519PrivateKey.generate())
    elsewhere = LocalSigner("else.example", log.log._private_key)
    good, proof = note_of(log, 20), proof_of(log, 10, 20)
    assert witness.add_checkpoint(body(log, 0, 10)).status == 200
    stranger = sign_checkpoint(Checkpoint("else.example", 20, log.root(20)), elsewhere)
    unsigned = sign_checkpoint(Checkpoint(ORIGIN, 20, log.root(20)), other)
    broken = Note(good.text, (note_of(log, 21).lines[0],))
    asked = {
        "unknown origin": (request_body(stranger, 10, proof), 404),
        "no signature of its key": (request_body(unsigned, 10, proof), 403),
        "a signature that does not hold": (request_body(broken, 10, proof), 403),
        "old larger than the checkpoint": (request_body(good, 21, []), 400),
        "old that is not what it holds": (request_body(good, 9, proof), 409),
        "no proof": (request_body(good, 10, []), 422),
        "a wrong proof": (request_body(good, 10, proof[::-1]), 422),
        "another root at the same size": (
            request_body(note_of(log, 10, bytes(32)), 10, []),
            422,
        ),
        "a fork": (request_body(note_of(log, 20, bytes(32)), 10, proof), 422),
        "an empty tree with another root": (request_body(note_of(log, 0, bytes(32)), 0, []), 422),
        "no empty line": (b"old 10\n", 400),
        "leading zero": (b"old 010\n\n" + good.encode(), 400),
        "no old": (b"\n\n" + good.encode(), 400),
        "hash of another length": (b"old 10\nAAAA\n\n" + good.encode(), 400),
        "not base64": (b"old 10\n????\n\n" + good.encode(), 400),
        "64 hashes": (
            b"old 10\n" + (base64.b64encode(bytes(32)) + b"\n") * 64 + b"\n" + good.encode(),
            400,
        ),
        "no note": (b"old 10\n\nhello\n", 400),
        "nothing": (b"", 400),
        "not text": (b"\xff\n\n\xff", 400),
    }
    for name, (sent, status) in asked.items():
        answer = witness.add_checkpoint(sent)
        assert answer.status == status, name
        assert b"\xe2\x80\x94" not in answer.body, name
    # None of these changed what the witness knows.
    assert witness.add_checkpoint(request_body(good, 10, proof)).status == 200


def test_a_proof_from_nothing_is_refused(log: Served, witness: OurWitness) -> None:
    refused = witness.add_checkpoint(request_body(note_of(log, 20), 0, [bytes(32)]))
    assert refused.status == 422


def test_a_damaged_state_cosigns_nothing(log: Served, witness: OurWitness, tmp_path: Path) -> None:
    witness.add_checkpoint(body(log, 0, 10))
    next((tmp_path / "w").glob("*.json")).write_text("{")
    with pytest.raises(ValueError, match="property name"):
        witness.add_checkpoint(body(log, 0, 20))


async def ask(
    log: Served, witnesses: Sequence[WitnessAddress], size: int, client: WitnessClient | None = None
) -> tuple[Note, dict[str, Refusal]]:
    async def consistency(old: int, new: int) -> list[bytes]:
        return proof_of(log, old, new)

    async with httpx.AsyncClient(trust_env=False) as speaking:
        asking = client or WitnessClient(witnesses, speaking)
        cosigned = await asking.ask(note_of(log, size), size, consistency)
    return cosigned.note, cosigned.refusals


async def test_the_client_follows_what_the_witness_holds(log: Served, witness: OurWitness) -> None:
    async with served(witness_app(witness)) as url:
        known = [WitnessAddress(witness.verifier, url)]
        for size in (10, 20, 300):
            note, refusals = await ask(log, known, size)  # it has no earlier checkpoint
            assert refusals == {}
            policy = Policy((witness.verifier,), 1)
            assert verify_checkpoint(note.encode(), log.log.verifier, policy).witnesses
        assert (await ask(log, known, 20))[1] == {"witness.test/w1": Refusal.AHEAD}
        async with httpx.AsyncClient(trust_env=False) as client:
            latest = await client.get(f"{url}/{witness.origin_hash}/checkpoint")
        assert latest.text.startswith(f"{ORIGIN}\n300\n")


def lying_app(liar: LocalSigner) -> FastAPI:
    """A witness that cosigns another text, and one that answers with the status in its URL."""
    lying = FastAPI()

    @lying.post("/add-checkpoint")
    async def lie() -> Response:
        return Response(cosign("something else\n", liar, 1) + "\n")

    @lying.post("/{status}/add-checkpoint")
    async def answer(status: int) -> Response:
        return Response("x" * 10, status, media_type="text/x.tlog.size")

    return lying


async def test_the_client_tells_refusals_apart_and_keeps_what_holds(
    log: Served, witness: OurWitness, tmp_path: Path
) -> None:
    forked = Served()
    forked.log = log.log
    forked.grow(5)
    other_log = LocalSigner("other.example", Ed25519PrivateKey.generate()).verifier
    renamed = Verifier(ORIGIN, other_log.type, other_log.public_key)
    misled = OurWitness(tmp_path / "2", "w2", log.log.verifier, ORIGIN)
    misled.add_checkpoint(request_body(note_of(log, 5, bytes(32)), 0, []))
    liar = LocalSigner("w5", Ed25519PrivateKey.generate(), COSIGNATURE)
    async with (
        served(witness_app(witness)) as one,
        served(witness_app(misled)) as two,
        served(witness_app(OurWitness(tmp_path / "3", "w3", other_log, "other.example"))) as three,
        served(witness_app(OurWitness(tmp_path / "4", "w4", renamed, ORIGIN))) as four,
        served(lying_app(liar)) as five,
    ):
        keys = {
            name: LocalSigner(name, Ed25519PrivateKey.generate(), COSIGNATURE).verifier
            for name in ("w2", "w3", "w4", "w6", "w7", "w8")
        }
        asked = [
            WitnessAddress(witness.verifier, one),
            WitnessAddress(keys["w2"], two),
            WitnessAddress(keys["w3"], three),
            WitnessAddress(keys["w4"], four),
            WitnessAddress(liar.verifier, five),
            WitnessAddress(keys["w6"], "http://127.0.0.1:9"),
            WitnessAddress(keys["w7"], f"{five}/400"),
            WitnessAddress(keys["w8"], f"{five}/409"),
        ]
        note, refusals = await ask(log, asked, 20)
    assert refusals == {
        "w2": Refusal.INCONSISTENT,
        "w3": Refusal.UNKNOWN_LOG,
        "w4": Refusal.UNTRUSTED_KEY,
        "w5": Refusal.ANSWER,
        "w6": Refusal.DOWN,
        "w7": Refusal.MALFORMED,
        "w8": Refusal.CONFLICT,
    }
    assert len(note.lines) == 2  # the log's own, and the one good cosignature


def test_witnesses_are_read_from_the_settings(witness: OurWitness) -> None:
    line = f"{witness.verifier.vkey}@https://w.example/a/"
    assert read_witnesses(f"  {line} ") == [WitnessAddress(witness.verifier, "https://w.example/a")]
    for wrong in ("x", witness.verifier.vkey, f"{witness.verifier.vkey}@ftp://x"):
        with pytest.raises((ValueError, InvalidNote)):
            read_witnesses(wrong)
