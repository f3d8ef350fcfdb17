"""Somebody is named who represents a person under tutelle, or asks before that person has a vault;
and shows digits at a desk, where a worker reads the judgement.

Nothing here opens anything: a representation begins with `judgements.py`. Digits that are unknown,
expired, typed or one's own are refused in the same way, at the same cost.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action, Actor, ActorKind
from auth import assistance, holder_proofs, means_log, sessions
from auth.holder_proofs import Proof
from auth.joined_means import is_there
from auth.means_changes import Change, NotChanged, settle
from auth.rate_buckets import Rate
from auth.records import representations as records
from auth.subjects import Person
from base.clock import rfc3339
from base.db_time import instant
from base.errors import ErrorKind, ServiceError, about, invalid, not_found
from base.ids import new_id
from base.key_names import REPRESENTATION
from base.locks import hold_tags
from base.user_text import clean_title
from vault import decisions
from vault.decisions import AccessAttempt, Denial
from vault.rate_limit import take_turn
from vault.representation.representation_codes import DESK, NAMING, code_tag, draw
from vault.representation.representation_rules import (
    AT_MOST,
    CODE_LIFE,
    DESK_CODE_LIFE,
    FOR_AT_MOST,
    may_answer,
    may_be_read_for,
    state_of_representation,
)
from vault.representation.representation_views import (
    RepresentationView,
    code_end,
    facts_of,
    values_of,
    view_of_representation,
)
from vault.rules import Reason
from vault.services import Services

LONGEST = 60
"""Of what each calls the other."""
ASKED = Rate(5, timedelta(hours=1))
"""How many digits a vault gets, of namings and for the desk together."""
WRONG_CODES = Rate(5, timedelta(hours=4, minutes=48))
"""How many wrong digits an account types: five at once, and five a day after that."""
SOMEBODY = Actor(ActorKind.ANONYMOUS)
"""The other one, in each log before a judgement names them."""


async def name(
    services: Services, person: Person, label: str, own_name: str, proof: Proof
) -> RepresentationView:
    """Show digits for ten minutes; those of before serve no more. `label`: what the person calls
    whom they name; `own_name`: what these call the person.

    Raises as `auth.holder_proofs.show`; `ServiceError` INVALID `text_empty`, `text_too_long`,
    CONFLICT `too_many_representatives`, TOO_MANY `too_many_requests`. A crash before the commit
    leaves nothing.
    """
    words = {"label": _word("label", label), "own_name": _word("own_name", own_name)}

    async def act(tx: AsyncConnection, _row: Any, _: Any) -> RepresentationView | NotChanged:
        macs = await services.field_encryption.row_macs()
        if living(await records.representing(tx, macs, person.id)) >= AT_MOST:
            return too_many()
        await records.drop_unanswered(tx, person.id)
        return await _add(services, tx, person, words, {"person_id": person.id})

    return await _proved(services, person, Action.REPRESENTATION_NAMED, proof, act)


async def offer(
    services: Services, person: Person, own_name: str, proof: Proof
) -> RepresentationView:
    """Show digits for a desk, which opens a vault for whoever the caller represents: somebody who
    has none, and enters none themselves. `own_name`: what the caller calls them. Raises as
    `name`."""
    words = {"own_name": _word("own_name", own_name)}

    async def act(tx: AsyncConnection, _row: Any, _: Any) -> RepresentationView | NotChanged:
        macs = await services.field_encryption.row_macs()
        if living(await records.represented_by(tx, macs, person.id)) >= FOR_AT_MOST:
            return too_many()
        given = {"representative_id": person.id, "answered_at": await instant(tx)}
        return await _add(services, tx, person, words, given)

    return await _proved(services, person, Action.REPRESENTATION_SHOWN, proof, act)


async def show(
    services: Services, person: Person, representation_id: UUID, proof: Proof
) -> RepresentationView:
    """Show digits for the desk again, or for the judgement that follows; those of before serve no
    more. Raises as `name`; `ServiceError` NOT_FOUND, CONFLICT `representation_over`."""

    async def act(tx: AsyncConnection, _row: Any, _: Any) -> RepresentationView | NotChanged:
        macs = await services.field_encryption.row_macs()
        row = await records.representation_to_change(tx, macs, representation_id)
        if row is None or row.representative_id != person.id:
            return NotChanged("not_found", not_found())
        if not may_be_read_for(facts_of(row)):
            return over()
        code, tag = await draw(services, tx, DESK)
        values = {
            **await values_of(services, row),
            "code": code,
            "asked_in": str(person.session_id),
            "until": rfc3339(row.at + DESK_CODE_LIFE),
        }
        await change(services, tx, row, values, code_tag=tag)
        action = Action.REPRESENTATION_SHOWN
        await means_log.record(services, tx, person, action, representation=str(row.id))
        return await seen(services, tx, row.id, person)

    return await _proved(services, person, Action.REPRESENTATION_SHOWN, proof, act)


async def answer(services: Services, person: Person, code: str) -> RepresentationView:
    """Type the digits that the person shows, and say by it that one represents them.

    Raises `ServiceError` REFUSED `representation_code_wrong`, `not_when_assisted`; TOO_MANY
    `too_many_requests`.
    """
    action = Action.REPRESENTATION_SEEN
    await assistance.check_alone(services, person, action)
    # Counted before anything is looked up, so that guesses at once cannot pass the limit; good
    # digits cost nothing.
    buckets = await take_turn(services, person, action, "represent-code", WRONG_CODES)
    tag = await code_tag(services, NAMING, code)
    view = await decisions.decide(services, lambda tx: _answer(services, tx, person, tag))
    await buckets.give_back(person.id.bytes, 1)
    return view


async def unknown(services: Services, person: Person, action: Action) -> ServiceError:
    """Another one's, or none: recorded in the caller's log, the same answer (invariant 7)."""
    attempt = AccessAttempt(action=action, actor=person.actor(), person=person.id)
    return await decisions.record_refusal(services, attempt, Reason.NOT_FOUND)


async def record_other(
    services: Services,
    tx: AsyncConnection,
    other: UUID,
    actor: Actor,
    row: Row[Any],
    action: Action,
    **more: str,
) -> None:
    """The line of the other side alone. The caller MUST have checked the row."""
    details: dict[str, str | int] = {"representation": str(row.id), **more}
    attempt = AccessAttempt(action=action, actor=actor, person=other, details=details)
    await decisions.record_allowed(services, tx, await instant(tx), attempt)


async def change(
    services: Services, tx: AsyncConnection, row: Row[Any], values: dict[str, Any], **columns: Any
) -> None:
    """Write what is sealed, and some columns, of a locked row that was checked."""
    macs = await services.field_encryption.row_macs()
    writer = await services.field_encryption.writer(None)
    sealed = writer.seal(REPRESENTATION, row.id, values)
    await records.change_representation(tx, macs, row, sealed=sealed, **columns)


def without_code(values: dict[str, Any]) -> dict[str, Any]:
    """What is sealed, once the digits serve no more."""
    return {name: one for name, one in values.items() if name not in ("code", "asked_in", "until")}


def living(rows: Sequence[Row[Any]]) -> int:
    """How many of these are there now, or wait for a judgement."""
    states = [state_of_representation(facts_of(row)) for row in rows]
    return sum(state in ("answered", "live") for state in states)


def living_views(views: Sequence[RepresentationView]) -> int:
    """The same, of what is shown."""
    return sum(one.state in ("answered", "live") for one in views)


def over() -> NotChanged:
    """What is there no more, or came too late."""
    return NotChanged(
        "representation_over", ServiceError(ErrorKind.CONFLICT, "representation_over")
    )


def too_many() -> NotChanged:
    """Who represent a person, or are represented."""
    error = ServiceError(ErrorKind.CONFLICT, "too_many_representatives")
    return NotChanged("too_many_representatives", error)


async def seen(
    services: Services, tx: AsyncConnection, representation_id: UUID, person: Person
) -> RepresentationView:
    """One as it was just written."""
    macs = await services.field_encryption.row_macs()
    row = await records.representation(tx, macs, representation_id)
    if row is None:
        raise LookupError("a representation vanished within its transaction")
    return await view_of_representation(services, row, person)


async def _proved(
    services: Services,
    person: Person,
    action: Action,
    proof: Proof,
    act: Change[RepresentationView],
) -> RepresentationView:
    await assistance.check_alone(services, person, action)
    shown = await holder_proofs.show(services, person, action, proof, or_waited=False)
    await take_turn(services, person, action, "represent", ASKED)
    async with services.database.transaction() as tx:
        made = await settle(services, tx, person, action, shown, act)
    if isinstance(made, NotChanged):
        raise made.error
    return made


async def _add(
    services: Services,
    tx: AsyncConnection,
    person: Person,
    words: dict[str, str],
    given: dict[str, Any],
) -> RepresentationView:
    """Insert a row with digits that no living one has: of a naming, or for the desk."""
    macs = await services.field_encryption.row_macs()
    writer = await services.field_encryption.writer(None)
    representation_id, at = new_id(), await instant(tx)
    names = "person_id" in given
    code, tag = await draw(services, tx, NAMING if names else DESK)
    until = rfc3339(at + (CODE_LIFE if names else DESK_CODE_LIFE))
    values = words | {"code": code, "asked_in": str(person.session_id), "until": until}
    sealed = writer.seal(REPRESENTATION, representation_id, values)
    row = {"id": representation_id, "code_tag": tag, "created_at": at, "sealed": sealed, **given}
    if not await records.add_representation(tx, macs, **row):
        raise LookupError("no code is free")
    action = Action.REPRESENTATION_NAMED if names else Action.REPRESENTATION_SHOWN
    await means_log.record(services, tx, person, action, representation=str(representation_id))
    return await seen(services, tx, representation_id, person)


async def _answer(
    services: Services, tx: AsyncConnection, person: Person, tag: bytes
) -> RepresentationView | Denial:
    macs = await services.field_encryption.row_macs()
    found = await records.representation_of_code(tx, tag)
    # The same statements in every case: a vault that does not exist is held when none is known.
    none = found is None or found.person_id in (None, person.id)
    other: UUID = new_id() if none or found is None else found.person_id
    await hold_tags(tx, (person.id.bytes[8:], other.bytes[8:]))
    if not await is_there(services, tx, person.id):
        raise not_found()
    there = await is_there(services, tx, other)
    full = living(await records.represented_by(tx, macs, person.id)) >= FOR_AT_MOST
    twice = bool(await records.between(tx, macs, other, person.id))
    row = await records.representation_to_answer(tx, tag)
    values = {} if row is None else await values_of(services, row)
    asked_in = UUID(values["asked_in"]) if "asked_in" in values else new_id()
    asks = await sessions.lives(services, tx, other, asked_in)
    facts = None if row is None else facts_of(row)
    may = may_answer(facts, person_id=person.id) and there and asks and not full and not twice
    may = may and facts is not None and code_end(facts, values) is not None
    mine = AccessAttempt(action=Action.REPRESENTATION_SEEN, actor=person.actor(), person=person.id)
    if row is None or not may or row.person_id != other:
        return Denial(mine, Reason.REPRESENTATION_CODE, fields=(("code",),))
    columns = {"code_tag": None, "representative_id": person.id, "answered_at": row.at}
    await change(services, tx, row, without_code(values), **columns)
    # In both logs before anything is shown: in the other one without whose vault it was.
    action = Action.REPRESENTATION_SEEN
    await means_log.record(services, tx, person, action, representation=str(row.id))
    await record_other(services, tx, row.person_id, SOMEBODY, row, action)
    return await seen(services, tx, row.id, person)


def _word(name: str, typed: str) -> str:
    with about(name):
        cleaned = clean_title(typed, LONGEST)
        if cleaned is None:
            raise invalid("text_empty")
    return cleaned
