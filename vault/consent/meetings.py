"""A person and a worker who stand face to face meet by six digits, without a phone number.

One side opens a meeting and shows its code, the other types it. Both then see who the other is, and
one same word; when both have said yes, the worker may send one request, or the person give one
grant (`meeting_use`). Each step is recorded before the other's name is shown. See
docs/adr/0053-meetings.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth.living_vaults import hold_living_vault
from auth.person_names import chosen_name
from auth.services import CoreServices
from auth.subjects import Worker, snapshot
from base.db_time import instant
from base.ids import new_id
from base.key_names import MEETING
from base.locks import hold_vault
from vault import decisions
from vault.consent import meeting_codes
from vault.consent.meeting_codes import Party, told, values_of, vault_of
from vault.consent.meeting_rules import (
    MeetingState,
    is_invitation,
    may_answer_code,
    may_confirm,
    may_see_meeting,
    state_of_meeting,
)
from vault.consent.meeting_use import attempt_on, facts_of
from vault.consent.meeting_words import word_of
from vault.consent.records import meetings as records
from vault.consent.records.meetings import MEETING_ROW
from vault.decisions import AccessAttempt, Denial
from vault.rules import Reason, Refused


@dataclass(frozen=True, slots=True)
class OtherSide:
    """Who the other one is. `name`: None for a person who chose none."""

    name: str | None = field(repr=False)
    job: str = field(default="", repr=False)
    organisation: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingView:
    """A meeting as one side sees it. `other` and `word` once the code was typed, until it is over.
    `used`: its request was sent, or its grant given. `code`: for its opener, while it serves.
    `agreed_at`: when the second yes was said; `person_id`, `worker_id`: who both are then."""

    id: UUID
    state: MeetingState
    opened_by: Literal["person", "worker"]
    ends_at: datetime
    you_agreed: bool
    used: bool
    other: OtherSide | None = None
    word: str | None = field(default=None, repr=False)
    code: str | None = field(default=None, repr=False)
    agreed_at: datetime | None = None
    person_id: UUID | None = field(default=None, repr=False)
    worker_id: UUID | None = None


def answering_path(meeting: MeetingView) -> str | None:
    """The page on which the other side types the code, which stands in the fragment; None once it
    serves no more."""
    page = "/pro/meetings/code" if meeting.opened_by == "person" else "/meetings/code"
    return None if meeting.code is None else f"{page}#{meeting.code}"


async def open_meeting(services: CoreServices, opener: Party) -> MeetingView:
    """Open a meeting: six digits for five minutes. The caller's code of before serves no more.

    Raises `ServiceError` `too_many_requests`.
    """
    attempt = AccessAttempt(
        action=Action.MEETING_OPENED, actor=opener.actor(), person=vault_of(opener)
    )
    await meeting_codes.pace(services, opener, attempt)
    # Row and event are one commit. A crash before it leaves none.
    return await decisions.decide(services, lambda tx: _open(services, tx, opener, attempt))


async def _open(
    services: CoreServices, tx: AsyncConnection, opener: Party, attempt: AccessAttempt
) -> MeetingView:
    who = await _who(services, tx, opener)
    meeting_id = await meeting_codes.open_row(services, tx, opener, who)
    await decisions.record_allowed(services, tx, await instant(tx), attempt)
    return await _seen(services, tx, opener, meeting_id)


async def answer_meeting(services: CoreServices, caller: Party, code: str) -> MeetingView:
    """Type the code that the other side shows: both are linked, and see who the other is.

    An unknown, expired, typed or own-kind code is refused in the same way, at the same cost. Raises
    `ServiceError`: `meeting_code_wrong`, `too_many_requests`.
    """
    attempt = AccessAttempt(
        action=Action.MEETING_ANSWERED, actor=caller.actor(), person=vault_of(caller)
    )
    return await meeting_codes.type_code(
        services, caller, code, attempt, lambda tx, tag: link(services, tx, caller, tag, attempt)
    )


async def link(
    services: CoreServices,
    tx: AsyncConnection,
    caller: Party,
    tag: bytes,
    attempt: AccessAttempt,
) -> MeetingView | Denial:
    """Link two by the code of a meeting, in the transaction of `meeting_codes.type_code`."""
    found = await records.meeting_of_code(tx, tag)
    # The same statements for every code: a vault that does not exist is held when none is known.
    person_id: UUID = vault_of(caller) or (found and found.person_id) or new_id()
    await (hold_vault if isinstance(caller, Worker) else hold_living_vault)(tx, person_id)
    who = await _who(services, tx, caller)
    row = await records.meeting_to_answer(tx, tag)
    judgement = may_answer_code(row and facts_of(row), caller=caller.party)
    if isinstance(judgement, Refused) or row is None:
        return Denial(attempt, Reason.MEETING_CODE)
    macs = await services.field_encryption.row_macs()
    macs.check(MEETING_ROW, row)
    values = {**await values_of(services, row), **who}
    if is_invitation(values):
        return Denial(attempt, Reason.MEETING_CODE)
    del values["code"]
    writer = await services.field_encryption.writer(None)
    await records.change_meeting(
        tx,
        macs,
        row,
        code_tag=None,
        answered_at=row.at,
        sealed=writer.seal(MEETING, row.id, values),
        **{f"{caller.party.kind}_id": caller.id},
    )
    linked = told(
        AccessAttempt(action=attempt.action, actor=caller.actor(), person=person_id), values
    )
    await decisions.record_allowed(services, tx, row.at, linked)
    return await _seen(services, tx, caller, row.id)


async def see_meeting(services: CoreServices, caller: Party, meeting_id: UUID) -> MeetingView:
    """A meeting, to one of its two sides; not recorded, since its steps are. Raises `ServiceError`
    `not_found`, which is recorded."""
    return await decisions.decide(services, lambda tx: _see(services, tx, caller, meeting_id))


async def _see(
    services: CoreServices, tx: AsyncConnection, caller: Party, meeting_id: UUID
) -> MeetingView | Denial:
    row = await records.meeting(tx, meeting_id)
    judgement = may_see_meeting(row and facts_of(row), caller=caller.party)
    if isinstance(judgement, Refused) or row is None:
        reason = judgement.reason if isinstance(judgement, Refused) else Reason.NOT_FOUND
        return Denial(attempt_on(row, caller, Action.MEETING_OPENED), reason)
    if await _is_no_meeting(services, row):
        return Denial(attempt_on(row, caller, Action.MEETING_OPENED), Reason.NOT_FOUND)
    return await _view(services, row, caller)


async def _is_no_meeting(services: CoreServices, row: Row[Any]) -> bool:
    """Whether a row is of an invitation, which has its own use cases. Raises `RowAltered`."""
    (await services.field_encryption.row_macs()).check(MEETING_ROW, row)
    return is_invitation(await values_of(services, row))


async def confirm_meeting(
    services: CoreServices, caller: Party, meeting_id: UUID, *, agree: bool
) -> MeetingView:
    """Say yes to whom one stands before, or no, which ends the meeting; a second time changes
    nothing. Raises `ServiceError`: `not_found`, `meeting_not_agreed`, `meeting_over`."""
    return await decisions.decide(
        services, lambda tx: _confirm(services, tx, caller, meeting_id, agree=agree)
    )


async def _confirm(
    services: CoreServices, tx: AsyncConnection, caller: Party, meeting_id: UUID, *, agree: bool
) -> MeetingView | Denial:
    action = Action.MEETING_AGREED if agree else Action.MEETING_ENDED
    # 1. The vault, then the row: erasure takes them in this order.
    found = await records.meeting(tx, meeting_id)
    if found is not None and found.person_id is not None:
        await hold_vault(tx, found.person_id)
    row = await records.meeting_to_change(tx, meeting_id)
    judgement = may_confirm(row and facts_of(row), caller=caller.party, agree=agree)
    if isinstance(judgement, Refused) or row is None:
        reason = judgement.reason if isinstance(judgement, Refused) else Reason.NOT_FOUND
        return Denial(attempt_on(row, caller, action), reason)
    if await _is_no_meeting(services, row):
        return Denial(attempt_on(row, caller, action), Reason.NOT_FOUND)
    # 2. What changes, and its line, in one commit: a crash before it leaves the meeting as it was.
    if not agree or facts_of(row).agreed_at(caller.party.kind) is None:
        changed = (
            {f"{caller.party.kind}_agreed_at": row.at}
            if agree
            else {"ended_at": row.at, "code_tag": None}
        )
        await records.change_meeting(tx, await services.field_encryption.row_macs(), row, **changed)
        attempt = told(attempt_on(row, caller, action), await values_of(services, row))
        await decisions.record_allowed(services, tx, row.at, attempt)
    return await _seen(services, tx, caller, row.id)


async def _seen(
    services: CoreServices, tx: AsyncConnection, caller: Party, meeting_id: UUID
) -> MeetingView:
    row = await records.meeting(tx, meeting_id)
    if row is None:
        raise LookupError("a meeting vanished within its transaction")
    return await _view(services, row, caller)


async def _view(services: CoreServices, row: Row[Any], caller: Party) -> MeetingView:
    """A meeting from its row. The caller MUST have checked whose it is. Raises `RowAltered`."""
    (await services.field_encryption.row_macs()).check(MEETING_ROW, row)
    facts = facts_of(row)
    state = state_of_meeting(facts)
    view = MeetingView(
        id=row.id,
        state=state,
        opened_by=row.opened_by,
        ends_at=facts.ends_at,
        you_agreed=facts.agreed_at(caller.party.kind) is not None,
        used=row.used_at is not None,
    )
    if facts.person_agreed_at and facts.worker_agreed_at:
        agreed_at = max(facts.person_agreed_at, facts.worker_agreed_at)
        both = {"person_id": row.person_id, "worker_id": row.worker_id}
        view = replace(view, agreed_at=agreed_at, **both)
    if state == "over":
        return view
    values = await values_of(services, row)
    if state == "open":
        return replace(view, code=values["code"])
    word = word_of(bytes.fromhex(values["secret"]), row.person_id, row.worker_id)
    return replace(view, other=_other(values, caller), word=word)


def _other(values: Mapping[str, Any], caller: Party) -> OtherSide:
    if isinstance(caller, Worker):
        return OtherSide(values["person"])
    worker = values["worker"]
    return OtherSide(worker["name"], worker["job"], worker["organisation"])


async def _who(services: CoreServices, tx: AsyncConnection, subject: Party) -> dict[str, Any]:
    """What the other side will read of someone, as it is today."""
    if isinstance(subject, Worker):
        return {"worker": snapshot(subject)}
    return {"person": await chosen_name(services, tx, subject.id)}
