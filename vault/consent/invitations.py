"""An invitation: somebody enters their own vault on a worker's device by a yes on their own phone.

The worker shows six digits, the person types them where they are signed in, sees who the worker is
and one same word, and says yes. Then the worker's device, and the session that it was opened from
alone, gets the assisted session (`auth/assisted_sessions.py`). It is a row of meetings, with their
codes and limits; what it leads to is neither a request nor a grant. See
docs/adr/0059-assisted-sessions.md.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import assistance, assisted_sessions, holder_proofs, sessions
from auth.holder_proofs import NO_PROOF, Proof, ShownProof
from auth.living_vaults import hold_living_vault
from auth.services import CoreServices
from auth.session_start import NewSession
from auth.subjects import Person, Worker, snapshot
from auth.visitor import UNKNOWN, Visitor
from base.db_time import instant
from base.errors import ServiceError
from base.ids import new_id
from base.key_names import MEETING
from base.locks import hold_vault
from vault import decisions
from vault.consent import meeting_codes, meetings
from vault.consent.invitation_rules import (
    InvitationFacts,
    InvitationState,
    may_answer_invitation,
    may_enter,
    may_say_yes,
    may_see_invitation,
    state_of_invitation,
)
from vault.consent.meeting_codes import Party, told, values_of
from vault.consent.meeting_rules import ENTERS, is_invitation
from vault.consent.meeting_use import attempt_on, facts_of
from vault.consent.meeting_words import word_of
from vault.consent.meetings import MeetingView, OtherSide
from vault.consent.records import meetings as records
from vault.consent.records.meetings import MEETING_ROW
from vault.decisions import AccessAttempt, Denial
from vault.rules import Allowed, Judgement, Reason, Refused

_SAID_IN = "said_in"
"""In the sealed part: in which session the person said yes."""
_MARK: dict[str, str | int] = {ENTERS: 1}
"""What the log says of its lines: they are of no meeting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationView:
    """An invitation as one side sees it. `worker`: to the person, who they let beside. `word`: the
    same for both, once the code was typed, until it is over. `code`: for the worker, while it
    serves. `ends_at`: until when what comes next may be done; once inside, its latest end. `used`:
    somebody was let in by it."""

    id: UUID
    state: InvitationState
    ends_at: datetime
    used: bool
    worker: OtherSide | None = field(default=None, repr=False)
    word: str | None = field(default=None, repr=False)
    code: str | None = field(default=None, repr=False)


def confirming_path(invitation: InvitationView) -> str | None:
    """The page on which the person types the code, which stands in the fragment; None once it
    serves no more."""
    return None if invitation.code is None else f"/meetings/code#{invitation.code}"


async def invite(services: CoreServices, worker: Worker) -> InvitationView:
    """Open an invitation: six digits for five minutes. The worker's code of before, of a meeting
    too, serves no more. Raises `ServiceError` `too_many_requests`."""
    attempt = AccessAttempt(action=Action.MEETING_OPENED, actor=worker.actor(), details={**_MARK})
    await meeting_codes.pace(services, worker, attempt)

    async def act(tx: AsyncConnection) -> InvitationView:
        values = {"worker": snapshot(worker), ENTERS: str(worker.session_id)}
        row_id = await meeting_codes.open_row(services, tx, worker, values)
        await decisions.record_allowed(services, tx, await instant(tx), attempt)
        return await _seen(services, tx, worker, row_id)

    # Row and event are one commit. A crash before it leaves none.
    return await decisions.decide(services, act)


async def answer_invitation(services: CoreServices, person: Person, code: str) -> InvitationView:
    """Type the code that a worker shows, to see who they are; nothing is opened by it.

    An unknown, expired or typed code, that of a meeting, and one whose worker left are refused in
    the same way, at the same cost. Raises `ServiceError`: `meeting_code_wrong`,
    `too_many_requests`, `not_when_assisted`, `not_on_shared_device`.
    """
    await assistance.check_alone(services, person, Action.MEETING_ANSWERED)
    attempt = _typed(person)
    return await meeting_codes.type_code(
        services, person, code, attempt, lambda tx, tag: _link(services, tx, person, tag, attempt)
    )


