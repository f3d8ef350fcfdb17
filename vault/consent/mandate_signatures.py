"""What a signed mandate leads to: its person's own yes to what they ticked, by their own means.

The paper alone gives nothing: whoever holds a pen can sign it. In one commit, in the person's own
session: the mandate with its scan, a grant for each authorisation chosen, the evidence of each. A
grant lasts as long as it was asked for, and three months at most unless its person is seen again.
ADR: docs/adr/0060-signed-mandates.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth.living_vaults import hold_living_vault
from auth.services import CoreServices
from auth.subjects import Person
from base.clock import rfc3339
from base.errors import ErrorKind, ServiceError
from base.ids import new_id
from base.key_names import CONTENT, GRANT, MANDATE
from vault import decisions, durations, idempotency
from vault.consent import consent_evidence
from vault.consent.answers import approve_within
from vault.consent.consent_acts import Beside, ConsentAct, EvidenceKind, Shown, SignedPaper
from vault.consent.consent_evidence import Change, Receiver
from vault.consent.grants import GrantView, view_of
from vault.consent.grants import attempt_on as attempt_on_grant
from vault.consent.mandate_codes import made_here
from vault.consent.mandate_papers import MandatePaper, asleep_from, check_scan
from vault.consent.mandates import chosen_of, see_mandate
from vault.consent.records import grants as grant_records
from vault.consent.records import mandates as records
from vault.consent.records.mandates import MANDATE_ROW
from vault.consent.terms import Approval, Terms
from vault.decisions import AccessAttempt, Denial
from vault.rules import Reason, state_of
from vault.tables import GRANT_ROW

_A_DAY = timedelta(days=1)
"""What is gained by saying again that it goes on; less is not written, so that nobody fills the log
by it."""


@dataclass(frozen=True, slots=True)
class ReadScan:
    """A paper of the person's, as it was read: its QR codes, and the SHA-256 of its bytes."""

    document_id: UUID
    hash: bytes
    codes: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignedMandate:
    """A mandate that was signed. `asleep_from`: when what it gave ends, unless its person says that
    it goes on; None where nothing can last longer than it does. `grants`: in the order of the page,
    as they are now."""

    id: UUID
    language: str
    template: str
    template_hash: bytes
    scan_id: UUID
    signed_at: datetime
    asleep_from: datetime | None
    grants: tuple[GrantView, ...]


class _NotSigned(Exception):
    """One of the authorisations is refused: then none is given."""

    def __init__(self, denial: Denial) -> None:
        super().__init__(denial.reason)
        self.denial = denial


async def sign(
    services: CoreServices,
    person: Person,
    mandate_id: UUID,
    chosen: Sequence[UUID],
    scan: ReadScan,
    *,
    idempotency_key: str | None = None,
    seen: bytes | None = None,
) -> SignedMandate:
    """Say yes to the authorisations that were ticked on a mandate, whose signed scan was read.
    `seen`: the digest of what a page said of them, which was compared.

    Raises `ServiceError`: `not_found`, `mandate_choice`, `mandate_scan_unread`,
    `mandate_scan_other`, `mandate_scan_incomplete`, `mandate_signed`, and those of
    `answers.approve`.
    """
    # 1. The mandate is this person's, and what was ticked stands on it.
    mandate = await see_mandate(services, person, mandate_id)
    wanted = chosen_of(mandate, chosen)
    # 2. The scan is of this mandate, every page of it.
    check_scan(mandate_id, await made_here(services, scan.codes))
    act = _act(mandate.paper, wanted[0].requester_id, scan, seen)
    # 3. One commit: a crash before it, or a refusal of one, leaves nothing.
    try:
        async with services.database.transaction() as tx:
            await hold_living_vault(tx, person.id)
            claimed = await idempotency.claim(
                services, tx, caller_id=person.id, route=f"mandate/{mandate_id}",
                key=idempotency_key, body=[sorted(map(str, chosen)), scan.hash.hex()],
            )  # fmt: skip
            if claimed is None or claimed.result_id is None:
                ids = [one.id for one in wanted]
                await _sign(services, tx, person, mandate.paper, ids, scan, act)
                await idempotency.save(tx, claimed, mandate_id)
            return await _view(services, tx, await _own_row(services, tx, person, mandate_id))
    except _NotSigned as refused:
        raise await decisions.record_denial(services, refused.denial) from None


