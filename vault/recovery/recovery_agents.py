"""Who may be an agent of a recovery: a worker whose structure may, there for ninety days, at a
pace; and who may be the second one: another human being, as far as anybody can tell.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import browsers, desk_rights
from auth.rate_buckets import SharedBuckets
from auth.records import recipients
from auth.services import CoreServices
from auth.subjects import Worker
from auth.visitor import Visitor
from base.db_time import instant
from base.errors import ErrorKind, ServiceError
from vault.consent.consent_acts import names_alike
from vault.recovery.recovery_rules import is_senior
from vault.recovery.recovery_values import Agent


async def check(
    services: CoreServices, worker: Worker, action: Action, buckets: SharedBuckets
) -> None:
    """Raise `ServiceError` REFUSED `desk_not_allowed`, `agent_too_new`, TOO_MANY
    `too_many_recoveries`; each is recorded, in the service's log."""
    await desk_rights.check(services, worker, action)
    if not await has_seniority(services, worker):
        await desk_rights.refuse(services, worker, action, "agent_too_new")
        raise ServiceError(ErrorKind.REFUSED, "agent_too_new")
    wait = await desk_rights.take_turn(services, worker, action, buckets)
    if wait is not None:
        raise ServiceError(ErrorKind.TOO_MANY, "too_many_recoveries", retry_after=wait)


async def are_active(services: CoreServices, tx: AsyncConnection, agents: Sequence[Agent]) -> bool:
    """Whether each of them may still be one: neither barred, nor their structure. Raises
    `RowAltered`."""
    macs = await services.field_encryption.row_macs()
    for agent in agents:
        row = await recipients.worker(tx, macs, UUID(agent.worker_id))
        if row is None or not await desk_rights.may_use_desk(services, tx, row.organisation_id):
            return False
    return True


async def has_seniority(services: CoreServices, worker: Worker) -> bool:
    """Whether their account is old enough, to say it before they begin."""
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        row = await recipients.worker(tx, macs, worker.id)
        return row is not None and is_senior(row.created_at, await instant(tx))


async def is_same(
    services: CoreServices, tx: AsyncConnection, first: Agent, worker: Worker, visitor: Visitor
) -> bool:
    """Whether the second agent is the first: their account, another one of their name or of their
    mailbox, or at the first one's own browser. A switchboard's phone is many people's: it says
    nothing."""
    first_id = UUID(first.worker_id)
    known = await browsers.is_known(services, tx, "worker", first_id, visitor)
    return (
        first_id == worker.id
        or known
        or _mailbox(first.email) == _mailbox(worker.email)
        or names_alike(first.name, worker.name)
        or names_alike(worker.name, first.name)
    )


def _mailbox(email: str) -> str:
    """Where it arrives: many servers leave out what follows a `+`."""
    name, _, domain = email.casefold().rpartition("@")
    return f"{name.partition('+')[0]}@{domain}"
