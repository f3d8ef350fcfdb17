"""A reader written from the format pages alone opens what our code seals."""

import base64
import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import text

from base.ids import new_id
from storage.blobs import BlobKey
from storage.content import content_writer
from tests.fixtures import MakeClient, MakePerson, MakeWorker
from tests.vectors import second_reader as reader
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


async def test_the_macs_of_rows(
    services: Services, make_person: MakePerson, make_worker: MakeWorker, make_client: MakeClient
) -> None:
    """Each table's columns are read from the format page."""
    await make_person()
    await make_worker()
    await make_client()
    secret = await secret_of(services, "row-macs")
    checked = 0
    for line in PAGE.read_text().splitlines():
        if not (found := re.fullmatch(r"\| `(\w+)` \| (\d) \| ([\w, ]+) \|", line)):
            continue
        table, version, columns = found[1], int(found[2]), found[3].split(", ")
        for row in await rows(services, f'SELECT * FROM unefois."{table}" LIMIT 20'):  # noqa: S608  (of the page)
            if row.mac is None:
                continue  # a session that ended
            values = [getattr(row, column) for column in columns]
            assert reader.row_mac(secret, table, version, values) == row.mac, table
            checked += 1
    assert checked > 5


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
