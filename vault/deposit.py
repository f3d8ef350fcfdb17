"""Deposit: a paper comes in, is sealed as it arrives, decoded apart, and kept with its rendition.

The way of the data: incoming slices → `receiving.take` → `storage.content.sealing` → the store;
then the sealed originals are read back slice by slice into the decoder, and its rendition is
sealed in turn. Rows, jobs and the event are one commit at the end. Plaintext touches no disk.
"""

import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action, Actor, Event, Outcome
from auth.records import people
from base.database import now
from base.errors import Failure, Kind, invalid, not_found
from base.ids import new_id
from storage import content
from storage.blobs import BlobKey
from storage.content import Address, SealedContent
from storage.fields import Sealer
from vault import expiries, idempotency, jobs
from vault.catalogue.types import by_code
from vault.decoding.media import Inspection
from vault.house import House
from vault.papers import DOCUMENT, VERSION, Facts, Paper, facts_key, facts_values, open_paper
from vault.receiving import Allowance, Incoming, Taken, take
from vault.records import documents as records

MOST_DOCUMENTS = 2000

Judge = Callable[[AsyncConnection], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Depositor:
    """Who deposits, as the log and the document's row will say. `grant` is None for the owner."""

    actor: Actor
    grant: UUID | None = None
    purpose_code: str = ""
    purpose: str = field(default="", repr=False)

    def words(self) -> dict[str, str]:
        """What the document's row keeps of them, sealed."""
        actor = self.actor
        return {
            "kind": actor.kind.value,
            "name": actor.name,
            "job": actor.job,
            "organisation": actor.organisation,
        }


@dataclass(frozen=True, slots=True)
class Deposited:
    """The document kept, and whether it was there already."""

    paper: Paper
    already_held: bool


@dataclass(slots=True)
class _Originals:
    """The sealed originals of one paper, and the keyed hash of their bytes."""

    digest: "hmac.HMAC" = field(repr=False)
    files: list[SealedContent] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)

    @property
    def tag(self) -> bytes:
        """The keyed hash of all their bytes, in order: 32 bytes."""
        return self.digest.digest()


@dataclass(frozen=True, slots=True)
class _Made:
    """Everything that is durable in the store and waits for its rows."""

    originals: _Originals
    inspection: Inspection
    rendition: SealedContent | None


async def deposit(
    house: House,
    owner_id: UUID,
    depositor: Depositor,
    incoming: Incoming,
    facts: Callable[[], Facts],
    *,
    judge: Judge | None = None,
    idempotency_key: str | None = None,
) -> Deposited:
    """Keep a new document in a vault.

    `facts` is called once the files are read, since a form's fields may follow its files. `judge`
    judges a recipient's right again in the transaction that commits (invariant 3). The owner who
    deposits the same bytes again is answered with the document already held.
    """
    async with _loose(house) as loose:
        originals = await _receive(house, owner_id, incoming, loose)
        said = checked(facts())
        if depositor.grant is None:
            held = await _held(house, owner_id, depositor, originals.tag)
            if held is not None:
                return Deposited(held, already_held=True)
        made = await _make(house, owner_id, originals, loose)
        return await _keep(
            house, owner_id, depositor, said, made, loose, judge, idempotency_key=idempotency_key
        )


async def new_version(
    house: House,
    owner_id: UUID,
    depositor: Depositor,
    document_id: UUID,
    incoming: Incoming,
    *,
    may_change: Callable[[Row[Any] | None], None],
) -> Paper:
    """Keep a new version of a document. `may_change` raises unless the row may be changed."""
    async with _loose(house) as loose:
        originals = await _receive(house, owner_id, incoming, loose)
        made = await _make(house, owner_id, originals, loose)
        async with house.database.transaction() as tx:
            await records.lock_vault(tx, owner_id)
            may_change(await records.document(tx, owner_id, document_id))
            sealer = await house.fields.of(owner_id, tx)
            number = await records.next_number(tx, owner_id, document_id)
            version_id = new_id()
            await _add_version(house, tx, sealer, owner_id, document_id, version_id, number, made)
            await records.change_document(
                tx, owner_id, document_id, version_id=version_id, revision=new_id()
            )
            await _record(house, tx, owner_id, depositor, Action.NEW_VERSION, document_id)
            row = await records.document(tx, owner_id, document_id)
            assert row is not None  # noqa: S101  (changed in this transaction)
            paper = open_paper(sealer, row)
            loose.claim()
        return paper