async def answer_either(
    services: CoreServices, person: Person, code: str
) -> MeetingView | InvitationView:
    """Type six digits, whichever of the two a worker shows: for a page with one field. Beside a
    worker, those of an invitation do not serve. Raises as the two."""
    attempt = _typed(person)

    async def answer(tx: AsyncConnection, tag: bytes) -> MeetingView | InvitationView | Denial:
        # Only a code that lets in leads elsewhere: all others are refused by the same statements.
        invited = await _facts(services, tx, await records.meeting_of_code(tx, tag))
        lets_in = isinstance(may_answer_invitation(invited), Allowed)
        if lets_in and person.beside is None:
            return await _link(services, tx, person, tag, attempt)
        return await meetings.link(services, tx, person, tag, attempt)

    return await meeting_codes.type_code(services, person, code, attempt, answer)


def _typed(person: Person) -> AccessAttempt:
    return AccessAttempt(action=Action.MEETING_ANSWERED, actor=person.actor(), person=person.id)


async def _link(
    services: CoreServices,
    tx: AsyncConnection,
    person: Person,
    tag: bytes,
    attempt: AccessAttempt,
) -> InvitationView | Denial:
    # The same statements in every case.
    await hold_living_vault(tx, person.id)
    row = await records.meeting_to_answer(tx, tag)
    facts = await _facts(services, tx, row)
    judgement = may_answer_invitation(facts)
    if isinstance(judgement, Refused) or row is None:
        return Denial(attempt, Reason.MEETING_CODE)
    if person.shared:
        return Denial(attempt, Reason.SHARED_DEVICE)
    values = await values_of(services, row)
    del values["code"]
    await _change(services, tx, row, values, person_id=person.id, code_tag=None, answered_at=row.at)
    linked = replace(told(attempt, values), details={**told(attempt, values).details, **_MARK})
    await decisions.record_allowed(services, tx, row.at, linked)
    return await _seen(services, tx, person, row.id)


async def see_invitation(
    services: CoreServices, caller: Party, invitation_id: UUID
) -> InvitationView:
    """An invitation, to one of its two sides; not recorded, since its steps are. Raises
    `ServiceError` `not_found`, which is recorded."""

    async def act(tx: AsyncConnection) -> InvitationView | Denial:
        row = await records.meeting(tx, invitation_id)
        found = await _judged(services, tx, caller, row, Action.MEETING_OPENED)
        return found if isinstance(found, Denial) else _view(caller, *found)

    return await decisions.decide(services, act)


async def say_yes(
    services: CoreServices, person: Person, invitation_id: UUID, proof: Proof = NO_PROOF
) -> InvitationView:
    """Say yes, on one's own device, to one's vault opening on the worker's; the PIN is shown, where
    there is one. A second time changes nothing.

    Raises `ServiceError`: `not_found`, `meeting_over`, `not_when_assisted`,
    `not_on_shared_device`; those of `holder_proofs.show`.
    """
    await assistance.check_alone(services, person, Action.MEETING_AGREED)
    # 1. Only of an invitation that is theirs, and from their own device, is a PIN looked at.
    seen = await see_invitation(services, person, invitation_id)
    if person.shared:
        attempt = AccessAttempt(
            action=Action.MEETING_AGREED, actor=person.actor(), person=person.id, details={**_MARK}
        )
        raise await decisions.record_refusal(services, attempt, Reason.SHARED_DEVICE)
    shown = None
    if seen.state in ("answered", "confirmed"):
        shown = await holder_proofs.show_pin(services, person, Action.MEETING_AGREED, proof)
    # 2. Judged again, and recorded, in one commit: a crash before it leaves no yes.
    said = await decisions.decide(
        services, lambda tx: _say_yes(services, tx, person, invitation_id, shown)
    )
    if said is None:
        raise await holder_proofs.refuse(services, person, Action.MEETING_AGREED, "proof_needed")
    return said


