"""Makes an export: its papers, what is told beside them, its page and the manifest, as one zip of
sealed pieces.

An attempt goes on from the last safe entry of the one before. What cannot be read keeps nothing
else back: it is told of, and left out.
"""

from collections.abc import AsyncIterator, Container, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from auth import notifications
from auth.messages import queue
from auth.person_contact import contact_to_tell
from base.db_time import instant
from base.errors import ServiceError
from base.key_names import ARCHIVE
from storage.blobs import BlobMissing, BlobUnavailable, InvalidBlob
from storage.content import Content, InvalidContent, open_content
from storage.errors import KeyDestroyed
from vault.consent import receipt_keys
from vault.exports import archives, manifest, records
from vault.exports.archives import PieceWriter, Safe, Superseded
from vault.exports.export_page import INDEX, ExportSummary, on_page, zone_of
from vault.exports.export_plan import PlannedFile, plan, planned_files
from vault.exports.export_vaults import told_vaults
from vault.exports.exports import LIFE
from vault.exports.json_files import File, json_bytes, once
from vault.exports.told_files import told_files
from vault.exports.verification import KEYS
from vault.exports.zip_format import ZipEntry, ZipStream
from vault.services import Services

DOCUMENTS = "documents.json"
_FORMER_LOGS = "journal/avant-1/events.ndjson"
"""Named as unreadable where it is not known whether vaults were joined to this one."""


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
            except BlobUnavailable:
                await _say_it_waits(services, row, safe)
                raise
            except _Unreadable as unreadable:
                left_out = [*values["unreadable"], unreadable.path]
                await archives.change_sealed(services, row, safe.attempt, unreadable=left_out)
            else:
                return
    except (Superseded, KeyDestroyed):
        return


async def _say_it_waits(services: Services, row: Any, safe: Safe) -> None:
    """Its person sees why it does not move: the store takes nothing. What fails here hides
    nothing: the job is tried again either way."""
    with suppress(ServiceError, SQLAlchemyError, Superseded):
        await archives.change_sealed(services, row, safe.attempt, waits=True)


async def _values(services: Services, row: Any, safe: Safe) -> dict[str, Any]:
    """What is sealed of an export, with its plan: made by the first attempt."""
    reader = await services.field_encryption.reader(row.person_id)
    values = reader.open(ARCHIVE, row.id, row.sealed)
    if "papers" not in values:
        papers = await plan(services, row.person_id, values["documents"])
        changed: dict[str, Any] = {"papers": papers, "unreadable": []}
    else:
        changed = {"waits": False} if values.get("waits") else {}
    if changed:
        await archives.change_sealed(services, row, safe.attempt, **changed)
    return {**values, **changed}


class _Export:
    """One attempt at one export."""

    def __init__(self, services: Services, row: Any, safe: Safe, values: dict[str, Any]) -> None:
        self._services = services
        self._row = row
        self._values = values
        self._safe = safe
        self._entries: list[ZipEntry] = list(safe.entries)
        self._stream = ZipStream(safe.entries, safe.length)
        self._read: tuple[UUID | None, Sequence[Any]] = None, ()

    async def write(self) -> None:
        """All of it. Raises `_Unreadable`, `Superseded`."""
        done = {entry.path for entry in self._entries}
        left_out = set(self._values["unreadable"])
        writer = PieceWriter(self._services, self._row.person_id, self._row.id, self._safe)
        async with writer as out:
            for file in planned_files(self._values["papers"]):
                if file.path not in done and file.path not in left_out:
                    await self._write_file(out, file)
            async for path, data in self._told(done):
                if path not in done:
                    await self._write_slices(out, path, data)
            # The keys and what is signed by one of them, in one attempt.
            public = await receipt_keys.public_keys(self._services, may_create=True)
            await self._write_slices(out, KEYS, once(json_bytes(public)), may_stop=False)
            signed = once(json_bytes(await self._manifest()))
            await self._write_slices(out, manifest.PATH, signed, may_stop=False)
            await out.write(self._stream.finish())
            await out.finish(self._ready)

    async def _told(self, done: Container[str]) -> AsyncIterator[File]:
        """What is told beside the papers; the page last, which links to all of it."""
        services, row, until = self._services, self._row, self._row.asked_at
        vaults, known = await told_vaults(services, row.person_id, until)
        unreadable = [*self._values["unreadable"], *([] if known else [_FORMER_LOGS])]
        async for file in told_files(services, vaults, until, done):
            yield file
        papers, language = self._values["papers"], self._values["language"]
        said = {"language": language, "papers": papers, "unreadable": unreadable}
        yield DOCUMENTS, once(json_bytes(said))
        summary = ExportSummary(
            language=language,
            zone=await zone_of(services, row.person_id),
            made_at=until,
            origin=services.settings.public_url,
            papers=papers,
            unreadable=unreadable,
            there={entry.path for entry in self._entries},
            vaults=[on_page(services, vault, until) for vault in vaults],
        )
        yield INDEX, _encoded(services.export_page(summary))

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
        for row in await self._files_of(file.version):
            if (row.role, row.position) == (file.role, file.position):
                storage = self._services.storage
                address = records.file_address(row)
                try:
                    return await open_content(storage.blobs, storage.keys, person_id, address)
                except InvalidContent:
                    return None
        return None

    async def _files_of(self, version: UUID) -> Sequence[Any]:
        """Those of the version that is written, which follow one another, are read once."""
        if self._read[0] != version:
            async with self._services.database.transaction() as tx:
                rows = await records.files_of(tx, self._row.person_id, version)
            self._read = version, rows
        return self._read[1]

    async def _write_slices(
        self, out: PieceWriter, path: str, data: AsyncIterator[bytes], *, may_stop: bool = True
    ) -> None:
        await out.write(self._stream.begin(path, self._row.asked_at))
        async for part in data:
            await out.write(self._stream.write(part))
        await self._end(out, may_stop=may_stop)

    async def _end(self, out: PieceWriter, *, may_stop: bool = True) -> None:
        tail, entry = self._stream.end()
        await out.write(tail)
        self._entries.append(entry)
        await out.end_entry(entry, may_stop=may_stop)

    async def _manifest(self) -> dict[str, Any]:
        papers = [one for one in self._values["papers"] if "versions" in one]
        unsigned = manifest.manifest(
            self._entries,
            made_at=self._row.asked_at,
            origin=self._services.settings.public_url,
            counts={"papers": len(papers), "unreadable": len(self._values["unreadable"])},
        )
        return await receipt_keys.sign(self._services, unsigned, kind=manifest.TYPE)

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


async def _encoded(page: AsyncIterator[str]) -> AsyncIterator[bytes]:
    async for part in page:
        yield part.encode()
