"""Looks at an import, and after its person's yes lets its papers come in, one after the other.

A paper that came in is noted in the commit that stores it: the next attempt goes on with the one
after it. Each goes the way of any other deposit: its type by its content, the decoder, the quotas.
What is refused keeps nobody's other papers back: its person is told of it.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.tlog.notes import InvalidNote
from auth.subjects import Person
from base.db_time import instant, instant_query
from base.errors import ErrorKind, ServiceError, invalid
from base.outages import is_reported
from base.pipeline import Transaction, fetch
from storage.blobs import BlobMissing, InvalidBlob
from storage.content import InvalidContent
from storage.errors import KeyDestroyed
from vault.consent.signed_receipts import NotGenuine
from vault.document_view import DocumentMetadata
from vault.documents import own_deposit
from vault.documents.uploads.pieces import delete_blobs
from vault.exports import import_rows, records
from vault.exports.archive_files import ArchiveFile, on_thread, slices_on_thread
from vault.exports.archives import ArchiveContent, Superseded
from vault.exports.foreign_receipts import read_receipts, receipt_groups, signing_key
from vault.exports.import_papers import (
    OTHER,
    ImportedFile,
    ImportedPaper,
    NotPapers,
    Papers,
    papers_in,
)
from vault.exports.import_rows import Values
from vault.exports.import_uploads import most_bytes
from vault.exports.imports import ImportSummary
from vault.exports.manifest import InvalidManifest, Manifest
from vault.exports.verification import NotAsMade, check_all, check_log, read_manifest
from vault.exports.zip_reader import FoundEntry, NotOurs, Wrong, ZipReader
from vault.jobs import Later
from vault.services import Services

MOST_NAMED = 200
"""Papers that did not come in, by name; the others are counted."""
_PROBLEMS = {
    Wrong.CUT: "import_cut",
    Wrong.ALTERED: "import_altered",
    Wrong.UNKNOWN: "import_unknown",
    Wrong.PATH: "import_unknown",
    Wrong.TOO_MANY: "import_too_large",
    Wrong.TOO_LARGE: "import_too_large",
}
_REFUSALS = frozenset(
    (
        ErrorKind.REFUSED,
        ErrorKind.INVALID,
        ErrorKind.TOO_LARGE,
        ErrorKind.UNSUPPORTED_TYPE,
        ErrorKind.CONFLICT,
    )
)
"""Of a deposit: they would be the same the next time."""
_LATER = frozenset((ErrorKind.TOO_MANY, ErrorKind.UNAVAILABLE))
_LATER_SECONDS = 30
_DAMAGED = (InvalidContent, BlobMissing, InvalidBlob)
"""Of what was kept of the zip here."""


async def go_on(services: Services, person_id: UUID, import_id: UUID) -> None:
    """Do what an import waits for. Doing it twice changes nothing; one that is gone, or that
    another attempt goes on with, is left alone. Raises `Later`, and what the store and the database
    raise when they are out of reach: the job is tried again."""
    with suppress(Superseded, KeyDestroyed):
        row, values = await _attempt(services, person_id, import_id)
        match values["state"]:
            case "checking":
                await _check(services, row, values)
            case "coming":
                await _Coming(services, row, values).go_on()


async def _attempt(services: Services, person_id: UUID, import_id: UUID) -> tuple[Any, Values]:
    """The import as it is now; what an attempt before this one still does is refused."""
    async with services.database.transaction() as tx:
        row = await import_rows.hold_living(services, tx, person_id, import_id)
        if row.ready_at is None or row.done_at is not None:
            raise Superseded
        values = await import_rows.opened(services, row)
        await import_rows.change(services, tx, row, await instant(tx), attempt=row.attempt + 1)
    return row, values


async def _hold(services: Services, tx: AsyncConnection, row: Any) -> Any:
    """The row, of which this attempt is the last one. Raises `Superseded`."""
    held = await import_rows.hold_living(services, tx, row.person_id, row.id)
    if held.attempt != row.attempt + 1:
        raise Superseded
    return held


async def _open(services: Services, row: Any) -> Callable[[], ZipReader]:
    """What reads the zip, to be called on a thread. Raises `NotOurs` there."""
    async with services.database.transaction() as tx:
        pieces = await records.pieces_of(tx, row.person_id, row.id)
    file = ArchiveFile(ArchiveContent(services, row.person_id, row, pieces))
    return partial(ZipReader, file.buffered(), room=most_bytes(services))


# Looking


async def _check(services: Services, row: Any, values: Values) -> None:
    """All of it is read once, and compared with what its manifest says; then its person is asked.
    One commit: a crash before it reads all of it again."""
    try:
        summary = await on_thread(partial(_look, await _open(services, row)))
    except NotOurs as refused:
        await _refuse(services, row, values, _PROBLEMS[refused.wrong])
    except (NotGenuine, NotAsMade, *_DAMAGED):
        await _refuse(services, row, values, "import_altered")
    except (InvalidManifest, InvalidNote, NotPapers):
        await _refuse(services, row, values, "import_unknown")
    else:
        said = asdict(summary) | {"made_at": summary.made_at.isoformat()}
        asked = {**values, "state": "asked", "summary": said}
        async with services.database.transaction() as tx:
            held = await _hold(services, tx, row)
            await import_rows.change(services, tx, held, await instant(tx), asked)


async def _refuse(services: Services, row: Any, values: Values, problem: str) -> None:
    await _end(services, row, {**values, "state": "refused", "problem": problem})


async def _end(services: Services, row: Any, values: Values) -> None:
    """It is over, and its pieces go. A crash after the commit leaves blobs of no row."""
    async with services.database.transaction() as tx:
        held, at = await _hold(services, tx, row), await instant(tx)
        keys = await records.delete_pieces(tx, row.person_id, row.id, after=0)
        over = {"done_at": at, "pieces": 0, "length": 0}
        await import_rows.change(services, tx, held, at, values, **over)
    await delete_blobs(services, keys)


def _look(opened: Callable[[], ZipReader]) -> ImportSummary:
    """On a thread."""
    zipped = opened()
    found = check_all(zipped)
    papers = papers_in(zipped)
    return ImportSummary(
        origin=found.origin,
        made_at=found.made_at,
        key=signing_key(zipped),
        papers=len(papers.papers),
        receipts=sum(map(len, receipt_groups(found))),
        lines=check_log(zipped).proved,
        left=papers.left,
    )


# Coming in


@dataclass(frozen=True, slots=True)
class _Opened:
    """The zip, which was looked at before."""

    zipped: ZipReader
    manifest: Manifest
    papers: Papers
    entries: dict[str, FoundEntry]


def _open_again(opened: Callable[[], ZipReader]) -> _Opened:
    """On a thread. Sealed pieces are what they were when all of it was compared."""
    zipped = opened()
    entries = {entry.path: entry for entry in zipped.entries}
    return _Opened(zipped, read_manifest(zipped), papers_in(zipped), entries)


class _Coming:
    """One attempt at letting papers come in."""

    def __init__(self, services: Services, row: Any, values: Values) -> None:
        self._services = services
        self._row = row
        self._values = values
        self._person = Person(row.person_id, values["language"])

    async def go_on(self) -> None:
        """From the first paper that is not handled yet. Raises `Later`, `Superseded`."""
        try:
            opened = await on_thread(partial(_open_again, await _open(self._services, self._row)))
            for paper in opened.papers.papers[self._values["handled"] :]:
                await self._deposit(paper, _Zipped(opened, paper.files))
            await self._bring_receipts(opened)
        except _DAMAGED:
            await _refuse(self._services, self._row, self._values, "import_altered")
            return
        await _end(self._services, self._row, {**self._values, "state": "done"})

    async def _bring_receipts(self, opened: _Opened) -> None:
        """The signed receipts, as papers that tell of them and have them in."""
        groups = receipt_groups(opened.manifest)
        language = opened.papers.language or self._values["language"]
        for number in range(self._values["handled"] - len(opened.papers.papers), len(groups)):
            of = {
                "number": number + 1,
                "of": len(groups),
                "lines": self._values["summary"]["lines"],
            }
            told = await on_thread(
                partial(read_receipts, opened.zipped, opened.manifest, groups[number], **of)
            )
            try:
                printed = await self._services.receipts_paper(told, language)
            except ServiceError as failure:
                raise await self._later(failure) from None
            metadata = DocumentMetadata(type=OTHER, title=printed.title, sensitive=True)
            paper = ImportedPaper(printed.title, metadata, ())
            await self._deposit(paper, _Printed(printed.pdf))

    async def _deposit(self, paper: ImportedPaper, incoming: "_Zipped | _Printed") -> None:
        noted = self._values

        async def note(tx: Transaction, _document_id: UUID) -> None:
            nonlocal noted
            # What is held already is answered in a transaction of the other kind.
            word = "held" if isinstance(tx, AsyncConnection) else "added"
            noted = await self._note(tx, **{word: self._values[word] + 1})

        try:
            await own_deposit.deposit_own(
                self._services,
                self._person,
                incoming,
                lambda: paper.metadata,
                in_commit=note,
                origin=self._values["summary"]["origin"],
            )
        except ServiceError as failure:
            if failure.kind not in _REFUSALS and not isinstance(failure, _DAMAGED):
                raise await self._later(failure) from None
            noted = await self._note_refused(paper, failure)
        self._values = noted

    async def _note(self, tx: Transaction, **changed: Any) -> Values:
        """One paper more is handled, in the commit that says so: a crash before it does the same
        paper again."""
        row = await import_rows.hold(self._services, tx, self._row.person_id, self._row.id)
        if row.attempt != self._row.attempt + 1:
            raise Superseded
        noted = {**self._values, "handled": self._values["handled"] + 1, "waits": None, **changed}
        (now,) = await fetch(tx, instant_query())
        await import_rows.change(self._services, tx, row, now.at, noted)
        return noted

    async def _note_refused(self, paper: ImportedPaper, failure: ServiceError) -> Values:
        said = [[paper.named, failure.code, failure.values]]
        refused = (self._values["refused"] + said)[:MOST_NAMED]
        async with self._services.database.transaction() as tx:
            await _hold(self._services, tx, self._row)
            count = self._values["not_taken"] + 1
            return await self._note(tx, refused=refused, not_taken=count)

    async def _later(self, failure: ServiceError) -> Exception:
        """What to raise for a failure that passes: its person is told why it waits."""
        if failure.kind is ErrorKind.NOT_FOUND:
            return Superseded()
        if failure.kind not in _LATER:
            return failure
        with suppress(ServiceError, SQLAlchemyError):
            async with self._services.database.transaction() as tx:
                held = await _hold(self._services, tx, self._row)
                waits = {**self._values, "waits": failure.code}
                await import_rows.change(self._services, tx, held, await instant(tx), waits)
        return failure if is_reported(failure) else Later(failure.retry_after or _LATER_SECONDS)


class _Zipped:
    """The files of a paper, as a deposit reads them."""

    def __init__(self, opened: _Opened, files: tuple[ImportedFile, ...]) -> None:
        self._zipped = opened.zipped
        self._files = [(file, opened.entries[file.path]) for file in files]
        self.announced = sum(entry.size for _, entry in self._files)

    async def files(self) -> AsyncIterator["_File"]:
        """Each, in order. Raises `import_paper_missing` for a paper that was not in the zip."""
        if not self._files:
            raise invalid("import_paper_missing")
        for file, entry in self._files:
            yield _File(file.name, slices_on_thread(partial(self._zipped.read, entry)))


class _Printed:
    """A paper that was made here."""

    def __init__(self, pdf: bytes) -> None:
        self._pdf = pdf
        self.announced = len(pdf)

    async def files(self) -> AsyncIterator["_File"]:
        """It."""
        yield _File(None, self._slices())

    async def _slices(self) -> AsyncIterator[bytes]:
        yield self._pdf


class _File:
    def __init__(self, name: str | None, slices: AsyncIterator[bytes]) -> None:
        self.name = name
        self._slices = slices

    async def slices(self) -> AsyncIterator[bytes | memoryview]:
        """Its bytes. Raises `import_altered` where they are not those that were looked at."""
        try:
            async for part in self._slices:
                yield part
        except NotOurs:
            raise invalid("import_altered") from None
