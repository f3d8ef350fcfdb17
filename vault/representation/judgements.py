"""A worker reads the judgement that names somebody's representative, and the representation begins.

1. The worker is of a structure that may, there for ninety days, at a pace, and not who represents.
2. The representative shows digits in their own vault: the worker types them, face to face.
3. Of a vault that is there, its person named the representative from inside; otherwise one is
   opened, empty, with the anchor that the worker reads on the person's identity paper.
So nobody gets papers by it that their person did not let them have, whatever a judgement says.
The judgement itself is not kept: what it says, and who read it. ADR:
docs/adr/0069-representatives.md.
"""

from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import anchors, closings, desk_rights, means_log
from auth.empty_vaults import open_empty_vault
from auth.joined_means import is_there
from auth.rate_buckets import Rate, SharedBuckets
from auth.records import recipients
from auth.records import representations as records
from auth.subjects import Person, Worker, snapshot
from base.db_time import instant
from base.errors import ErrorKind, ServiceError, about, invalid
from base.ids import new_id
from base.locks import hold_tags
from base.user_text import clean_title
from vault.consent.consent_acts import names_alike
from vault.recovery.recovery_rules import is_senior
from vault.representation import representatives
from vault.representation.representation_codes import DESK, code_tag, serve
from vault.representation.representation_rules import (
    AT_MOST,
    Judgement,
    end_of,
    may_be_read_for,
    state_of_representation,
)
from vault.representation.representation_views import facts_of, values_of
from vault.representation.representatives import living, without_code
from vault.services import Services

LONGEST = 120
"""Of a name, and of a court's."""
READ = Rate(10, timedelta(minutes=30))
"""How many judgements one worker reads, whatever becomes of it: digits cannot be guessed there."""
_BEGAN = Action.REPRESENTATION_BEGAN


async def read(
    services: Services,
    worker: Worker,
    code: str,
    judgement: Judgement,
    *,
    anchor: bytes | None = None,
    language: str = "fr",
) -> None:
    """Note what the judgement says: the first one, or the one that follows it. `anchor`: the tag of
    the identity paper of the person (`auth.anchors.tag_of`), needed where a vault is opened.

    Raises `ServiceError` REFUSED `desk_not_allowed`, `agent_too_new`, `representation_code_wrong`,
    `service_closed` (of a vault that would be opened),
    TOO_MANY `too_many_requests`, CONFLICT `judgement_names_you`, `too_many_representatives`,
    recorded in the service's log; INVALID `judgement_date`, `anchor_missing`, `text_empty`,
    `text_too_long`. A crash before the commit leaves nothing.
    """
    told = replace(
        judgement,
        representative=_text("representative", judgement.representative),
        court=_text("court", judgement.court),
    )
    await _check(services, worker, told)
    tag = await code_tag(services, DESK, code)
    async with services.database.transaction() as tx:
        ends_at = end_of(told, await instant(tx))
        refused = await _read(services, tx, worker, tag, told, ends_at, anchor, language)
        if refused is not None:
            await desk_rights.record(services, tx, worker, _BEGAN, None, reason=refused[0])
    if refused is not None:
        raise refused[1]


async def _check(services: Services, worker: Worker, judgement: Judgement) -> None:
    """What does not depend on the digits."""
    await desk_rights.check(services, worker, _BEGAN)
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        row = await recipients.worker(tx, macs, worker.id)
        senior = row is not None and is_senior(row.created_at, await instant(tx))
    if not senior:
        await desk_rights.refuse(services, worker, _BEGAN, "agent_too_new")
        raise ServiceError(ErrorKind.REFUSED, "agent_too_new")
    wait = await desk_rights.take_turn(
        services, worker, _BEGAN, SharedBuckets(services, "judgement", READ)
    )
    if wait is not None:
        raise ServiceError(ErrorKind.TOO_MANY, "too_many_requests", retry_after=wait)
    if names_alike(worker.name, judgement.representative):
        await desk_rights.refuse(services, worker, _BEGAN, "judgement_names_you")
        raise ServiceError(ErrorKind.CONFLICT, "judgement_names_you")


async def _read(
    services: Services,
    tx: AsyncConnection,
    worker: Worker,
    tag: bytes,
    judgement: Judgement,
    ends_at: datetime,
    anchor: bytes | None,
    language: str,
) -> tuple[str, ServiceError] | None:
    """Why it is refused, for the log and for the worker; None where it began."""
    found = await records.representation_of_code(tx, tag)
    sides = (found.person_id, found.representative_id) if found is not None else (None, None)
    await hold_tags(tx, tuple((one or new_id()).bytes[8:] for one in sides))
    there = [one is None or await is_there(services, tx, one) for one in sides]
    row = await records.representation_to_answer(tx, tag)
    if row is None or not all(there) or not await _may(services, row):
        return "representation_code", ServiceError(ErrorKind.REFUSED, "representation_code_wrong")
    macs = await services.field_encryption.row_macs()
    if row.person_id is None:
        if await closings.is_over(services, tx):
            return "closed", closings.service_closed()
        if anchor is None:
            raise invalid("anchor_missing", fields=(("anchor",),))
        person_id = await _open(services, tx, worker, anchor, language)
    else:
        person_id = row.person_id
        others = await records.representing(tx, macs, person_id)
        if living([one for one in others if one.id != row.id]) >= AT_MOST:
            return "too_many_representatives", representatives.too_many().error
    await _begin(services, tx, worker, row, person_id, judgement, ends_at)
    return None


async def _may(services: Services, row: Row[Any]) -> bool:
    return may_be_read_for(facts_of(row)) and await serve(services, row)


async def _open(
    services: Services, tx: AsyncConnection, worker: Worker, anchor: bytes, language: str
) -> UUID:
    """An empty vault without a means, whose first line names the worker; its anchor is what two
    agents find it by, once its person is to have means of their own."""
    person = Person(new_id(), language)
    await open_empty_vault(
        services,
        tx,
        person,
        phone_tag=None,
        values={},
        opened_by=worker.actor(),
        details={"desk": 1, "represented": 1},
    )
    await anchors.enrol_at_desk(services, tx, worker, person, anchor)
    return person.id


async def _begin(
    services: Services,
    tx: AsyncConnection,
    worker: Worker,
    row: Row[Any],
    person_id: UUID,
    judgement: Judgement,
    ends_at: datetime,
) -> None:
    days = {name: getattr(judgement, name).isoformat() for name in ("decided_on", "ends_on")}
    values = without_code(await values_of(services, row)) | asdict(judgement) | days
    values["read_by"] = snapshot(worker)
    live = state_of_representation(facts_of(row)) == "live"
    columns = {
        "code_tag": None,
        "person_id": person_id,
        "began_at": row.began_at if live else row.at,
        "ends_at": ends_at,
    }
    await representatives.change(services, tx, row, values, **columns)
    details: dict[str, str | int] = {"representation": str(row.id), **days}
    for side in (person_id, row.representative_id):
        await desk_rights.record(services, tx, worker, _BEGAN, side, details=details)
        await means_log.tell(services, tx, side, _BEGAN)


def _text(name: str, typed: str) -> str:
    with about("judgement", name):
        cleaned = clean_title(typed, LONGEST)
        if cleaned is None:
            raise invalid("text_empty")
    return cleaned
