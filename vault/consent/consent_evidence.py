"""Evidence of consent: written with the grant's own change, in the same commit; read for its
receipt.

The grant's sealed row names the evidence of its yes, so that a row that was deleted is missed.
ADR: docs/adr/0055-evidence-of-consent.md.
"""

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from auth import profiles
from auth.levels import Level
from auth.protection import Assistance, assistance_of
from auth.records import recipients
from auth.services import CoreServices
from auth.subjects import Person, Worker
from base.errors import invalid
from base.key_names import CONSENT_EVIDENCE, PERSON_NAME
from storage.row_macs import RowAltered
from vault.consent.consent_acts import (
    LEVELS,
    Beside,
    ConsentAct,
    EvidenceKind,
    HeardBy,
    SignedPaper,
    checked,
    hash_of,
    names_alike,
    same_name,
    told_by_the_api,
)
from vault.consent.meeting_use import has_met
from vault.consent.records import consent_evidence as records
from vault.consent.records.consent_evidence import CONSENT_EVIDENCE_ROW


@dataclass(frozen=True, slots=True)
class NamedWorker:
    """A worker who was beside the person, or who prepared their paper, as they were called that
    day."""

    name: str = field(repr=False)
    organisation: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """One act, as a receipt shows it. `beside`: none of those written before it was kept.
    `prepared_by`: of a mandate, who is not beside by that. `assisted_by`: who assisted the person
    by a judge's decision, as they had noted it that day; `represented_by`: who acted in their
    place, as the judgement names them."""

    id: UUID
    change: str
    kind: str
    level: str | None
    channel: str
    languages: tuple[str, ...]
    template: str
    template_hash: bytes
    wording_hash: bytes
    at: datetime
    heard_by: HeardBy | None = field(default=None, repr=False)
    beside: NamedWorker | None = field(default=None, repr=False)
    paper: SignedPaper | None = None
    prepared_by: NamedWorker | None = field(default=None, repr=False)
    assisted_by: Assistance | None = field(default=None, repr=False)
    represented_by: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Change:
    """What an act changed: which grant, whose, how and when. `id`: of the evidence."""

    id: UUID
    grant_id: UUID
    person_id: UUID
    change: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Receiver:
    """Of which structure whoever receives is, and their name where one may not have heard it."""

    organisation_id: UUID
    name: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class CheckedAct:
    """An act that was checked, about to be written."""

    act: ConsentAct
    level: Level
    columns: dict[str, Any] = field(repr=False)
    heard_by: HeardBy | None = field(default=None, repr=False)
    beside: NamedWorker | None = field(default=None, repr=False)
    prepared_by: NamedWorker | None = field(default=None, repr=False)
    assisted_by: Assistance | None = field(default=None, repr=False)
    represented_by: str | None = field(default=None, repr=False)


async def check_act(
    services: CoreServices,
    tx: AsyncConnection,
    person: Person,
    act: ConsentAct | None,
    receiver: Receiver,
) -> CheckedAct:
    """What may be written of an act; of None, the person's own by the API. In an assisted session
    the worker is beside, whatever is said; of a mandate, the worker is who prepared it. Raises
    `ServiceError`: those of `consent_acts.checked`, `evidence_worker`, `heard_by_worker` for the
    name of the worker beside them, or of who receives."""
    checked_act = await _check(services, tx, person, act, receiver)
    by = person.represented_by
    return replace(
        checked_act,
        assisted_by=await assistance_of(services, tx, person),
        represented_by=None if by is None else by.name,
    )


async def _check(
    services: CoreServices,
    tx: AsyncConnection,
    person: Person,
    act: ConsentAct | None,
    receiver: Receiver,
) -> CheckedAct:
    act = act or ConsentAct(told_by_the_api(person.language))
    level = person.means
    told = _beside(person, act)
    if told is None:
        return CheckedAct(act, level, {"kind": EvidenceKind.APP})
    beside = checked(told, level)
    worker = await _worker(services, tx, person, beside.worker_id, receiver)
    columns: dict[str, Any] = {"kind": beside.kind, "worker_id": worker.id}
    if beside.heard_by is not None:
        if names_alike(receiver.name, beside.heard_by.name):
            raise invalid("heard_by_worker", fields=(("evidence", "heard_by", "name"),))
        columns |= await _heard(services, person.id, worker, beside.heard_by)
    if beside.paper is not None:
        columns["mandate_id"] = beside.paper.mandate_id
        there = await _there(services, tx, person, worker)
        return CheckedAct(act, level, columns, None, there, _named(worker))
    return CheckedAct(act, level, columns, beside.heard_by, _named(worker))


async def add(
    services: CoreServices,
    tx: AsyncConnection,
    act: CheckedAct,
    change: Change,
    wording: dict[str, Any],
) -> None:
    """Write it, in the transaction of the change. `wording`: the terms as they were told."""
    shown = act.act.shown
    writer = await services.field_encryption.writer(change.person_id, tx)
    heard = act.heard_by and {"role": act.heard_by.role, "name": act.heard_by.name}
    sealed: dict[str, Any] = {
        "wording": wording,
        "languages": list(shown.languages),
        "heard_by": heard,
    }
    for name in ("beside", "prepared_by", "assisted_by"):
        named: NamedWorker | Assistance | None = getattr(act, name)
        if named is not None:
            sealed[name] = asdict(named)
    if act.represented_by is not None:
        sealed["represented_by"] = {"name": act.represented_by}
    paper = None if act.act.beside is None else act.act.beside.paper
    if paper is not None:
        sealed["scan_sha256"] = paper.scan_hash.hex()
    values: dict[str, Any] = {
        **dict.fromkeys(("worker_id", "worker_tag", "heard_by", "heard_by_tag", "mandate_id")),
        **act.columns,
        **asdict(change),
        "level": act.level,
        "channel": shown.channel,
        "language": shown.languages[0],
        "template": shown.template,
        "template_hash": shown.template_hash,
        "wording_hash": shown.wording_hash or hash_of(wording),
        "sealed": writer.seal(CONSENT_EVIDENCE, change.id, sealed),
    }
    macs = await services.field_encryption.row_macs()
    await records.add_evidence(tx, macs.add(CONSENT_EVIDENCE_ROW, values))


