"""The papers of a vault that ends in another one: sealed again for the person of that one.

Files stay where they are in the store: what seals them is a key of their own, and only their
envelope is a person's. Rows are deleted and inserted again with their ids: the service's role may
change nobody's paper into another's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.subjects import Person
from base.db_time import instant
from base.errors import ServiceError
from base.key_names import DOCUMENT, DOCUMENT_VERSION, PREVIEW
from base.pipeline import fetch_one, write
from storage.envelopes import moved_envelope
from storage.row_macs import RowAltered
from vault import jobs
from vault.consent.type_tags import type_tag
from vault.documents import records
from vault.documents.content_tags import content_tag
from vault.documents.document_reader import open_document
from vault.documents.moves import records as moved
from vault.documents.moves.paper_values import united
from vault.documents.own_documents import change
from vault.documents.quotas import check_room, vault_room
from vault.services import Services
from vault.tables import DOCUMENT_ROW, VERSION_ROW, check_documents

_PAGE = 500
MAX_COMPARED = 300
"""How many papers are read to find those that both vaults hold,"""
MAX_COMPARED_KIB = 512 * 1024
"""and how much of them, the smallest first: the others come as papers of their own."""


@dataclass(frozen=True, slots=True)
class Moved:
    """How many papers came; those that were held already, and the keys of their files, which no row
    refers to any more."""

    papers: int
    doubles: tuple[UUID, ...]
    blob_keys: tuple[str, ...]


async def possible_doubles(services: Services, stays: UUID, ended: UUID) -> dict[UUID, bytes]:
    """The tags, under the key of `stays`, of the versions of `ended` that have the size of one
    which that vault holds: only these are read, within both limits, before any lock."""
    async with services.database.transaction() as tx:
        alike = await moved.versions_alike(tx, ended, stays, limit=MAX_COMPARED)
        read = accumulate(one.size_kib or 0 for one in alike)
        ids = [one.id for one, kib in zip(alike, read, strict=True) if kib <= MAX_COMPARED_KIB]
        files = {one: await records.files_of(tx, ended, one) for one in ids}
    tags = {}
    for one, each in files.items():
        try:
            tags[one] = await content_tag(services, ended, each, under=stays)
        except ServiceError:
            continue  # it cannot be read now, or no more: it comes as a paper of its own
    return tags


async def check_room_for(services: Services, tx: AsyncConnection, stays: UUID, ended: UUID) -> None:
    """Raises `ServiceError` `vault_full`, `too_many_documents` where the papers of one vault do not
    fit in the other; doubles count: they are known once they are read."""
    coming = await vault_room(services, tx, ended)
    await check_room(services, tx, stays, size=coming.size, documents=coming.documents, moved=True)


async def move_papers(
    services: Services, tx: AsyncConnection, stays: Person, ended: UUID, tags: Mapping[UUID, bytes]
) -> Moved:
    """Make the papers of `ended`, the trash included, those of `stays`, in the caller's
    transaction, which MUST hold both vaults. `tags`: of `possible_doubles`; of the other versions a
    job makes them. One that `stays` holds already, with these bytes, is not doubled: it goes, and
    what was known of it alone is kept with the other (`paper_values.united`).

    Raises `RowAltered`, and `InvalidEnvelope`: nothing is left behind unread.
    """
    moving = _Moving(services, tx, stays, ended, tags)
    rows = await moved.documents_of(tx, ended)
    for start in range(0, len(rows), _PAGE):
        await moving.move(rows[start : start + _PAGE])
    return Moved(len(rows) - len(moving.doubles), tuple(moving.doubles), tuple(moving.blob_keys))


class _Moving:
    def __init__(
        self,
        services: Services,
        tx: AsyncConnection,
        stays: Person,
        ended: UUID,
        tags: Mapping[UUID, bytes],
    ) -> None:
        self._services = services
        self._tx = tx
        self._person = stays
        self._stays = stays.id
        self._ended = ended
        self._tags = tags
        self.doubles: list[UUID] = []
        self.blob_keys: list[str] = []

    async def move(self, rows: Sequence[Row[Any]]) -> None:
        """Move some documents, with their versions and files."""
        ids = [row.id for row in rows]
        tx, ended = self._tx, self._ended
        versions = await moved.versions_of(tx, ended, ids)
        files = await moved.files_of(tx, ended, [one.id for one in versions])
        doubles = [row.id for row in rows if await self._unites(row, versions)]
        gone = {one.id for one in versions if one.document_id in doubles}
        self.doubles += doubles
        self.blob_keys += [one.blob_key for one in files if one.version_id in gone]
        documents = [await self._document(row) for row in rows if row.id not in doubles]
        kept = [one for one in versions if one.id not in gone]
        sealed = [await self._version(one) for one in kept]
        envelopes = [await self._file(one) for one in files if one.version_id not in gone]
        await moved.delete_documents(tx, ended, ids)
        await moved.add_documents(tx, documents)
        await moved.add_versions(tx, sealed)
        await moved.add_files(tx, envelopes)
        drawn = {one.version_id for one in files if one.role == PREVIEW}
        await self._defer(kept, drawn)

    async def _unites(self, row: Row[Any], versions: Sequence[Row[Any]]) -> bool:
        """Whether it is one paper, never replaced nor deleted, that the other vault shows too: that
        one has from now on what both said. Not where this one alone is verified: both stay."""
        mine = [one for one in versions if one.document_id == row.id]
        tag = self._tags.get(row.version_id)
        if row.deleted_at is not None or len(mine) != 1 or tag is None:
            return False
        tx, encryption = self._tx, self._services.field_encryption
        held = await fetch_one(tx, records.document_with_content(self._stays, tag))
        kept = None if held is None else await records.document(tx, self._stays, held.id)
        gone = await records.document(tx, self._ended, row.id)
        if kept is None or gone is None:
            return False
        check_documents(await encryption.row_macs(), [kept, gone])
        known = open_document(await encryption.reader(self._stays, tx), kept)
        other = open_document(await encryption.reader(self._ended, tx), gone)
        if other.verified and not known.verified:
            return False
        both = united(known.metadata, other.metadata, verified=known.verified)
        if both != known.metadata:
            await change(self._services, tx, self._person, kept, known, both)
        return True

    async def _document(self, row: Row[Any]) -> dict[str, Any]:
        encryption = self._services.field_encryption
        macs = await encryption.row_macs()
        macs.check(DOCUMENT_ROW, row)
        values = (await encryption.reader(self._ended, self._tx)).open(DOCUMENT, row.id, row.sealed)
        writer = await encryption.writer(self._stays, self._tx)
        sensitive = values.get("sensitive", False)
        changed = {
            "person_id": self._stays,
            "type_tag": await type_tag(
                self._services, self._stays, values["type"], sensitive=sensitive
            ),
            "sealed": writer.seal(DOCUMENT, row.id, values),
            # Who had an access to the vault that stays was not given this one: it is added later.
            "typed_at": await instant(self._tx),
        }
        return macs.add(DOCUMENT_ROW, {**row._mapping, **changed})

    async def _version(self, row: Row[Any]) -> dict[str, Any]:
        encryption = self._services.field_encryption
        macs = await encryption.row_macs()
        macs.check(VERSION_ROW, row)
        reader = await encryption.reader(self._ended, self._tx)
        values = reader.open(DOCUMENT_VERSION, row.id, row.sealed)
        writer = await encryption.writer(self._stays, self._tx)
        changed = {
            "person_id": self._stays,
            "content_tag": self._tags.get(row.id, row.content_tag),
            "sealed": writer.seal(DOCUMENT_VERSION, row.id, values),
        }
        return macs.add(VERSION_ROW, {**row._mapping, **changed})

    async def _file(self, row: Row[Any]) -> dict[str, Any]:
        keys = self._services.storage.keys
        former, new = [await keys.owner(one, self._tx) for one in (self._ended, self._stays)]
        if row.person_id != self._ended:
            raise RowAltered("sealed_file")
        envelope = moved_envelope(former, new, records.address_of(row))
        return {**row._mapping, "person_id": self._stays, "envelope": envelope}

    async def _defer(self, versions: Sequence[Row[Any]], drawn: set[UUID]) -> None:
        """Jobs that waited under the former person's id find nothing: these take their place."""
        for one in versions:
            if one.id not in self._tags:
                await write(self._tx, jobs.content_tag_job(self._stays, one.id))
            if one.id not in drawn:
                await write(self._tx, jobs.preview_job(self._stays, one.id))
            if one.scan == "waiting":
                await write(self._tx, jobs.scan_job(self._stays, one.id))
