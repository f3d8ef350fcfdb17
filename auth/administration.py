"""Bootstrap: the operator adds organisations, workers and clients, and bars them; all recorded."""

import re
import secrets
import unicodedata
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action, Actor, ActorKind, Event, Outcome
from auth import sessions
from auth.oauth.client_assertions import public_keys_from_jwks
from auth.oauth.clients import checked_scope
from auth.records import recipients
from auth.services import CoreServices
from base.contact import normal_email
from base.database import notify
from base.db_time import instant
from base.errors import ErrorKind, ServiceError, invalid, not_found
from base.ids import new_id
from base.key_names import CLIENT, EMAIL, ORGANISATION, WORKER
from base.phone_numbers import normal_phone

OPERATOR = Actor(ActorKind.OPERATOR)
_MAX_LENGTH = 200
_CLIENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{2,63}")
_JWK_MEMBERS = frozenset({"kty", "crv", "x", "y", "n", "e", "kid", "alg", "use"})


async def add_organisation(services: CoreServices, *, name: str, contact: str) -> UUID:
    """Add an organisation. `contact`: how people reach it, in one line."""
    organisation_id = new_id()
    values = {"name": _line("name", name), "contact": _line("contact", contact)}
    sealed = (await services.field_encryption.writer(None)).seal(
        ORGANISATION, organisation_id, values
    )
    async with services.database.transaction() as tx:
        await recipients.add_organisation(tx, id=organisation_id, sealed=sealed)
        await _record(services, tx, Action.ORGANISATION_ADDED, organisation=str(organisation_id))
    return organisation_id


async def let_open_vaults(services: CoreServices, organisation_id: UUID, *, allowed: bool) -> None:
    """Let a structure's workers open vaults at their desk, or no longer. Raises NOT_FOUND."""
    async with services.database.transaction() as tx:
        row = await recipients.organisation(tx, organisation_id)
        if row is None:
            raise not_found()
        values = (await services.field_encryption.reader(None)).open(
            ORGANISATION, organisation_id, row.sealed
        )
        writer = await services.field_encryption.writer(None)
        sealed = writer.seal(ORGANISATION, organisation_id, values | {"desk": allowed})
        await recipients.change_organisation(tx, organisation_id, sealed=sealed)
        details = {"organisation": str(organisation_id), "desk": str(allowed).lower()}
        await _record(services, tx, Action.ORGANISATION_CHANGED, **details)


async def add_worker(
    services: CoreServices,
    *,
    organisation_id: UUID,
    name: str,
    job: str,
    email: str,
    phone: str = "",
    hours: str = "",
    there_for: timedelta = timedelta(0),
) -> UUID:
    """Add a professional, who signs in by this work e-mail. `there_for`: of the demonstration's,
    who are no newcomers; what needs seniority believes it.

    Raises `ServiceError`: NOT_FOUND for an unknown organisation, CONFLICT `email_taken`, INVALID
    `text_invalid`, `email_invalid`, `phone_invalid`.
    """
    worker_id = new_id()
    address = normal_email(email)
    values = {
        "name": _line("name", name),
        "job": _line("job", job),
        "email": address,
        "phone": normal_phone(phone) if phone else "",
        "hours": _line("hours", hours) if hours else "",
    }
    sealed = (await services.field_encryption.writer(None)).seal(WORKER, worker_id, values)
    email_tag = await services.field_encryption.tag(EMAIL, address)
    async with services.database.transaction() as tx:
        await _check_organisation(tx, organisation_id)
        added = await recipients.add_worker(
            tx,
            await services.field_encryption.row_macs(),
            await instant(tx) - there_for,
            id=worker_id,
            organisation_id=organisation_id,
            email_tag=email_tag,
            sealed=sealed,
        )
        if added:
            details = {"worker": str(worker_id), "organisation": str(organisation_id)}
            await _record(services, tx, Action.WORKER_ADDED, **details)
    if not added:
        raise ServiceError(ErrorKind.CONFLICT, "email_taken")
    return worker_id