async def evidence_of(
    services: CoreServices,
    tx: AsyncConnection,
    *,
    grant_id: UUID,
    person_id: UUID,
    named: UUID | None,
) -> list[EvidenceView]:
    """The acts of a grant, in order; none of grants of before. `named`: the one that the grant's
    sealed row names. The caller MUST have checked that the grant may be seen. Raises `RowAltered`
    for a row that we did not write, that is of another grant, or that is missing."""
    macs = await services.field_encryption.row_macs()
    rows = await records.evidence_of(tx, grant_id)
    for row in rows:
        macs.check(CONSENT_EVIDENCE_ROW, row)
        if row.person_id != person_id:
            raise RowAltered(CONSENT_EVIDENCE_ROW.table)
    if named is not None and named not in {row.id for row in rows}:
        raise RowAltered(CONSENT_EVIDENCE_ROW.table)
    if not rows:
        return []
    reader = await services.field_encryption.reader(person_id, tx)
    return [_view(row, reader.open(CONSENT_EVIDENCE, row.id, row.sealed)) for row in rows]


def _view(row: Row[Any], values: dict[str, Any]) -> EvidenceView:
    heard = values["heard_by"]
    return EvidenceView(
        id=row.id,
        change=row.change,
        kind=row.kind,
        level=row.level,
        channel=row.channel,
        languages=tuple(values["languages"]),
        template=row.template,
        template_hash=row.template_hash,
        wording_hash=row.wording_hash,
        at=row.at,
        heard_by=None if heard is None else HeardBy(heard["role"], heard["name"]),
        beside=_worker_in(values.get("beside")),
        paper=_paper(row, values),
        prepared_by=_worker_in(values.get("prepared_by")),
        assisted_by=Assistance(**values["assisted_by"]) if "assisted_by" in values else None,
        represented_by=values.get("represented_by", {}).get("name"),
    )


def _beside(person: Person, act: ConsentAct) -> Beside | None:
    """Who was beside: an assisted session says it by itself, and a caller cannot name another. A
    mandate names who prepared it, whoever is beside."""
    here, told = person.beside, act.beside
    if here is None or (told is not None and told.kind is EvidenceKind.SIGNED_MANDATE):
        return told
    if told is None:
        kind = {level: kind for kind, level in LEVELS.items()}[person.means]
        return Beside(kind, here.id)
    if told.worker_id != here.id:
        raise invalid("evidence_worker", fields=(("evidence", "worker_id"),))
    return told


async def _there(
    services: CoreServices, tx: AsyncConnection, person: Person, worker: Worker
) -> NamedWorker | None:
    """Who was beside whoever signs for a mandate, if anybody: whom the session names, or who
    prepared it where they met just now."""
    if person.beside is not None:
        return _named(person.beside)
    return _named(worker) if await has_met(services, tx, person.id, worker.id) else None


def _named(worker: Worker) -> NamedWorker:
    return NamedWorker(worker.name, worker.organisation)


def _worker_in(values: dict[str, str] | None) -> NamedWorker | None:
    return None if values is None else NamedWorker(values["name"], values["organisation"])


def _paper(row: Row[Any], values: dict[str, Any]) -> SignedPaper | None:
    if row.mandate_id is None:
        return None
    return SignedPaper(row.mandate_id, bytes.fromhex(values["scan_sha256"]))


async def _worker(
    services: CoreServices,
    tx: AsyncConnection,
    person: Person,
    worker_id: UUID,
    receiver: Receiver,
) -> Worker:
    """Who was beside them: as the session itself says, of the structure that receives, or met face
    to face just now. Of every other one the same is said, so that nobody learns which ids are
    there."""
    macs = await services.field_encryption.row_macs()
    here = person.beside is not None and person.beside.id == worker_id
    met = here or await has_met(services, tx, person.id, worker_id)
    row = await recipients.worker(tx, macs, worker_id)
    if row is None or not (met or row.organisation_id == receiver.organisation_id):
        raise invalid("evidence_worker", fields=(("evidence", "worker_id"),))
    return await profiles.worker(
        services, row.id, row.organisation_id, row.sealed, row.organisation_sealed
    )


async def _heard(
    services: CoreServices, person_id: UUID, worker: Worker, heard_by: HeardBy
) -> dict[str, Any]:
    """The columns that say who heard it; of another vault, the same names have other tags. Raises
    `heard_by_worker`."""
    tags = [
        await services.field_encryption.tag(PERSON_NAME, person_id.bytes, same_name(name))
        for name in (worker.name, heard_by.name)
    ]
    if tags[0] == tags[1] or names_alike(worker.name, heard_by.name):
        raise invalid("heard_by_worker", fields=(("evidence", "heard_by", "name"),))
    return {"heard_by": heard_by.role, "worker_tag": tags[0], "heard_by_tag": tags[1]}