async def _say_yes(
    services: CoreServices,
    tx: AsyncConnection,
    person: Person,
    invitation_id: UUID,
    shown: ShownProof | None,
) -> InvitationView | Denial | None:
    await hold_living_vault(tx, person.id)
    row = await records.meeting_to_change(tx, invitation_id)
    found = await _judged(services, tx, person, row, Action.MEETING_AGREED)
    if isinstance(found, Denial):
        return found
    row, facts, values = found
    attempt = _attempt(row, person, Action.MEETING_AGREED, values)
    judgement = may_say_yes(facts)
    if isinstance(judgement, Refused):
        return Denial(attempt, judgement.reason)
    if not await holder_proofs.pin_serves(services, tx, person, shown):
        return None
    if row.person_agreed_at is None:
        said = {**values, _SAID_IN: str(person.session_id)}
        await _change(services, tx, row, said, person_agreed_at=row.at)
        await decisions.record_allowed(services, tx, row.at, attempt)
    return await _seen(services, tx, person, row.id)


async def end_invitation(
    services: CoreServices, caller: Party, invitation_id: UUID
) -> InvitationView:
    """Say no, or stop waiting; by its person, who is inside already, end that. What is over stays
    so. Raises `ServiceError` `not_found`."""
    inside: list[UUID] = []

    async def act(tx: AsyncConnection) -> InvitationView | Denial:
        nonlocal inside
        row = await _held(tx, invitation_id)
        found = await _judged(services, tx, caller, row, Action.MEETING_ENDED)
        if isinstance(found, Denial):
            return found
        row, facts, values = found
        if state_of_invitation(facts) == "inside" and isinstance(caller, Person):
            inside = await assisted_sessions.inside(services, tx, facts.enters, caller.id)
        elif row.used_at is None and row.ended_at is None:
            await _change(services, tx, row, values, ended_at=row.at, code_tag=None)
            attempt = _attempt(row, caller, Action.MEETING_ENDED, values)
            await decisions.record_allowed(services, tx, row.at, attempt)
        return await _seen(services, tx, caller, row.id)

    seen = await decisions.decide(services, act)
    for session_id in inside:
        # Also where the worker ends it at the same moment.
        await sessions.sign_out(services, replace(caller, session_id=session_id))
    return seen if not inside else await see_invitation(services, caller, invitation_id)


async def enter(
    services: CoreServices, worker: Worker, invitation_id: UUID, visitor: Visitor = UNKNOWN
) -> NewSession:
    """Let the person in, on the worker's device, once they said yes.

    Raises `ServiceError`: `not_found`, also for another session of the same worker;
    `meeting_not_agreed`, `meeting_over`; `session_locked`. A crash after the commit leaves a
    session whose token nobody holds: either side ends it, or waits fifteen minutes.
    """
    try:
        return await decisions.decide(
            services, lambda tx: _enter(services, tx, worker, invitation_id, visitor)
        )
    except ServiceError as failure:
        await assisted_sessions.record_late(services, worker, failure, visitor)
        raise


async def _enter(
    services: CoreServices,
    tx: AsyncConnection,
    worker: Worker,
    invitation_id: UUID,
    visitor: Visitor,
) -> NewSession | Denial:
    # 1. The vault, the row, then the worker's session: the order of every other one.
    row = await _held(tx, invitation_id)
    found = await _judged(services, tx, worker, row, Action.MEETING_AGREED)
    if isinstance(found, Denial):
        return found
    row, facts, values = found
    # 2. The person said yes, once, in a session that lives; nobody else is inside.
    judgement = may_enter(facts)
    if isinstance(judgement, Refused):
        return Denial(_attempt(row, worker, Action.MEETING_AGREED, values), judgement.reason)
    # 3. The session, its line, and the invitation used up, in one commit.
    opened = await assisted_sessions.enter_confirmed(services, tx, worker, row.person_id, visitor)
    await _change(services, tx, row, values, worker_agreed_at=row.at, used_at=row.at)
    return opened


