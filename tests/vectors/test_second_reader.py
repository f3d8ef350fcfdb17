"""A reader written from the format pages alone opens what our code seals."""

import base64
import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import text

from auth import browsers
from auth.records import anchors
from auth.visitor import Visitor
from base.db_time import instant
from base.errors import ServiceError
from base.ids import new_id
from storage.blobs import BlobKey
from storage.content import content_writer
from tests import uploads
from tests.auth.steps import begin, redeem, wrong
from tests.fixtures import MakeClient, MakePerson, MakeWorker, SomePerson, SomeWorker, last_code
from tests.joins import ask_join
from tests.mandates import authorisation, signed
from tests.meetings import met
from tests.recoveries import tied
from tests.representations import bound
from tests.steps import deposit, erase, granted, log_of, request_body
from tests.trusted import trusted
from tests.vault.decoding import corpus
from tests.vault.exports.steps import begun
from tests.vectors import second_reader as reader
from vault.access_log.records import add_warning
from vault.services import Services

PAGE = Path(__file__).parents[2] / "docs/formats/sealed-file.md"
PLAINTEXT = bytes(range(256)) * 1500


def keyring(services: Services) -> dict[str, bytes]:
    """The keys of the root versions, from the keyring's file."""
    content = json.loads((services.settings.home / "keys" / "keyring.json").read_text())
    return {
        version["id"]: base64.b64decode(version["key"])
        for version in content["versions"]
        if "key" in version
    }


async def rows(services: Services, query: str, **values: Any) -> list[Any]:
    async with services.database.transaction() as tx:
        return list(await tx.execute(text(query), values))


async def secret_of(services: Services, subject: str) -> bytes:
    """A subject's secret: a person's by their id, the service's by its use."""
    query = "SELECT * FROM unefois.wrapped_key WHERE coalesce(owner_id::text, use) = :subject"
    (row,) = await rows(services, query, subject=subject)
    return reader.unwrap_local(keyring(services), row.root_version, row.wrapped, subject)


async def test_a_sealed_row_and_its_look_up_tag(
    services: Services, make_person: MakePerson
) -> None:
    person = await make_person()
    (row,) = await rows(services, "SELECT * FROM unefois.person WHERE id = :id", id=person.id)
    secret = await secret_of(services, str(person.id))
    opened = reader.open_row(secret, str(person.id), "person", person.id, row.sealed)
    assert opened["phone"] == person.phone
    phones = await secret_of(services, "index/phone")
    assert reader.tag(phones, "phone", person.phone.encode()) == row.phone_tag
    with pytest.raises(InvalidTag):
        reader.open_row(secret, str(person.id), "person", new_id(), row.sealed)


async def macs_of(services: Services, table: str) -> dict[bytes, Any]:
    """A table's rows by their MAC. An ended session has none."""
    found = await rows(services, f'SELECT * FROM unefois."{table}" WHERE mac IS NOT NULL')  # noqa: S608  (of the page)
    return {bytes(row.mac): row for row in found}


async def make_rows(
    services: Services, client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker
) -> None:
    """A row of each kind that is not made with the people themselves."""
    document = await deposit(client, person, corpus.pdf(1), type_="payslip")
    grant = await granted(client, person, worker.headers, "payslip")
    read = f"/v1/grants/{grant}/documents/{document['id']}/content"
    assert (await client.get(read, headers=worker.headers)).is_success
    headers = {**worker.headers, "Idempotency-Key": "once"}
    body = request_body(person.phone, "payslip")
    asked = await client.post("/v1/consent-requests", headers=headers, json=body)
    assert asked.is_success, asked.text
    known = (await client.get("/v1/people", headers=worker.headers)).json()["items"][0]["id"]
    labelled = await client.patch(
        f"/v1/people/{known}", headers=worker.headers, json={"label": "Amina"}
    )
    assert labelled.is_success, labelled.text
    await met(client, worker, person)
    assert (await ask_join(client, person)).is_success
    await tied(services, person.id, new_id())
    await begun(client, person)
    await signed(client, worker, person, authorisation("lease"))
    entry = (await log_of(client, person))[0]["id"]
    reported = await client.post(
        f"/v1/access-log/{entry}/report", headers=person.headers, json={"text": "?"}
    )
    assert reported.is_success, reported.text
    async with services.database.transaction() as tx:
        await browsers.remember(services, tx, "person", person.id, Visitor())
        macs = await services.field_encryption.row_macs()
        await add_warning(tx, macs, person.id, 2020, await instant(tx))
        kept = {"id": new_id(), "edition": 1, "tag": bytes(32), "enrolled_at": await instant(tx)}
        await anchors.put_anchor(tx, macs, person_id=person.id, **kept)
    await uploads.begin(client, person, 9)
    started, code = await begin(services, person.phone)
    with pytest.raises(ServiceError):
        await redeem(services, started, wrong(code))


async def ask_to_erase(
    services: Services, client: httpx.AsyncClient, person: SomePerson, *, given: bool
) -> None:
    """A code to erase the vault; with `given`, it is given, and the erasure waits."""
    sent = await client.post("/v1/me/erasure/code", headers=person.headers)
    assert sent.is_success, sent.text
    if given:
        code = await last_code(services, person.phone)
        asked = await client.request(
            "DELETE", "/v1/me", headers=person.headers, json={"code": code}
        )
        assert asked.status_code == 202, asked.text


