"""A document made of uploads: their pieces are opened for their owner and deposited as the files of
a form are, in the order that the owner gives.

The uploads go in the transaction that makes the document; a deposit that fails leaves them, so that
nothing is sent again. The same request again gives the same document.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.engine import Row

from audit.events import Action
from auth.subjects import Person
from base.db_time import instant
from base.errors import ServiceError, invalid
from base.key_names import UPLOAD
from base.pipeline import Transaction, fetch_one
from vault import idempotency
from vault.decisions import AccessAttempt, record_allowed, record_refusal
from vault.document_view import DocumentMetadata, DocumentView
from vault.documents import own_documents
from vault.documents import records as document_records
from vault.documents.deposit_commit import Deposited
from vault.documents.own_deposit import deposit_own, owner_view
from vault.documents.uploads import records
from vault.documents.uploads.metadata import read_metadata
from vault.documents.uploads.pieces import delete_blobs, read_pieces
from vault.rules import Reason
from vault.services import Services

T = TypeVar("T")

MetadataOf = Callable[[Mapping[str, str]], DocumentMetadata]
"""The metadata of a document: what its first upload says, where the request says nothing."""


async def deposit_uploads(
    services: Services,
    person: Person,
    uploads: Sequence[UUID],
    metadata: MetadataOf,
    *,
    idempotency_key: str | None = None,
) -> Deposited:
    """Store a document made of uploads of the person, or return the one that has these bytes, or
    that these uploads became. Raises `unknown_upload`, recorded, `upload_unfinished`."""
    use = _Use(services, person, tuple(uploads))

    async def store() -> Deposited:
        received = await _load(services, person, uploads)
        values = metadata(received.metadata)
        with _about_uploads():
            return await deposit_own(
                services,
                person,
                received,
                lambda: values,
                idempotency_key=idempotency_key,
                in_commit=use.in_commit,
            )

    return await _once(use, Action.DEPOSIT, store, lambda view: Deposited(view, already_held=True))


async def find_deposited(
    services: Services,
    person: Person,
    uploads: Sequence[UUID],
    *,
    version_of: UUID | None = None,
) -> DocumentView | None:
    """The document that these uploads of the person became, or None; `version_of`: that one, if
    they became a version of it. Recorded."""
    use = _Use(services, person, tuple(uploads), version_of)
    return await use.answer(Action.DEPOSIT if version_of is None else Action.LIST)


async def add_version_of_uploads(
    services: Services,
    person: Person,
    document_id: UUID,
    uploads: Sequence[UUID],
    *,
    if_match: UUID | None,
    dates: Callable[[], Mapping[str, Any]] | None = None,
) -> DocumentView:
    """Store a new version made of uploads of the person; `dates` as for a version of a form.
    Raises as `deposit_uploads`."""
    use = _Use(services, person, tuple(uploads), version_of=document_id)

    async def store() -> DocumentView:
        received = await _load(services, person, uploads)
        with _about_uploads():
            return await own_documents.add_version(
                services,
                person,
                document_id,
                received,
                if_match=if_match,
                in_commit=use.in_commit,
                dates=dates,
            )

    return await _once(use, Action.LIST, store, lambda view: view)


@dataclass(slots=True)
class _Use:
    """The uploads of one document, used once: whatever makes the document takes them away.
    `version_of`: the document of which they become a version; None for a document of their own."""

    services: Services
    person: Person
    uploads: tuple[UUID, ...]
    version_of: UUID | None = None
    blob_keys: list[str] = field(default_factory=list)

    async def in_commit(self, tx: Transaction, document_id: UUID) -> None:
        """Note, with the document, what these uploads became, and delete them.

        The same request, sent twice at once, comes here twice: the second one finds the document
        of the first, or raises `unknown_upload`, so that nothing is stored twice.
        """
        claimed = await self._claim(tx)
        if claimed.result_id is not None:
            if self.version_of is None and claimed.result_id == document_id:
                return
            raise invalid("unknown_upload", fields=[("uploads", 0)])
        for position, upload_id in enumerate(self.uploads):
            used = await fetch_one(tx, records.use_upload(self.person.id, upload_id))
            if used is None:
                raise invalid("unknown_upload", fields=[("uploads", position)])
            self.blob_keys += used.blob_keys or ()
        await idempotency.save(tx, claimed, document_id)

    async def answer(self, action: Action) -> DocumentView | None:
        """The document that these uploads became already, recorded, or None."""
        async with self.services.database.transaction() as tx:
            document_id = (await self._claim(tx)).result_id
            if document_id is None:
                return None
            row = await document_records.document(tx, self.person.id, document_id)
            if row is None:
                return None  # deleted since: the uploads are as unknown as the document
            view = await owner_view(self.services, self.person)(tx, row)
            attempt = AccessAttempt(
                action=action,
                actor=self.person.actor(),
                person=self.person.id,
                documents=(row.id,),
                details={"held": 1} if action is Action.DEPOSIT else {},
            )
            await record_allowed(self.services, tx, await instant(tx), attempt)
        return view

    @property
    def _route(self) -> str:
        if self.version_of is None:
            return f"document/{self.person.id}"
        return f"version/{self.version_of}"

    async def _claim(self, tx: Transaction) -> idempotency.Claim:
        """Under a key of our own: an answer may be lost to a caller who sent none."""
        ids = [str(one) for one in self.uploads]
        claimed = await idempotency.claim(
            self.services,
            tx,
            caller_id=self.person.id,
            route=f"uploads/{self._route}",
            key=sha256(" ".join(ids).encode()).hexdigest(),
            body=ids,
        )
        assert claimed is not None  # noqa: S101  (there is a key)
        return claimed


async def _once(
    use: _Use,
    action: Action,
    store: Callable[[], Awaitable[T]],
    repeat: Callable[[DocumentView], T],
) -> T:
    """Store a document, unless its uploads became one already; `action` records that it is shown
    again. Their blobs go after the commit: a crash before that leaves them to the sweep."""
    if (view := await use.answer(action)) is not None:
        return repeat(view)
    try:
        stored = await store()
    except ServiceError:
        # The same request at once may have used them while this one read.
        if (view := await use.answer(action)) is None:
            raise
        return repeat(view)
    await delete_blobs(use.services, use.blob_keys)
    return stored


@dataclass(slots=True)
class _Received:
    """Finished uploads, as the files of one deposit."""

    services: Services
    rows: Sequence[Row[Any]]
    said: Sequence[Mapping[str, str]] = field(repr=False)

    @property
    def metadata(self) -> Mapping[str, str]:
        """What the sender said of the first."""
        return self.said[0]

    @property
    def announced(self) -> int:
        """Their bytes."""
        return sum(row.received for row in self.rows)

    async def files(self) -> AsyncIterator["_ReceivedFile"]:
        """The files, in the order of the request."""
        for row, said in zip(self.rows, self.said, strict=True):
            yield _ReceivedFile(self.services, row, said.get("filename"))


class _ReceivedFile:
    """One finished upload, as an incoming file."""

    def __init__(self, services: Services, row: Row[Any], name: str | None) -> None:
        self.name = name
        self._services = services
        self._row = row

    async def slices(self) -> AsyncIterator[memoryview]:
        """Its bytes, opened piece by piece."""
        row = self._row
        async with self._services.database.transaction() as tx:
            pieces = await records.pieces_of(tx, row.person_id, row.id)
        async for part in read_pieces(self._services, row.person_id, pieces, row.received):
            yield part


async def _load(services: Services, person: Person, uploads: Sequence[UUID]) -> _Received:
    """The uploads, each finished and of a type that is taken."""
    async with services.database.transaction() as tx:
        found = [await records.upload(tx, person.id, upload_id) for upload_id in uploads]
    rows = [row for row in found if row is not None]
    if len(rows) < len(found):
        # Another person's, expired, or none: recorded, and the same answer (invariant 7).
        attempt = AccessAttempt(action=Action.DEPOSIT, actor=person.actor(), person=person.id)
        await record_refusal(services, attempt, Reason.NOT_FOUND)
        unknown = [("uploads", at) for at, row in enumerate(found) if row is None]
        raise invalid("unknown_upload", fields=unknown)
    macs = await services.field_encryption.row_macs()
    reader = await services.field_encryption.reader(person.id)
    said = []
    for position, row in enumerate(rows):
        macs.check(records.UPLOAD_ROW, row)
        if row.received < row.length:
            raise invalid("upload_unfinished", fields=[("uploads", position)])
        said.append(read_metadata(reader.open(UPLOAD, row.id, row.sealed)["metadata"]))
    return _Received(services, rows, said)


@contextmanager
def _about_uploads() -> Iterator[None]:
    """What is wrong with a file of the deposit is wrong with the upload of that position."""
    try:
        yield
    except ServiceError as failure:
        failure.fields = tuple(
            ("uploads", *name[1:]) if name[:1] == ("file",) else name for name in failure.fields
        )
        raise