def _act(paper: MandatePaper, worker_id: UUID, scan: ReadScan, seen: bytes | None) -> ConsentAct:
    languages = tuple(dict.fromkeys((paper.language, "fr")))
    shown = Shown("paper", paper.template, paper.template_hash, languages, seen)
    signed = SignedPaper(paper.id, scan.hash)
    return ConsentAct(shown, Beside(EvidenceKind.SIGNED_MANDATE, worker_id, paper=signed))


async def _sign(
    services: CoreServices,
    tx: AsyncConnection,
    person: Person,
    paper: MandatePaper,
    chosen: Sequence[UUID],
    scan: ReadScan,
    act: ConsentAct,
) -> None:
    before = await records.mandate(tx, paper.id)
    macs = await services.field_encryption.row_macs()
    if before is not None:
        macs.check(MANDATE_ROW, before)
        raise ServiceError(ErrorKind.CONFLICT, "mandate_signed")
    given: list[tuple[UUID, UUID]] = []
    moment: datetime | None = None
    for request_id in chosen:
        grant = await approve_within(
            services, tx, person, request_id, Approval(), act, mandate=paper.id
        )
        if isinstance(grant, Denial):
            raise _NotSigned(grant)
        given.append((request_id, grant.id))
        moment = moment or grant.given_at
    assert moment is not None and act.beside is not None  # noqa: S101  (something was chosen)
    writer = await services.field_encryption.writer(person.id, tx)
    digest = writer.hasher(CONTENT)
    digest.update(scan.hash)
    sealed = {
        "given": [[str(request), str(grant)] for request, grant in given],
        "scan": {"document": str(scan.document_id), "sha256": scan.hash.hex()},
    }
    values: dict[str, Any] = {
        "id": paper.id,
        "person_id": person.id,
        "worker_id": act.beside.worker_id,
        "language": paper.language,
        "template": paper.template,
        "template_hash": paper.template_hash,
        "scan_tag": digest.digest(),
        "signed_at": moment,
        "seen_at": moment,
        "sealed": writer.seal(MANDATE, paper.id, sealed),
    }
    await records.add_mandate(tx, macs.add(MANDATE_ROW, values))


async def see_signed(services: CoreServices, person: Person, mandate_id: UUID) -> SignedMandate:
    """A mandate that its person signed. Raises `ServiceError` `not_found`."""
    try:
        async with services.database.transaction() as tx:
            return await _view(services, tx, await _own_row(services, tx, person, mandate_id))
    except _NotSigned as refused:
        raise await decisions.record_denial(services, refused.denial) from None


async def go_on(
    services: CoreServices, person: Person, mandate_id: UUID, act: ConsentAct | None = None
) -> SignedMandate:
    """The person is seen again, and wants it to go on: what still lasts of the mandate lasts three
    months more, never beyond what was signed for. Each that is made longer is an act of theirs,
    with its evidence, and a line in the log.

    Less than a day after the last time nothing is written. Raises `ServiceError`: `not_found`,
    `mandate_over` when nothing of it lasts any more, `mandate_no_longer` when what lasts ends as it
    was signed for.
    """
    try:
        async with services.database.transaction() as tx:
            await hold_living_vault(tx, person.id)
            row = await _own_row(services, tx, person, mandate_id, Action.GO_ON)
            if await _lengthen(services, tx, person, row, act):
                macs = await services.field_encryption.row_macs()
                await records.note_seen(tx, macs, row, max(row.at, row.seen_at))
            return await _view(services, tx, await _own_row(services, tx, person, mandate_id))
    except _NotSigned as refused:
        raise await decisions.record_denial(services, refused.denial) from None


async def _lengthen(
    services: CoreServices,
    tx: AsyncConnection,
    person: Person,
    row: Row[Any],
    act: ConsentAct | None,
) -> bool:
    """Make what lasts go on; whether anything lasts longer than before. What ended, by its person
    or by its time, stays ended. Raises `mandate_over`, `mandate_no_longer`, and those of
    `consent_evidence.check_act`."""
    lasting = await _lasting(services, tx, row)
    if not lasting:
        raise ServiceError(ErrorKind.CONFLICT, "mandate_over")
    may_last_longer = [one for one in lasting if one.grant.ends_at < one.signed_for]
    if not may_last_longer:
        raise ServiceError(ErrorKind.CONFLICT, "mandate_no_longer")
    lengthened = False
    for one in may_last_longer:
        ends_at = min(one.signed_for, asleep_from(one.grant.at))
        if ends_at == one.signed_for or ends_at - one.grant.ends_at >= _A_DAY:
            await _let_go_on(services, tx, person, one, ends_at, (row.id, act))
            lengthened = True
    return lengthened