async def test_the_macs_of_rows(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    make_client: MakeClient,
) -> None:
    """Each table's columns are read from the format page, and each has a row that this test made:
    others share the database, and alter rows on purpose."""
    tables = {
        found[1]: (int(found[2]), found[3].split(", "))
        for line in PAGE.read_text().splitlines()
        if (found := re.fullmatch(r"\| `(\w+)` \| (\d) \| ([\w, ]+) \|", line))
    }
    assert len(tables) > 5
    before = {table: await macs_of(services, table) for table in tables}
    await make_client()
    worker = await make_worker()
    await make_rows(services, client, await make_person(), worker)
    await bound(services, await make_person(), await make_person(), worker)
    await trusted(client, await make_person(), await make_person())
    await ask_to_erase(services, client, await make_person(), given=False)
    await ask_to_erase(services, client, await make_person(), given=True)
    await erase(services, await make_person())
    secret = await secret_of(services, "row-macs")
    for table, (version, columns) in tables.items():
        after = await macs_of(services, table)
        made = {mac: row for mac, row in after.items() if mac not in before[table]}
        assert made, f"no row of {table} was made"
        for mac, row in made.items():
            values = [getattr(row, column) for column in columns]
            assert reader.row_mac(secret, table, version, values) == mac, table


async def test_the_pieces_of_an_upload(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person, data = await make_person(), uploads.padded_pdf(1_100_000)
    path = await uploads.uploaded(client, person, data, title="Paie")
    upload_id = uploads.id_of(path)
    secret, subject = await secret_of(services, str(person.id)), str(person.id)
    query = "SELECT * FROM unefois.upload WHERE id = :id"
    (upload,) = await rows(services, query, id=upload_id)
    said = reader.open_row(secret, subject, "upload", upload.id, upload.sealed)
    assert said == {"metadata": uploads.said(title="Paie")["Upload-Metadata"]}
    query = "SELECT * FROM unefois.upload_piece WHERE upload_id = :id ORDER BY position"
    pieces = await rows(services, query, id=upload_id)
    assert [piece.position for piece in pieces] == [0, 1]
    found = b""
    for piece in pieces:
        row = piece._asdict() | {"role": "upload", "version_id": piece.upload_id}
        dek, length = reader.open_envelope(secret, subject, row)
        blob = await services.storage.blobs.get(BlobKey(piece.blob_key), 2**21)
        found += reader.open_file(dek, "upload", piece.id, blob, length)
    assert found == data


@pytest.mark.parametrize("plaintext", [b"", b"one", PLAINTEXT], ids=["empty", "one", "two"])
async def test_an_envelope_and_its_file(
    services: Services, make_person: MakePerson, plaintext: bytes
) -> None:
    person = await make_person()
    async with content_writer(
        services.storage.blobs,
        services.storage.keys,
        person.id,
        "original",
        version_id=new_id(),
        position=3,
    ) as writer:
        await writer.write(plaintext)
        sealed = await writer.commit()
    secret = await secret_of(services, str(person.id))
    dek, length = reader.open_envelope(secret, str(person.id), asdict(sealed.address))
    segments = len(plaintext) // 262_112 + 1
    blob = await services.storage.blobs.get(BlobKey(sealed.blob_key), 2**20)
    assert len(blob) == 74 + length + 32 * segments
    assert reader.open_file(dek, "original", sealed.address.id, blob, length) == plaintext
    hasher = (await services.field_encryption.writer(person.id)).hasher("content")
    hasher.update(plaintext + len(plaintext).to_bytes(8, "big"))
    assert reader.content_hash(secret, str(person.id), plaintext) == hasher.digest()
    for changed in (
        {"role": "rendition"},
        {"id": new_id()},
        {"version_id": new_id()},
        {"position": 0},
        {"blob_key": str(BlobKey.random("files"))},
    ):
        with pytest.raises(InvalidTag):
            reader.open_envelope(secret, str(person.id), {**asdict(sealed.address), **changed})


async def test_the_events_of_a_vault(services: Services, make_person: MakePerson) -> None:
    person = await make_person()
    secret = await secret_of(services, str(person.id))
    (pair,) = await rows(
        services, "SELECT * FROM unefois.audit_key WHERE owner_id = :id", id=person.id
    )
    private = reader.open_row(secret, str(person.id), "audit_key", pair.id, pair.sealed_private_key)
    tag = reader.tag(await secret_of(services, "index/log-person"), "log-person", person.id.bytes)
    found = await rows(
        services, "SELECT * FROM unefois.access_event WHERE person_tag = :tag ORDER BY id", tag=tag
    )
    opened = {
        event.id: reader.open_event(
            event.sealed,
            event.commitment,
            event.key_id,
            event.id,
            bytes.fromhex(private["private_key"]),
        )
        for event in found
    }
    assert {event["action"] for event in opened.values()} >= {"vault.open", "sign_in.success"}
    for id_, event in opened.items():
        assert UUID(event["id"]) == id_
        assert event["person"] == str(person.id)
        assert event["v"] == 1
