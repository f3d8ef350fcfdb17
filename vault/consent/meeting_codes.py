"""The six digits by which a person and a worker meet: drawn, shown for five minutes, typed once.

A meeting's code and that of an invitation (`invitations`) are of one kind: they are drawn and
counted together. See docs/adr/0053-meetings.md.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Literal, TypeVar
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.living_vaults import hold_living_vault
from auth.rate_buckets import Rate, SharedBuckets
from auth.services import CoreServices
from auth.subjects import Person, Worker
from base.db_time import instant
from base.ids import new_id
from base.key_names import MEETING, MEETING_CODE
from base.locks import hold_vault
from base.user_text import digits_of
from vault import decisions
from vault.consent.meeting_rules import state_of_meeting
from vault.consent.meeting_use import facts_of
from vault.consent.records import meetings as records
from vault.consent.records.meetings import MEETING_ROW
from vault.decisions import AccessAttempt, Denial
from vault.rules import Reason

Party = Person | Worker
OPENED = Rate(20, timedelta(minutes=3))
"""How many meetings an account opens."""
WRONG_CODES = Rate(5, timedelta(minutes=12))
"""How many wrong codes an account types: five at once, and five an hour after that."""
DIGITS = 6
_DRAWS = 20
_MOMENTS = ("answered_at", "person_agreed_at", "worker_agreed_at", "ended_at", "used_at")
Decided = TypeVar("Decided")


async def pace(services: CoreServices, opener: Party, attempt: AccessAttempt) -> None:
    """Count a code that is asked for. Raises `ServiceError` `too_many_requests`, recorded."""
    taken = await _buckets(services, "meeting", OPENED).take(opener.id.bytes, 1)
    if not taken.granted:
        wait = _seconds(taken.wait)
        raise await decisions.record_refusal(services, attempt, Reason.PACED, retry_after=wait)


async def open_row(
    services: CoreServices, tx: AsyncConnection, opener: Party, values: Mapping[str, Any]
) -> UUID:
    """A new row with a code, whose sealed part says `values`. The opener's code of before serves no
    more."""
    # One at a time for each account: the vault's lock, or one of the same kind for a worker.
    await (hold_vault if isinstance(opener, Worker) else hold_living_vault)(tx, opener.id)
    macs = await services.field_encryption.row_macs()
    for former in await records.unanswered_meetings(tx, opener.party):
        ended = {"code_tag": None, "ended_at": former.at}
        await records.change_meeting(tx, macs, former, **ended)
    meeting_id = new_id()
    row = {
        "id": meeting_id,
        "opened_by": opener.party.kind,
        "person_id": vault_of(opener),
        "worker_id": opener.id if isinstance(opener, Worker) else None,
        "created_at": await instant(tx),
        **dict.fromkeys(_MOMENTS),
    }
    await _add(services, tx, row, {"secret": secrets.token_hex(32), **values})
    return meeting_id


async def _add(
    services: CoreServices, tx: AsyncConnection, row: dict[str, Any], values: dict[str, Any]
) -> None:
    """Insert the row with a code that no living meeting has."""
    macs = await services.field_encryption.row_macs()
    writer = await services.field_encryption.writer(None)
    for _ in range(_DRAWS):
        code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
        tag = await _code_tag(services, code)
        # A code that nobody typed in time is free again; a living one is another's.
        held = await records.meeting_to_answer(tx, tag)
        if held is not None and state_of_meeting(facts_of(held)) == "over":
            await records.change_meeting(tx, macs, held, code_tag=None)
        sealed = writer.seal(MEETING, row["id"], {**values, "code": code})
        drawn = {**row, "code_tag": tag, "sealed": sealed}
        if await records.add_meeting(tx, **macs.add(MEETING_ROW, drawn)):
            return
    raise LookupError("no code is free")


async def type_code(
    services: CoreServices,
    caller: Party,
    code: str,
    attempt: AccessAttempt,
    answer: Callable[[AsyncConnection, bytes], Awaitable[Decided | Denial]],
) -> Decided:
    """What `answer` makes of a typed code, by its tag, in a transaction of its own. Raises
    `ServiceError`: `too_many_requests`, and those of what it refuses."""
    # 1. Counted before anything is looked up, so that guesses at once cannot pass the limit.
    buckets = _buckets(services, "meeting-code", WRONG_CODES)
    taken = await buckets.take(caller.id.bytes, 1)
    if not taken.granted:
        wait = _seconds(taken.wait)
        raise await decisions.record_refusal(services, attempt, Reason.PACED, retry_after=wait)
    # 2. Judged, changed and recorded in one commit: a crash before it leaves the code as it was.
    tag = await _code_tag(services, digits_of(code))
    view = await decisions.decide(services, lambda tx: answer(tx, tag))
    # 3. A good code costs nothing. A crash before this costs one of five, which comes back.
    await buckets.give_back(caller.id.bytes, 1)
    return view


async def values_of(services: CoreServices, row: Row[Any]) -> dict[str, Any]:
    """What the sealed part of a row says."""
    reader = await services.field_encryption.reader(None)
    values: dict[str, Any] = reader.open(MEETING, row.id, row.sealed)
    return values


def told(attempt: AccessAttempt, values: Mapping[str, Any]) -> AccessAttempt:
    """With the worker's name, for the person's log: their own lines say « vous »."""
    worker = values.get("worker")
    details = {} if worker is None else {"met": worker["name"], "met_at": worker["organisation"]}
    return AccessAttempt(
        action=attempt.action,
        actor=attempt.actor,
        person=attempt.person,
        details={**attempt.details, **details},
    )


def vault_of(subject: Party) -> UUID | None:
    """Whose vault's log says what they did: a person's own."""
    return subject.id if isinstance(subject, Person) else None


def _buckets(
    services: CoreServices, kind: Literal["meeting", "meeting-code"], rate: Rate
) -> SharedBuckets:
    return SharedBuckets(services, kind, rate)


def _seconds(wait: float) -> int:
    return max(1, round(wait))


async def _code_tag(services: CoreServices, code: str) -> bytes:
    return await services.field_encryption.tag(MEETING_CODE, code)
