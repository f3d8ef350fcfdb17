"""Administrations' systems: an assertion against a token of five minutes, a token against a name.

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

# Closed; the order in which an answer lists them.
SCOPES = ("consent_requests", "evidence", "documents", "deposits")
_STRANGER = Actor(ActorKind.ANONYMOUS)


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """The answer of the token endpoint; `expires_in` is in seconds."""

    token: str = field(repr=False)
    expires_in: int
    scope: str


@dataclass(frozen=True, slots=True)
class _Refused:
    """Why not, for the log; `client` is whom the assertion claims to be, when known."""

    failure: ServiceError
    reason: str
    client: UUID | None = None


def token_endpoint(services: CoreServices) -> str:
    """Its address, which an assertion may name as its audience."""
    return signing_keys.issuer(services) + "/oauth/token"


async def issue_token(
    services: CoreServices,
    *,
    assertion: str,
    client_id: str | None = None,
    scope: str | None = None,
) -> TokenResponse:
    """A token for the client that signed `assertion`; by default for all that it may do.

    Raises `AssertionRefused`, or `ServiceError` REFUSED `scope_refused`: both recorded.
    """
    tokens = await signing_keys.access_tokens(services)
    async with services.database.transaction() as tx:
        # 1. Who says it is calling, and what that client registered.
        row = await _claimed(tx, assertion, client_id)
        # 2. The assertion, by that client's own keys and the database's clock.
        checked = _check(services, row, assertion)
        # 3. It serves once; remembered even when the scope is refused next.
        if isinstance(checked, Assertion):
            checked = await _use(tx, row, checked)
        judged = checked if isinstance(checked, _Refused) else _scope(row, scope)
        if isinstance(judged, _Refused):
            event = _event(await instant(tx), Action.TOKEN_REFUSED, judged)
        else:
            client = await profiles.client(services, row)
            event = Event(
                new_id(),
                row.instant,
                Action.TOKEN_ISSUED,
                Outcome.ALLOWED,
                client.actor(),
                details={"scope": judged},
            )
        # The spent assertion and the line commit together: nothing of a refusal is undone.
        await services.audit_log.record(tx, event)
    # 4. Only now does a token exist. A crash here costs the client a new assertion.
    if isinstance(judged, _Refused):
        raise judged.failure
    issued = tokens.issue(row.client_id, judged, row.instant)
    return TokenResponse(issued.token, issued.expires_in, judged)


async def client_of(services: CoreServices, tx: AsyncConnection, token: str) -> Client | None:
    """Whose living access token it is, or None; one look-up, in `tx`.

    Its scope is what the token says and the client still has: a client barred or narrowed a
    moment ago is so here.
    """
    claimed = _subject(token)
    row = None if claimed is None else await recipients.client(tx, claimed)
    if row is None:
        return None
    # Nothing of the token is believed before this line: it only chose the row.
    try:
        known = (await signing_keys.access_tokens(services)).check(token, row.instant)
    except TokenRefused:
        return None
    if known.client_id != row.client_id:
        return None
    client = await profiles.client(services, row)
    scope = client.scope & frozenset(known.scope.split())
    return replace(client, scope=scope, expires_at=known.expires_at)


async def _claimed(tx: AsyncConnection, assertion: str, client_id: str | None) -> Any:
    """The active client whom the assertion claims, and the parameter too if there is one (RFC 7521
    §4.2), or None."""
    claimed = claimed_client_id(assertion)
    if claimed is None or client_id not in (None, claimed):
        return None
    return await recipients.client(tx, claimed)


def _check(services: CoreServices, row: Any, assertion: str) -> Assertion | _Refused:
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
        )
    except AssertionRefused as refused:
        return _Refused(refused, f"assertion_{refused.reason}", row.id)


async def _use(tx: AsyncConnection, row: Any, checked: Assertion) -> Assertion | _Refused:
    """Remember the assertion; of several at once, one is new."""
    name = f"{checked.client_id} {checked.jti}"  # neither holds a space
    hashed = sha256(name.encode()).digest()
    if await records.use_assertion(tx, hashed, checked.expires_at):
        return checked
    reason = Reason.REPLAYED
    return _Refused(AssertionRefused(reason), f"assertion_{reason}", row.id)


def _scope(row: Any, asked: str | None) -> str | _Refused:
    """What is granted: all that is asked, which must be among what the client registered."""
    registered = set(row.scope.split())
    wanted = registered if asked is None else set(asked.split())
    if not wanted or not wanted <= registered:
        return _Refused(ServiceError(ErrorKind.REFUSED, "scope_refused"), "scope_refused", row.id)
    return " ".join(word for word in SCOPES if word in wanted)


def _event(at: Any, action: Action, refused: _Refused) -> Event:
    details: dict[str, str | int] = {"client": str(refused.client)} if refused.client else {}
    return Event(
        new_id(), at, action, Outcome.REFUSED, _STRANGER, reason=refused.reason, details=details
    )


def _subject(token: str) -> str | None:
    """Whom a token claims to be for, unverified: only to find the row."""
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
