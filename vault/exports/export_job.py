"""Makes an export: its papers, what is said of them, and the manifest, as one zip of sealed pieces.

An attempt goes on from the last safe entry of the one before. A paper that cannot be read keeps
nobody's other papers back: it is told of, and left out.
"""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth import notifications
from auth.messages import queue
from auth.person_contact import contact_to_tell
from base.db_time import instant
from base.key_names import ARCHIVE
from storage.blobs import BlobMissing, InvalidBlob
from storage.content import Content, InvalidContent, open_content
from storage.errors import KeyDestroyed
from vault.consent import receipt_keys
from vault.exports import archives, manifest, records
from vault.exports.archives import PieceWriter, Safe, Superseded
from vault.exports.export_plan import PlannedFile, plan, planned_files
from vault.exports.exports import LIFE
from vault.exports.verification import KEYS
from vault.exports.zip_format import ZipEntry, ZipStream
from vault.services import Services

DOCUMENTS = "documents.json"


class _Unreadable(Exception):
    """A file that cannot be read, of which the zip holds a part by now."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


async def make(services: Services, person_id: UUID, archive_id: UUID) -> None:
    """Make an export, or go on with it. Doing it twice changes nothing; one that is gone, or that
    another attempt makes, is left alone. Raises what the store and the database raise when they
    are out of reach: the job is tried again."""
    try:
        while True:
            row, safe = await archives.begin_attempt(services, person_id, archive_id)
            values = await _values(services, row, safe)
            try:
                await _Export(services, row, safe, values).write()
            except _Unreadable as unreadable:
                left_out = [*values["unreadable"], unreadable.path]
                changed = {**values, "unreadable": left_out}
                await archives.change_sealed(services, row, safe.attempt, changed)
            else:
                return
    except (Superseded, KeyDestroyed):
        return


async def _values(services: Services, row: Any, safe: Safe) -> dict[str, Any]:
    """What is sealed of an export, with its plan: made by the first attempt."""
    reader = await services.field_encryption.reader(row.person_id)
    values = reader.open(ARCHIVE, row.id, row.sealed)
    if "papers" not in values:
        papers = await plan(services, row.person_id, values["documents"])
        values = {**values, "papers": papers, "unreadable": []}
        await archives.change_sealed(services, row, safe.attempt, values)
    return values


class _Export:
    """One attempt at one export."""

    def __init__(self, services: Services, row: Any, safe: Safe, values: dict[str, Any]) -> None:
        self._services = services
        self._row = row
        self._values = values
        self._safe = safe
        self._entries: list[ZipEntry] = list(safe.entries)
        self._stream = ZipStream(safe.entries, safe.length)

    async def write(self) -> None:
        """All of it. Raises `_Unreadable`, `Superseded`."""
        done = {entry.path for entry in self._entries}
        left_out = set(self._values["unreadable"])
        writer = PieceWriter(self._services, self._row.person_id, self._row.id, self._safe)
        async with writer as out:
            for file in planned_files(self._values["papers"]):
                if file.path not in done and file.path not in left_out:
                    await self._write_file(out, file)
            if DOCUMENTS not in done:
                await self._write_bytes(out, DOCUMENTS, self._documents())
            # The keys and what is signed by one of them, in one attempt.
            public = await receipt_keys.public_keys(self._services, may_create=True)
            await self._write_bytes(out, KEYS, _json(public), may_stop=False)
            await self._write_bytes(out, manifest.PATH, await self._manifest(), may_stop=False)
            await out.write(self._stream.finish())
            await out.finish(self._ready)

    async def _write_file(self, out: PieceWriter, file: PlannedFile) -> None:
        content = await self._content(file)
        if content is None:
            raise _Unreadable(file.path)
        await out.write(self._stream.begin(file.path, self._row.asked_at))
        try:
            async for part in content.whole():
                await out.write(self._stream.write(part))
        except (InvalidContent, BlobMissing, InvalidBlob):
            raise _Unreadable(file.path) from None
        await self._end(out)

    async def _content(self, file: PlannedFile) -> Content | None:
        """A file's bytes; None where it is gone, or not what was sealed."""
        person_id = self._row.person_id
        async with self._services.database.transaction() as tx:
            rows = await records.files_of(tx, person_id, file.version)
        for row in rows:
            if (row.role, row.position) == (file.role, file.position):
                storage = self._services.storage
                address = records.file_address(row)
                try:
                    return await open_content(storage.blobs, storage.keys, person_id, address)
                except InvalidContent:
                    return None
        return None

    async def _write_bytes(
        self, out: PieceWriter, path: str, data: bytes, *, may_stop: bool = True
    ) -> None:
        await out.write(self._stream.begin(path, self._row.asked_at))
        await out.write(self._stream.write(data))
        await self._end(out, may_stop=may_stop)

    async def _end(self, out: PieceWriter, *, may_stop: bool = True) -> None:
        tail, entry = self._stream.end()
        await out.write(tail)
        self._entries.append(entry)
        await out.end_entry(entry, may_stop=may_stop)

    def _documents(self) -> bytes:
        return _json({name: self._values[name] for name in ("papers", "unreadable")})

    async def _manifest(self) -> bytes:
        papers = [one for one in self._values["papers"] if "versions" in one]
        unsigned = manifest.manifest(
            self._entries,
            made_at=self._row.asked_at,
            origin=self._services.settings.public_url,
            counts={"papers": len(papers), "unreadable": len(self._values["unreadable"])},
        )
        return _json(await receipt_keys.sign(self._services, unsigned, kind=manifest.TYPE))

    async def _ready(self, tx: AsyncConnection) -> dict[str, Any]:
        """The person is told in the commit that makes it ready: a crash leaves both or neither."""
        at = await instant(tx)
        person_id = self._row.person_id
        contact = await contact_to_tell(self._services, tx, person_id)
        if contact.phone is not None:
            text = notifications.export_ready(
                self._services, contact.language, at + LIFE, contact.zone
            )
            await queue(self._services, tx, channel="sms", to=contact.phone, text=text, life=LIFE)
        return {"ready_at": at, "expires_at": at + LIFE}


def _json(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False, indent=1).encode()