@dataclass(frozen=True, slots=True)
class _Lasting:
    """A grant of a mandate that lasts, locked, its MAC checked; until when it was signed for."""

    grant: Row[Any]
    terms: Terms
    receiver: str = field(repr=False)
    signed_for: datetime


async def _lasting(services: CoreServices, tx: AsyncConnection, row: Row[Any]) -> list[_Lasting]:
    macs = await services.field_encryption.row_macs()
    reader = await services.field_encryption.reader(row.person_id, tx)
    found: list[_Lasting] = []
    # In the order in which whoever locks several does it (`grants.living_ids`).
    for grant_id in sorted(_grants_in(reader.open(MANDATE, row.id, row.sealed))):
        grant = await grant_records.grant_to_change(tx, grant_id)
        if grant is None:
            continue
        macs.check(GRANT_ROW, grant)
        if state_of(grant.revoked_at, grant.ends_at, grant.at) != "live":
            continue
        values = reader.open(GRANT, grant.id, grant.sealed)
        terms = Terms.read(values)
        signed_for = durations.grant_end(grant.given_at, terms.duration)
        found.append(_Lasting(grant, terms, values["recipient"]["name"], signed_for))
    return found


async def _let_go_on(
    services: CoreServices,
    tx: AsyncConnection,
    person: Person,
    lasting: _Lasting,
    ends_at: datetime,
    how: tuple[UUID, ConsentAct | None],
) -> None:
    """The grant, its evidence and its line, in the transaction of the caller. `how`: the mandate,
    and the act."""
    grant, (mandate_id, act) = lasting.grant, how
    macs = await services.field_encryption.row_macs()
    await grant_records.change_grant(tx, macs, grant, ends_at=ends_at)
    to = Receiver(grant.organisation_id, lasting.receiver)
    checked = await consent_evidence.check_act(services, tx, person, act, to)
    change = Change(new_id(), grant.id, person.id, "went_on", grant.at)
    wording = {"went_on": str(grant.id), "ends_at": rfc3339(ends_at)}
    await consent_evidence.add(services, tx, checked, change, wording)
    attempt = replace(
        attempt_on_grant(grant, person, Action.GO_ON),
        purpose_code=lasting.terms.purpose_code,
        purpose=lasting.terms.purpose,
        details={"mandate": str(mandate_id)},
    )
    await decisions.record_allowed(services, tx, grant.at, attempt)


async def _own_row(
    services: CoreServices,
    tx: AsyncConnection,
    person: Person,
    mandate_id: UUID,
    action: Action = Action.GRANT_SEEN,
) -> Row[Any]:
    """The row of a mandate that this person signed. `action`: what is refused of another one.
    Raises `_NotSigned`, `RowAltered`."""
    row = await records.mandate(tx, mandate_id)
    if row is None or row.person_id != person.id:
        owner = None if row is None else row.person_id
        actor = decisions.shown_to(owner, person)
        attempt = AccessAttempt(action=action, actor=actor, person=owner)
        reason = Reason.NOT_FOUND if row is None else Reason.NOT_OWNER
        raise _NotSigned(Denial(attempt, reason))
    (await services.field_encryption.row_macs()).check(MANDATE_ROW, row)
    return row


async def _view(services: CoreServices, tx: AsyncConnection, row: Row[Any]) -> SignedMandate:
    reader = await services.field_encryption.reader(row.person_id, tx)
    values = reader.open(MANDATE, row.id, row.sealed)
    grants = [await view_of(services, tx, grant) for grant in _grants_in(values)]
    ends = [grant.ends_at for grant in grants if _may_last_longer(grant)]
    return SignedMandate(
        id=row.id,
        language=row.language,
        template=row.template,
        template_hash=row.template_hash,
        scan_id=UUID(values["scan"]["document"]),
        signed_at=row.signed_at,
        asleep_from=min(ends, default=None),
        grants=tuple(grants),
    )


def _may_last_longer(grant: GrantView) -> bool:
    """Whether it lasts, and less long than was signed for."""
    signed_for = durations.grant_end(grant.given_at, grant.terms.duration)
    return grant.state == "live" and grant.ends_at < signed_for


def _grants_in(values: dict[str, Any]) -> list[UUID]:
    return [UUID(grant) for _request, grant in values["given"]]