async def add_client(
    services: CoreServices,
    *,
    organisation_id: UUID,
    name: str,
    jwks: dict[str, Any],
    scope: str,
    contact: str = "",
    client_id: str | None = None,
) -> str:
    """Add an administration's system by its public keys; returns its `client_id`, random if None.

    Raises `ServiceError`: NOT_FOUND for an unknown organisation, CONFLICT `client_id_taken`,
    INVALID `client_key_not_allowed`, `scope_unknown`, `client_id_invalid`, `text_invalid`.
    """
    row_id = new_id()
    public_id = client_id or f"client-{secrets.token_hex(8)}"
    if not _CLIENT_ID.fullmatch(public_id):
        raise invalid("client_id_invalid")
    values = {
        "name": _line("name", name),
        "contact": _line("contact", contact) if contact else "",
    }
    sealed = (await services.field_encryption.writer(None)).seal(CLIENT, row_id, values)
    async with services.database.transaction() as tx:
        await _check_organisation(tx, organisation_id)
        added = await recipients.add_client(
            tx,
            await services.field_encryption.row_macs(),
            await instant(tx),
            id=row_id,
            organisation_id=organisation_id,
            client_id=public_id,
            jwks=_public_jwks(jwks),
            scope=checked_scope(scope),
            sealed=sealed,
        )
        if added:
            details = {"client": str(row_id), "organisation": str(organisation_id)}
            await _record(services, tx, Action.CLIENT_ADDED, **details)
    if not added:
        raise ServiceError(ErrorKind.CONFLICT, "client_id_taken")
    return public_id


async def deactivate_worker(services: CoreServices, worker_id: UUID) -> None:
    """Bar a worker: their sessions, and what they download, end with this commit.
    NOT_FOUND when none is active."""
    async with services.database.transaction() as tx:
        macs = await services.field_encryption.row_macs()
        row = await recipients.deactivate_worker(tx, macs, worker_id)
        if row is not None:
            await sessions.end_with_account(tx, "worker", worker_id)
            await _record(
                services,
                tx,
                Action.WORKER_BARRED,
                worker=str(worker_id),
                organisation=str(row.organisation_id),
            )
    if row is None:
        raise not_found()


async def deactivate_client(services: CoreServices, client_id: str) -> None:
    """Bar a client: its tokens are invalid from this commit on, and what it downloads stops.
    NOT_FOUND when none is active."""
    async with services.database.transaction() as tx:
        macs = await services.field_encryption.row_macs()
        row = await recipients.deactivate_client(tx, macs, client_id)
        if row is not None:
            await notify(tx, sessions.CHANNEL, str(row.id))
            await _record(
                services,
                tx,
                Action.CLIENT_BARRED,
                client=str(row.id),
                organisation=str(row.organisation_id),
            )
    if row is None:
        raise not_found()


async def _check_organisation(tx: AsyncConnection, organisation_id: UUID) -> None:
    if await recipients.organisation(tx, organisation_id) is None:
        raise not_found()


async def _record(
    services: CoreServices, tx: AsyncConnection, action: Action, **details: str
) -> None:
    event = Event(
        new_id(), await instant(tx), action, Outcome.ALLOWED, OPERATOR, details=dict(details)
    )
    await services.audit_log.record(tx, event)


def _public_jwks(jwks: dict[str, Any]) -> dict[str, Any]:
    """The key set, with only the members that we read."""
    public_keys_from_jwks(jwks)
    return {
        "keys": [
            {name: value for name, value in key.items() if name in _JWK_MEMBERS}
            for key in jwks["keys"]
        ]
    }


def _line(field: str, text: str) -> str:
    """One line of visible text. Raises `ServiceError` INVALID `text_invalid`."""
    line = unicodedata.normalize("NFC", text).strip()
    if not 1 <= len(line) <= _MAX_LENGTH or not line.isprintable():
        raise invalid("text_invalid", field=field, longest=_MAX_LENGTH)
    return line
