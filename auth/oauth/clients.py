"""Administrations' systems: exchanging an assertion for a token, and finding a token's client.

`client_credentials` (RFC 6749 §4.4) with `private_key_jwt` (RFC 7523 §2.2).
"""

from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action, Actor, ActorKind, Event, Outcome
from auth import profiles
from auth.oauth import records, signing_keys
from auth.oauth.client_assertions import (
    Assertion,
    AssertionRefused,
    check_assertion,
    claimed_client_id,
    public_keys_from_jwks,
)
from auth.oauth.jws import InvalidJws, Reason, is_name, read_compact, read_object
from auth.oauth.tokens import MAX_TOKEN, TokenRefused
from auth.records import recipients
from auth.services import CoreServices
from auth.subjects import Client
from base.db_time import instant
from base.errors import ErrorKind, ServiceError, invalid
from base.ids import new_id

# A closed list, in the order in which an answer names them.
SCOPES = ("consent_requests", "evidence", "documents", "deposits")
_ANONYMOUS = Actor(ActorKind.ANONYMOUS)


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """The answer of the token endpoint; `expires_in` is in seconds."""

    token: str = field(repr=False)
    expires_in: int
    scope: str


@dataclass(frozen=True, slots=True)
class _Refused:
    """A refusal, for the log; `client` is the one that the assertion claims, when known."""

    failure: ServiceError
    reason: str
    client: UUID | None = None


@dataclass(frozen=True, slots=True)
class _Granted:
    """The scope of a token to be made; `used`, by which the log tells two uses of one assertion."""

    scope: str
    used: str


def token_endpoint(services: CoreServices) -> str:
    """Its URL, which an assertion may name as its audience."""
    return signing_keys.issuer(services) + "/oauth/token"


async def issue_token(
    services: CoreServices,
    *,
    assertion: str,
    client_id: str | None = None,
    scope: str | None = None,
) -> TokenResponse:
    """A token for the client that signed `assertion`; by default with all its scopes.

    Raises `AssertionRefused`, or `ServiceError` REFUSED `scope_refused`: both recorded.
    """
    tokens = await signing_keys.access_tokens(services)
    async with services.database.transaction() as tx:
        # 1. The client that the assertion claims, with its registered keys and scope.
        row = await _claimed_client(services, tx, assertion)
        # 2. The assertion, by that client's own keys and the database's clock.
        checked = _check(services, row, assertion, client_id)
        # 3. It can be used once; recorded even when the scope is refused next.
        if isinstance(checked, Assertion):
            checked = await _use(tx, row, checked)
        granted = checked if isinstance(checked, _Refused) else _grant(row, checked, scope)
        if isinstance(granted, _Refused):
            event = _event(await instant(tx), Action.TOKEN_REFUSED, granted)
        else:
            client = await profiles.client(services, row)
            event = Event(
                new_id(),
                row.instant,
                Action.TOKEN_ISSUED,
                Outcome.ALLOWED,
                client.actor(),
                details={"scope": granted.scope, "assertion": granted.used},
            )
        # The used assertion and the log entry commit together: a refusal undoes neither.
        await services.audit_log.record(tx, event)
    # 4. Only now is a token made. A crash here leaves no token: the client needs a new assertion.
    if isinstance(granted, _Refused):
        raise granted.failure
    issued = tokens.issue(row.client_id, granted.scope, row.instant)
    return TokenResponse(issued.token, issued.expires_in, granted.scope)


async def client_of(services: CoreServices, tx: AsyncConnection, token: str) -> Client | None:
    """The client of a valid access token, or None; one query, in `tx`.

    Its scope is what the token says and the client still has: barring a client or reducing its
    scope takes effect at once.
    """
    claimed = _claimed_subject(token)
    if claimed is None:
        return None
    row = await recipients.client(tx, await services.field_encryption.row_macs(), claimed)
    if row is None:
        return None
    # Nothing in the token is trusted before this check: it only chose the row.
    try:
        verified = (await signing_keys.access_tokens(services)).check(token, row.instant)
    except TokenRefused:
        return None
    if verified.client_id != row.client_id:
        return None
    client = await profiles.client(services, row)
    scope = client.scope & frozenset(verified.scope.split())
    return replace(client, scope=scope, expires_at=verified.expires_at)


async def _claimed_client(services: CoreServices, tx: AsyncConnection, assertion: str) -> Any:
    """The active client that the assertion claims, or None."""
    claimed = claimed_client_id(assertion)
    if claimed is None:
        return None
    return await recipients.client(tx, await services.field_encryption.row_macs(), claimed)


def _check(
    services: CoreServices, row: Any, assertion: str, client_id: str | None
) -> Assertion | _Refused:
    if row is None:
        return _Refused(AssertionRefused(Reason.CLIENT), f"assertion_{Reason.CLIENT}")
    try:
        return check_assertion(
            assertion,
            keys=public_keys_from_jwks(row.jwks),
            client_id=row.client_id,
            issuer=signing_keys.issuer(services),
            token_endpoint=token_endpoint(services),
            now=row.instant,
            parameter=client_id,
        )
    except AssertionRefused as refused:
        return _Refused(refused, f"assertion_{refused.reason}", row.id)


async def _use(tx: AsyncConnection, row: Any, checked: Assertion) -> Assertion | _Refused:
    """Record the assertion; of several uses at once, one succeeds."""
    if await records.use_assertion(tx, _hash(checked), checked.expires_at):
        return checked
    reason = Reason.REPLAYED
    return _Refused(AssertionRefused(reason, signed=True), f"assertion_{reason}", row.id)


def _hash(checked: Assertion) -> bytes:
    name = f"{checked.client_id} {checked.jti}"  # neither holds a space
    return sha256(name.encode()).digest()


def _grant(row: Any, checked: Assertion, requested: str | None) -> _Granted | _Refused:
    """All that is requested, which must be registered for the client; by default all registered."""
    registered = set(row.scope.split())
    granted = registered if requested is None else set(requested.split())
    if not granted or not granted <= registered:
        return _Refused(ServiceError(ErrorKind.REFUSED, "scope_refused"), "scope_refused", row.id)
    scope = " ".join(word for word in SCOPES if word in granted)
    return _Granted(scope, _hash(checked)[:8].hex())


def _event(at: Any, action: Action, refused: _Refused) -> Event:
    details: dict[str, str | int] = {"client": str(refused.client)} if refused.client else {}
    return Event(
        new_id(), at, action, Outcome.REFUSED, _ANONYMOUS, reason=refused.reason, details=details
    )


def _claimed_subject(token: str) -> str | None:
    """The subject that a token claims, unverified: only to find the row."""
    try:
        subject = read_object(read_compact(token, MAX_TOKEN).payload).get("sub")
    except InvalidJws:
        return None
    return subject if is_name(subject) else None


def checked_scope(scope: str) -> str:
    """A client's registered scope, words of `SCOPES`. Raises `ServiceError` INVALID
    `scope_unknown`."""
    words = set(scope.split())
    if not words or not words <= set(SCOPES):
        raise invalid("scope_unknown")
    return " ".join(word for word in SCOPES if word in words)
