"""A representative enters the vault of whom they represent, from their own, with a proof of now.

What they do there is under their own name, for an hour at most; what they may not do is refused
where it is done (`auth.assistance.check_alone`, `check_self`)."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import assistance, holder_proofs, means_log, sessions
from auth.holder_proofs import Proof, ShownProof
from auth.joined_means import is_there
from auth.means_changes import NotChanged, settle
from auth.records import representations as records
from auth.session_start import NewSession
from auth.subjects import Person
from auth.visitor import UNKNOWN, Visitor
from base.errors import not_found
from vault.representation.representation_ends import actor_of
from vault.representation.representation_rules import state_of_representation
from vault.representation.representation_views import facts_of
from vault.representation.representatives import over, record_other
from vault.services import Services

_ENTERED = Action.REPRESENTATION_ENTERED


async def enter(
    services: Services,
    person: Person,
    representation_id: UUID,
    proof: Proof,
    visitor: Visitor = UNKNOWN,
) -> NewSession:
    """A session in the other vault, which a line of each log tells before its token is given.

    Raises as `auth.holder_proofs.show`; `ServiceError` NOT_FOUND; CONFLICT `representation_over`
    before a judgement was read and after its last day. Refusals are recorded. A crash after the
    commit leaves a session whose token nobody holds: it ends by itself.
    """
    await assistance.check_alone(services, person, _ENTERED)
    shown = await holder_proofs.show(services, person, _ENTERED, proof, or_waited=False)

    async def act(tx: AsyncConnection, _row: Any, _shown: ShownProof) -> NewSession | NotChanged:
        # Locked: of an end and an entrance at once, the second sees the first.
        macs = await services.field_encryption.row_macs()
        row = await records.representation_to_change(tx, macs, representation_id)
        if row is None or row.representative_id != person.id:
            return NotChanged("not_found", not_found())
        live = state_of_representation(facts_of(row)) == "live"
        if not live or not await is_there(services, tx, row.person_id):
            return over()
        opened = await sessions.open_session(
            services,
            tx,
            kind="person",
            subject_id=row.person_id,
            visitor=replace(visitor, shared=person.shared, browser=None),
            level=person.means,
            representative=person,
        )
        await means_log.record(services, tx, person, _ENTERED, representation=str(row.id))
        actor = await actor_of(services, row)
        where = {"session": str(opened.id), "device": visitor.device}
        await record_other(services, tx, row.person_id, actor, row, _ENTERED, **where)
        return NewSession(opened.token, opened.expires_at, "person", row.person_id, "")

    async with services.database.transaction() as tx:
        entered = await settle(services, tx, person, _ENTERED, shown, act)
    if isinstance(entered, NotChanged):
        raise entered.error
    return entered