_Found = tuple[Row[Any], InvitationFacts, dict[str, Any]]


async def _held(tx: AsyncConnection, invitation_id: UUID) -> Row[Any] | None:
    """The row, locked, after the vault: erasure takes them in this order."""
    found = await records.meeting(tx, invitation_id)
    if found is not None and found.person_id is not None:
        await hold_vault(tx, found.person_id)
    return await records.meeting_to_change(tx, invitation_id)


async def _judged(
    services: CoreServices,
    tx: AsyncConnection,
    caller: Party,
    row: Row[Any] | None,
    action: Action,
) -> _Found | Denial:
    """A row that is an invitation of the caller's, with its facts and its sealed part."""
    facts = await _facts(services, tx, row)
    judgement: Judgement = may_see_invitation(
        facts, caller=caller.party, session_id=caller.session_id
    )
    if isinstance(judgement, Refused) or row is None or facts is None:
        reason = judgement.reason if isinstance(judgement, Refused) else Reason.NOT_FOUND
        return Denial(attempt_on(row, caller, action), reason)
    return row, facts, await values_of(services, row)


async def _facts(
    services: CoreServices, tx: AsyncConnection, row: Row[Any] | None
) -> InvitationFacts | None:
    """What is known of an invitation; None where a row is of none. The same statements in every
    case. Raises `RowAltered`."""
    values: dict[str, Any] = {}
    if row is not None:
        (await services.field_encryption.row_macs()).check(MEETING_ROW, row)
        values = await values_of(services, row)
    enters = UUID(values[ENTERS]) if is_invitation(values) else new_id()
    person_id = row.person_id if row is not None and row.person_id is not None else new_id()
    said_in = UUID(values[_SAID_IN]) if _SAID_IN in values else new_id()
    facts = {
        "lent": await sessions.may_lend(services, tx, enters),
        "whole": await sessions.lives(services, tx, person_id, said_in),
        "inside": bool(await assisted_sessions.inside(services, tx, enters, person_id)),
    }
    if row is None or not is_invitation(values):
        return None
    return InvitationFacts(row=facts_of(row), enters=enters, **facts)


def _attempt(row: Row[Any], caller: Party, action: Action, values: dict[str, Any]) -> AccessAttempt:
    attempt = told(attempt_on(row, caller, action), values)
    return replace(attempt, details={**attempt.details, **_MARK})


async def _change(
    services: CoreServices,
    tx: AsyncConnection,
    row: Row[Any],
    sealed: dict[str, Any],
    **values: Any,
) -> None:
    macs = await services.field_encryption.row_macs()
    writer = await services.field_encryption.writer(None)
    resealed = writer.seal(MEETING, row.id, sealed)
    await records.change_meeting(tx, macs, row, sealed=resealed, **values)


async def _seen(
    services: CoreServices, tx: AsyncConnection, caller: Party, row_id: UUID
) -> InvitationView:
    row = await records.meeting(tx, row_id)
    facts = await _facts(services, tx, row)
    if row is None or facts is None:
        raise LookupError("an invitation vanished within its transaction")
    return _view(caller, row, facts, await values_of(services, row))


def _view(
    caller: Party,
    row: Row[Any],
    facts: InvitationFacts,
    values: dict[str, Any],
) -> InvitationView:
    """The caller MUST have checked whose it is."""
    state = state_of_invitation(facts)
    ends_at = facts.ends_at if row.used_at is None else row.used_at + assistance.LIFE
    used = row.used_at is not None
    view = InvitationView(id=row.id, state=state, ends_at=ends_at, used=used)
    if state == "over":
        return view
    if state == "open":
        return replace(view, code=values["code"])
    worker = values["worker"]
    who = OtherSide(worker["name"], worker["job"], worker["organisation"])
    word = word_of(bytes.fromhex(values["secret"]), row.person_id, row.worker_id)
    return replace(view, worker=who if isinstance(caller, Person) else None, word=word)
