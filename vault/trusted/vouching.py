"""The one who is trusted shows digits that are typed at the desk: they say that it is that person.

They open nothing: a recovery asks for more (docs/adr/0064-trusted-people.md).
"""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import assistance, holder_proofs
from auth.holder_proofs import Proof, ShownProof
from auth.joined_means import is_there
from auth.means_changes import NotChanged, settle
from auth.subjects import Person
from base.clock import rfc3339
from base.errors import ErrorKind, ServiceError, not_found
from base.ids import new_id
from base.key_names import TRUSTED
from vault.rate_limit import take_turn
from vault.services import Services
from vault.trusted import records
from vault.trusted.naming import ASKED, over, record_both
from vault.trusted.trusted_codes import VOUCHING, code_tag, draw, serve
from vault.trusted.trusted_rules import (
    VOUCH_LIFE,
    TrustedFacts,
    is_told,
    may_vouch,
    state_of_trusted,
)
from vault.trusted.trusted_views import TrustedView, facts_of, values_of, view_of_trusted


async def vouch(services: Services, person: Person, naming_id: UUID, proof: Proof) -> TrustedView:
    """Show digits for half an hour; those of before serve no more.

    Raises as `auth.holder_proofs.show`; `ServiceError` NOT_FOUND; CONFLICT `trusted_over`,
    `trusted_too_new`; TOO_MANY `too_many_requests`. Refusals are recorded.
    """
    action = Action.TRUSTED_VOUCHED
    await assistance.check_alone(services, person, action)
    shown = await holder_proofs.show(services, person, action, proof, or_waited=False)
    await take_turn(services, person, action, "trusted", ASKED)

    async def act(tx: AsyncConnection, _row: Any, _shown: ShownProof) -> TrustedView | NotChanged:
        return await _vouch(services, tx, person, naming_id)

    async with services.database.transaction() as tx:
        vouched_ = await settle(services, tx, person, action, shown, act)
    if isinstance(vouched_, NotChanged):
        raise vouched_.error
    return vouched_


async def vault_of(services: Services, tx: AsyncConnection, typed: str) -> UUID | None:
    """Whose vault digits are of, for a caller who holds it before they are spent: nothing of them
    is believed yet."""
    row = await records.naming_of_code(tx, await code_tag(services, VOUCHING, typed))
    return None if row is None else row.person_id


async def vouched(services: Services, tx: AsyncConnection, typed: str) -> UUID | None:
    """Whose vault digits that are typed at the desk vouch for; they are spent. None of those that
    do not serve, by the same statements."""
    macs = await services.field_encryption.row_macs()
    row = await records.naming_to_answer(tx, await code_tag(services, VOUCHING, typed))
    sides = (new_id(), new_id()) if row is None else (row.person_id, row.trusted_id or new_id())
    there = [await is_there(services, tx, one) for one in sides]
    if row is None or not all(there) or not await _is_of_now(services, row):
        await records.change_none(tx)
        return None
    writer = await services.field_encryption.writer(None)
    values = await values_of(services, row)
    kept = {word: values[word] for word in ("label", "own_name")}
    sealed = writer.seal(TRUSTED, row.id, kept)
    await records.change_naming(tx, macs, row, code_tag=None, sealed=sealed)
    vault: UUID = row.person_id
    return vault


async def trusting_vault(
    services: Services, tx: AsyncConnection, person: Person, naming_id: UUID
) -> UUID | None:
    """Whose vault it is of which the caller is told, by a naming of theirs; None of another's."""
    macs = await services.field_encryption.row_macs()
    row = await records.naming(tx, macs, naming_id)
    told = row is not None and row.trusted_id == person.id and is_told(facts_of(row))
    if row is None or not told:
        return None
    vault: UUID = row.person_id
    return vault


async def to_tell(services: Services, tx: AsyncConnection, person_id: UUID) -> list[UUID]:
    """Who is told that somebody asks to open a person's vault again: whom they trust, or trusted
    until a few days ago."""
    macs = await services.field_encryption.row_macs()
    rows = await records.trusted_by(tx, macs, person_id)
    told = dict.fromkeys(row.trusted_id for row in rows if is_told(facts_of(row)))
    return [one for one in told if one is not None]


async def _is_of_now(services: Services, row: Any) -> bool:
    """Whether digits serve, and are of somebody who may vouch."""
    return may_vouch(facts_of(row)) and await serve(services, row)


async def _vouch(
    services: Services, tx: AsyncConnection, person: Person, naming_id: UUID
) -> TrustedView | NotChanged:
    macs = await services.field_encryption.row_macs()
    row = await records.naming_to_change(tx, macs, naming_id)
    if row is None or row.trusted_id != person.id:
        return NotChanged("not_found", not_found())
    facts = facts_of(row)
    if state_of_trusted(facts) != "accepted" or not await is_there(services, tx, row.person_id):
        return over()
    if not may_vouch(facts):
        return _too_new(facts)
    writer = await services.field_encryption.writer(None)
    code, tag = await draw(services, tx, VOUCHING)
    values = {
        **await values_of(services, row),
        "code": code,
        "asked_in": str(person.session_id),
        "until": rfc3339(row.at + VOUCH_LIFE),
    }
    sealed = writer.seal(TRUSTED, row.id, values)
    await records.change_naming(tx, macs, row, code_tag=tag, sealed=sealed)
    await record_both(services, tx, person, row, Action.TRUSTED_VOUCHED)
    found = await records.naming(tx, macs, row.id)
    if found is None:
        raise LookupError("a naming vanished within its transaction")
    return await view_of_trusted(services, found, person)


def _too_new(facts: TrustedFacts) -> NotChanged:
    since = facts.vouches_from
    days = 0 if since is None else (since - facts.at).days + 1
    error = ServiceError(ErrorKind.CONFLICT, "trusted_too_new", days=days)
    return NotChanged("trusted_too_new", error)