def checked(facts: Facts) -> Facts:
    """Refuse a type that the catalogue does not have, and dates that contradict each other."""
    if by_code(facts.type) is None:
        raise invalid("unknown_document_type")
    if facts.issued_on and facts.expires_on and facts.expires_on < facts.issued_on:
        raise invalid("expires_before_issued")
    return facts


class _Loose:
    """Blobs that are durable and that no row refers to yet."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def claim(self) -> None:
        """Their rows are about to commit: from here on only the sweep may remove them, since a
        commit whose answer was lost may have happened."""
        self.keys.clear()


@asynccontextmanager
async def _loose(house: House) -> AsyncIterator[_Loose]:
    """Remove at the end what was not claimed. What a crash leaves here, the sweep removes."""
    loose = _Loose()
    try:
        yield loose
    finally:
        for key in loose.keys:
            with suppress(Failure):
                await house.storage.blobs.delete(BlobKey(key))


async def _receive(house: House, owner_id: UUID, incoming: Incoming, loose: _Loose) -> _Originals:
    """Seal the originals as they arrive."""
    originals = _Originals((await house.fields.of(owner_id)).hasher("content"))
    allowance = Allowance(house.settings.max_document_bytes)
    async for one in incoming.files():
        if len(originals.files) >= house.settings.max_parts:
            raise invalid("too_many_files", limit=house.settings.max_parts)
        async with content.sealing(
            house.storage.blobs, house.storage.keys, owner_id, "original"
        ) as sealing:
            originals.taken.append(await take(one, sealing, allowance, originals.digest))
            sealed = await sealing.commit()
        loose.keys.append(sealed.blob_key)
        originals.files.append(sealed)
    if not originals.files:
        raise invalid("file_missing")
    return originals


async def _make(house: House, owner_id: UUID, originals: _Originals, loose: _Loose) -> _Made:
    """Decode the originals apart, and seal the rendition that recipients will get."""
    sources = [await _source(house, owner_id, one) for one in originals.files]
    async with await house.decoder.inspect(sources) as decoded:
        if decoded.inspection.rendition == "same":
            return _Made(originals, decoded.inspection, None)
        async with content.sealing(
            house.storage.blobs, house.storage.keys, owner_id, "rendition"
        ) as sealing:
            async for piece in decoded.rendition():
                await sealing.write(piece)
            rendition = await sealing.commit()
        loose.keys.append(rendition.blob_key)
        return _Made(originals, decoded.inspection, rendition)


async def _source(
    house: House, owner_id: UUID, one: SealedContent
) -> Callable[[], AsyncIterator[memoryview]]:
    address = Address(one.id, one.role, one.blob_key, one.envelope)
    opened = await content.opening(house.storage.blobs, house.storage.keys, owner_id, address)
    return opened.slices


async def _held(house: House, owner_id: UUID, depositor: Depositor, tag: bytes) -> Paper | None:
    """The document that already has these bytes; answering with it is recorded."""
    async with house.database.transaction() as tx:
        held = await records.held_already(tx, owner_id, tag)
        row = None if held is None else await records.document(tx, owner_id, held)
        if row is None:
            return None
        await _record(house, tx, owner_id, depositor, Action.DEPOSIT, row.id, held=1)
        return open_paper(await house.fields.of(owner_id, tx), row)


async def _keep(
    house: House,
    owner_id: UUID,
    depositor: Depositor,
    facts: Facts,
    made: _Made,
    loose: _Loose,
    judge: Judge | None,
    *,
    idempotency_key: str | None,
) -> Deposited:
    """Rows, jobs and event in one commit: the 201 is durable, or nothing happened."""
    document_id, version_id = new_id(), new_id()
    async with house.database.transaction() as tx:
        await records.lock_vault(tx, owner_id)
        if await people.person(tx, owner_id) is None:
            # Erased while the file was on its way.
            raise not_found()
        if judge is not None:
            await judge(tx)
        else:
            held = await records.held_already(tx, owner_id, made.originals.tag)
            row = None if held is None else await records.document(tx, owner_id, held)
            if row is not None:
                await _record(house, tx, owner_id, depositor, Action.DEPOSIT, row.id, held=1)
                paper = open_paper(await house.fields.of(owner_id, tx), row)
                return Deposited(paper, already_held=True)
        claimed = await idempotency.claim(
            house,
            tx,
            caller_id=depositor.actor.id or owner_id,
            route=f"deposit/{owner_id}/{depositor.grant}",
            key=idempotency_key,
            body=made.originals.tag + facts_key(facts),
        )
        if claimed is not None and claimed.result_id is not None:
            return await _again(house, tx, owner_id, depositor, facts, claimed.result_id)
        if await records.count_documents(tx, owner_id) >= MOST_DOCUMENTS:
            raise Failure(Kind.CONFLICT, "too_many_documents", limit=MOST_DOCUMENTS)
        sealer = await house.fields.of(owner_id, tx)
        type_tag = await house.fields.tag("document-type", owner_id.bytes, facts.type)
        await records.add_document(
            tx,
            id=document_id,
            person_id=owner_id,
            version_id=version_id,
            type_tag=type_tag,
            deposited_by_kind=depositor.actor.kind.value,
            deposited_by_id=depositor.actor.id,
            revision=new_id(),
            notice_at=expiries.notice_at(facts),
            sealed=sealer.seal(DOCUMENT, document_id, facts_values(facts, depositor.words())),
        )
        await _add_version(house, tx, sealer, owner_id, document_id, version_id, 1, made)
        await _record(house, tx, owner_id, depositor, Action.DEPOSIT, document_id)
        await idempotency.keep(tx, claimed, document_id)
        row = await records.document(tx, owner_id, document_id)
        assert row is not None  # noqa: S101  (added in this transaction)
        paper = open_paper(sealer, row)
        loose.claim()
    return Deposited(paper, already_held=False)


async def _again(
    house: House,
    tx: AsyncConnection,
    owner_id: UUID,
    depositor: Depositor,
    facts: Facts,
    document_id: UUID,
) -> Deposited:
    """The answer already given to this key; none once the document is gone.

    A recipient is told what they said and gave, and nothing of what the owner made of it since: a
    correction, a newer version, a deletion (invariant 7).
    """
    theirs = depositor.grant is not None
    find = records.first_version if theirs else records.document
    row = await find(tx, owner_id, document_id)
    if row is None:
        raise not_found()
    await _record(house, tx, owner_id, depositor, Action.DEPOSIT, row.id, held=1)
    paper = open_paper(await house.fields.of(owner_id, tx), row)
    if theirs:
        paper = replace(
            paper, facts=facts, deposited_by=depositor.words(), altered=False, deleted_at=None
        )
    return Deposited(paper, already_held=False)


async def _add_version(
    house: House,
    tx: AsyncConnection,
    sealer: Sealer,
    owner_id: UUID,
    document_id: UUID,
    version_id: UUID,
    number: int,
    made: _Made,
) -> None:
    scanned = house.settings.clamd_address is not None
    await records.add_version(
        tx,
        id=version_id,
        document_id=document_id,
        person_id=owner_id,
        number=number,
        content_tag=made.originals.tag,
        scan="waiting" if scanned else "not_scanned",
        sealed=sealer.seal(VERSION, version_id, _file_values(made)),
    )
    files = [*made.originals.files, *([made.rendition] if made.rendition else [])]
    await records.add_files(
        tx,
        [
            {
                "id": one.id,
                "version_id": version_id,
                "person_id": owner_id,
                "role": one.role,
                "position": position if one.role == "original" else 0,
                "blob_key": one.blob_key,
                "envelope": one.envelope,
            }
            for position, one in enumerate(files)
        ],
    )
    await jobs.defer_preview(tx, owner_id, version_id)
    if scanned:
        await jobs.defer_scan(tx, owner_id, version_id)


def _file_values(made: _Made) -> dict[str, Any]:
    """What a version's row keeps, sealed: of the originals, and of what recipients get."""
    inspection, originals = made.inspection, made.originals
    rendition = made.rendition
    own_type = inspection.media_type.value
    return {
        "parts": [
            {
                "media_type": taken.media_type.value,
                "file_name": taken.file_name,
                "size": one.length,
            }
            for taken, one in zip(originals.taken, originals.files, strict=True)
        ],
        "pages": inspection.pages,
        "notes": [note.value for note in inspection.notes],
        "media_type": own_type,
        "size": sum(one.length for one in originals.files),
        "rendition_media_type": own_type if rendition is None else str(inspection.rendition),
        "rendition_size": originals.files[0].length if rendition is None else rendition.length,
    }


async def _record(
    house: House,
    tx: AsyncConnection,
    owner_id: UUID,
    depositor: Depositor,
    action: Action,
    document_id: UUID,
    **details: int,
) -> None:
    at: datetime = (await tx.execute(select(now()))).scalar_one()
    await house.ledger.record(
        tx,
        Event(
            id=new_id(),
            at=at,
            action=action,
            outcome=Outcome.ALLOWED,
            actor=depositor.actor,
            person=owner_id,
            grant=depositor.grant,
            documents=(document_id,),
            purpose_code=depositor.purpose_code,
            purpose=depositor.purpose,
            details=dict(details),
        ),
    )
