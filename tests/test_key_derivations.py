"""What derives keys and binds sealed bytes, byte for byte, recorded during a whole story.

Every stored file, row and tag opens only while these stay as they are: a failure here means that
stored data can no longer be read, and the code is what must change.
"""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import text

from audit import sealing
from auth import sessions
from auth.oauth import signing_keys
from auth.visitor import Visitor
from storage import envelopes, field_encryption, floe, keys
from storage.backup import manifest
from storage.key_rotation import check_root
from storage.providers import local
from tests.derivations import (
    ENVELOPES_BOUND,
    FIELDS_BOUND,
    FILES_DERIVED,
    HKDF_INFOS,
    TAGS,
    WRAPS_BOUND,
)
from tests.fixtures import (
    MakeClient,
    MakePerson,
    MakeWorker,
    Served,
    SomePerson,
    SomeWorker,
    new_phone,
)
from tests.meetings import met
from tests.steps import Headers, client_headers, drawn, granted, request_body, until
from tests.uploads import made_of, uploaded
from tests.vault.decoding import corpus
from vault.access_log import siem_export
from vault.consent import receipt_keys
from vault.services import Services
from web.process.sequencer import run_sequencer

_PLACES = (
    (r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<id>"),
    (r"\blocal-[0-9a-f]{16}\b", "<root>"),
    (r"\bfiles/[A-Za-z0-9/_-]+$", "<blob>"),
    (r"\b[0-9a-f]{64}\b", "<64>"),
    (r"^\+\d+$", "<phone>"),
    (r"^\S+@\S+$", "<email>"),
    (r"^\d{6}$", "<code>"),
    (r"^[A-Za-z0-9_-]{32}$", "<secret>"),
)

TYPE = "income_tax_notice"
KEY = {"Idempotency-Key": "a-key"}
EVENT_OF_NO_VAULT = text(
    "SELECT e.*, NULL AS state, NULL AS outcome_mac FROM unefois.access_event e"
    " JOIN unefois.audit_key k ON k.id = e.key_id WHERE k.owner_id IS NULL LIMIT 1"
)


class Seen:
    """What the story derived and bound, with ids, roots and values replaced by placeholders."""

    def __init__(self) -> None:
        self.infos: set[str] = set()
        self.fields: set[str] = set()
        self.envelopes: set[str] = set()
        self.files: set[str] = set()
        self.wraps: set[str] = set()
        self.events: set[bytes] = set()
        self.tags: set[str] = set()

    def row(self, bound: bytes) -> None:
        """Record a table's name, and the row's id in binary."""
        assert UUID(bytes=bound[-16:]).version == 7
        self.fields.add(bound[:-16].decode() + "<row>")

    def file(self, info: bytes) -> None:
        """Record a file key's info: FLOE's purposes follow 10 bytes of parameters and 32 of IV."""
        info = re.sub(rb"^DEK:.{8}", b"DEK:<8>", info[42:], flags=re.DOTALL)
        self.files.add(placed(info.decode()))

    def tag(self, use: str, parts: tuple[str | bytes, ...]) -> None:
        """Record a tag. The parts of a pseudonym and of a body vary: placeholders replace them."""
        shown = [placed(one) if isinstance(one, str) else f"<{len(one)}>" for one in parts]
        if use == "pseudonym":
            shown = ["<kind>", "<value>"]
        if use == "idempotency-body":
            shown[1] = "<body>"
        self.tags.add(" ".join([use, *shown]))


def placed(value: str) -> str:
    """The text, with every id, root version and personal value replaced by a placeholder."""
    for pattern, place in _PLACES:
        value = re.sub(pattern, place, value)
    return value


def _cipher(note: Any) -> type:
    """An AES-GCM class that records the associated data."""

    class Recording:
        def __init__(self, key: bytes) -> None:
            self._real = AESGCM(key)

        def encrypt(self, nonce: bytes, data: bytes, bound: bytes) -> bytes:
            note(bound)
            return self._real.encrypt(nonce, data, bound)

        def decrypt(self, nonce: bytes, data: bytes, bound: bytes) -> bytes:
            note(bound)
            return self._real.decrypt(nonce, data, bound)

    return Recording


def _recording(real: Any, note: Any) -> Any:
    """A function or a class that records its arguments."""

    def call(*positional: Any, **named: Any) -> Any:
        note(*positional, **named)
        return real(*positional, **named)

    return call


@pytest.fixture
async def seen(
    services: Services, served: Served, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Seen]:
    """Record what the real code derives and binds from here on; no cache hides a derivation."""
    found = Seen()

    def put(module: Any, name: str, note: Any) -> None:
        monkeypatch.setattr(module, name, _recording(getattr(module, name), note))

    put(keys, "HKDF", lambda *_, info, **__: found.infos.add(placed(info.decode())))
    put(floe, "HKDFExpand", lambda _, __, info: found.file(info))
    for module in (field_encryption, siem_export):
        put(module, "keyed_tag", lambda _, use, *parts: found.tag(use, parts))
    for module, note in (
        (envelopes, lambda bound: found.envelopes.add(placed(bound.decode()))),
        (field_encryption, found.row),
        (local, lambda bound: found.wraps.add(placed(bound.decode()))),
    ):
        monkeypatch.setattr(module, "AESGCM", _cipher(note))
    suite = sealing._SUITE

    class Suite:
        @staticmethod
        def encrypt(plain: bytes, key: Any, info: bytes) -> bytes:
            found.events.add(info)
            return suite.encrypt(plain, key, info)

        decrypt = suite.decrypt

    monkeypatch.setattr(sealing, "_SUITE", Suite)
    await _forget(services)
    served.app.state.failures._networks._buckets.clear()
    yield found
    monkeypatch.undo()
    await _forget(services)


async def _forget(services: Services) -> None:
    """Empty the caches, so that everything is derived again."""
    services.storage.keys.forget_all()
    signing_keys._cache.clear()
    receipt_keys._cache.clear()
    await check_root(services.database, services.storage.keys.provider)


async def test_what_derives_keys_and_binds_sealed_bytes(
    services: Services,
    seen: Seen,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    make_client: MakeClient,
) -> None:
    phone = new_phone()
    worker, system = await make_worker(), await make_client()
    # Requested before the vault exists: sealed under the service's key first.
    await asked(client, worker, phone)
    person = await make_person(phone)
    await at_home(services, person, worker)
    await deposited(services, client, person)
    await consented(client, person, worker)
    await face_to_face(client, person, worker)
    await deposited_in_pieces(client, person)
    await deposited_under_a_grant(client, person, await client_headers(client, system))
    await read_by_the_service(services, client)

    assert sorted(seen.infos) == sorted(HKDF_INFOS)
    assert sorted(seen.fields) == sorted(FIELDS_BOUND)
    assert sorted(seen.envelopes) == sorted(ENVELOPES_BOUND)
    assert sorted(seen.files) == sorted(FILES_DERIVED)
    assert sorted(seen.wraps) == sorted(WRAPS_BOUND)
    assert sorted(seen.tags) == sorted(TAGS)
    assert {(info[:17], len(info)) for info in seen.events} == {(b"unefois/event/v1|", 49)}


async def at_home(services: Services, person: SomePerson, worker: SomeWorker) -> None:
    """Each has a session from a network that is known."""
    visitor = Visitor(network="192.0.2.1")
    async with services.database.transaction() as tx:
        for kind, one in (("person", person), ("worker", worker)):
            await sessions.open_session(services, tx, kind=kind, subject_id=one.id, visitor=visitor)


async def asked(client: httpx.AsyncClient, worker: SomeWorker, phone: str) -> None:
    """A consent request, with an idempotency key of the caller's."""
    answer = await client.post(
        "/v1/consent-requests",
        headers={**worker.headers, **KEY},
        json=request_body(phone, TYPE),
    )
    assert answer.status_code == 202, answer.text


async def deposited(services: Services, client: httpx.AsyncClient, person: SomePerson) -> None:
    """A photo, with its rendition and its preview."""
    answer = await client.post(
        "/v1/documents",
        headers={**person.headers, **KEY},
        files={"file": ("photo.jpg", corpus.phone_jpeg())},
        data={"type": TYPE},
    )
    assert answer.status_code == 201, answer.text
    await drawn(services, person, answer.json())


async def deposited_in_pieces(client: httpx.AsyncClient, person: SomePerson) -> None:
    """A paper made of an upload."""
    path = await uploaded(client, person, corpus.pdf(2), type=TYPE)
    assert (await made_of(client, person, path)).status_code == 201


async def consented(client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker) -> None:
    """A request is approved and used, and another grant is given without a request."""
    headers = {**person.headers, **KEY}
    (request,) = (await client.get("/v1/consent-requests", headers=headers)).json()["items"]
    path = f"/v1/consent-requests/{request['id']}/approve"
    approved = await client.post(path, headers=headers, json={})
    assert approved.status_code == 201, approved.text
    receipt = await client.get(f"/v1/grants/{approved.json()['id']}/receipt", headers=headers)
    assert receipt.status_code == 200, receipt.text
    path = f"/v1/grants/{approved.json()['id']}/documents"
    listed = await client.get(path, headers=worker.headers)
    (document,) = listed.json()["items"]
    content = await client.get(f"{path}/{document['id']}/content", headers=worker.headers)
    assert content.status_code == 200, content.text
    (known,) = (await client.get("/v1/people", headers=worker.headers)).json()["items"]
    path = f"/v1/people/{known['id']}"
    labelled = await client.patch(path, headers=worker.headers, json={"label": "Mme A."})
    assert labelled.status_code == 200, labelled.text
    draft = {
        "recipient": {"worker_email": worker.email},
        "scope": {"document_types": [TYPE], "actions": ["read"]},
        "purpose": {"code": "housing", "text": "Logement"},
        "duration": "P1M",
    }
    given = await client.post("/v1/grants", headers=headers, json=draft)
    assert given.status_code == 201, given.text


async def face_to_face(client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker) -> None:
    """They meet, and the worker asks once more."""
    body = request_body("", TYPE, person={"meeting": await met(client, worker, person)})
    answer = await client.post("/v1/consent-requests", headers=worker.headers, json=body)
    assert answer.status_code == 202, answer.text


async def deposited_under_a_grant(
    client: httpx.AsyncClient, person: SomePerson, administration: Headers
) -> None:
    """An administration's own deposit."""
    grant = await granted(client, person, administration, actions=["deposit"])
    answer = await client.post(
        f"/v1/grants/{grant}/documents",
        headers={**administration, **KEY},
        files={"file": ("notice.pdf", corpus.pdf())},
        data={"type": TYPE},
    )
    assert answer.status_code == 201, answer.text


async def read_by_the_service(services: Services, client: httpx.AsyncClient) -> None:
    """A page with a form, an event of no vault, and the export of those in the log's tree."""
    assert (await client.get("/pro")).status_code == 200
    async with services.database.transaction() as tx:
        rows = (await tx.execute(EVENT_OF_NO_VAULT)).all()
        assert len(await services.audit_log.open_entries(tx, rows)) == 1
    async with run_sequencer(services):
        await until(lambda: _exported(services))


async def _exported(services: Services) -> bool:
    """Whether an event about someone was exported, among all: the first one may name nobody."""
    tally = siem_export.ExportTally()
    events = siem_export.export_ocsf(services, tally, consumer="a-consumer", release="0")
    return any(["resources" in event async for event in events])


async def test_a_backups_seal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    derived: list[bytes] = []
    real = manifest.HKDF

    def noting(*positional: Any, info: bytes, **named: Any) -> Any:
        derived.append(info)
        return real(*positional, info=info, **named)

    monkeypatch.setattr(manifest, "HKDF", noting)
    contexts: list[Any] = []

    class Keyring(local.LocalKeyring):
        async def wrap(self, version: str, secret: bytes, context: Any) -> bytes:
            contexts.append(context)
            return await super().wrap(version, secret, context)

    keyring = Keyring(tmp_path / "keys" / "keyring.json")
    root = await keyring.create()
    part = manifest.Part(1, "")
    made = manifest.Manifest("", "", 18, "local", [root], part, part, 0, 0, 0)
    manifest.write(tmp_path, made, await manifest.seal(made, keyring, root))
    assert derived == [b"unefois/backup/v1|manifest"]
    assert contexts == [{"purpose": "unefois/backup/v1"}]
    assert (manifest.DATABASE, manifest.BLOBS, manifest.STORE) == (
        "database.dump", "blobs.jsonl", "store",
    )  # fmt: skip
    said = json.loads((tmp_path / "manifest.json").read_text())
    assert list(said) == ["manifest", "seal"]
    assert list(said["seal"]) == ["root", "wrapped", "mac"]
    assert said["manifest"]["format"] == "unefois/backup/v1"
    assert list(said["manifest"]) == [
        "made_at", "schema", "server", "provider", "roots", "database", "blobs", "blob_count",
        "blob_bytes", "missing", "format",
    ]  # fmt: skip
    ring = json.loads((tmp_path / "keys" / "keyring.json").read_text())
    assert ring["format"] == "unefois/keyring/v1"
    assert re.fullmatch(r"local-[0-9a-f]{16}", root)
    assert [list(one) for one in ring["versions"]] == [["id", "created_at", "key"]]
