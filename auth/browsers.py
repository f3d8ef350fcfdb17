"""Browsers that signed in before: each keeps a secret by which it is known again.

A known browser opens nothing: it has its own quota of codes, which strangers cannot spend, and a
sign-in from it is not told as new.
"""

import re
import secrets
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.records import browsers
from auth.records.browsers import BROWSER_ROW
from auth.services import CoreServices
from auth.visitor import Visitor
from base.db_time import instant
from base.ids import new_id

BROWSER_LIFE = timedelta(days=400)
"""As long as browsers keep a cookie at most (RFC 6265bis)."""
MAX_BROWSERS = 20
"""Of one account; the ones that signed in last stay known."""

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


async def remember(
    services: CoreServices, tx: AsyncConnection, kind: str, subject_id: UUID, visitor: Visitor
) -> str:
    """Make a browser known to an account that it has just signed in to; returns its secret.

    A browser that has a secret keeps it: people of one household, and the worker beside them, are
    known under it each. `kind` is `person` or `worker`. The caller MUST hold the account's lock.
    """
    given = visitor.browser
    secret = given if given and _SECRET.fullmatch(given) else secrets.token_urlsafe(32)
    macs = await services.field_encryption.row_macs()
    values = {
        "id": new_id(),
        "subject_kind": kind,
        "subject_id": subject_id,
        "secret_hash": _hash(kind, subject_id, secret),
        "used_at": await instant(tx),
    }
    await browsers.put_browser(tx, **macs.add(BROWSER_ROW, values))
    await browsers.keep_latest(tx, subject_id, MAX_BROWSERS)
    return secret


async def is_known_to_any(
    services: CoreServices,
    tx: AsyncConnection,
    kind: str,
    subject_ids: Sequence[UUID],
    visitor: Visitor,
) -> bool:
    """`is_known`, to one of several accounts: each is looked at, whatever the others say."""
    return any([await is_known(services, tx, kind, one, visitor) for one in subject_ids])


async def is_known(
    services: CoreServices, tx: AsyncConnection, kind: str, subject_id: UUID, visitor: Visitor
) -> bool:
    """Whether the browser signed in to this account before. A row made without the key counts for
    nothing. The same work for every answer."""
    macs = await services.field_encryption.row_macs()
    hashed = _hash(kind, subject_id, visitor.browser or "")
    row = await browsers.browser(tx, hashed, used_within=BROWSER_LIFE)
    if row is None:
        return False
    return (row.subject_kind, row.subject_id, row.secret_hash) == (
        kind,
        subject_id,
        hashed,
    ) and macs.holds(BROWSER_ROW, row)


async def forget_all(tx: AsyncConnection, subject_id: UUID) -> None:
    """Forget every browser of a person or a worker, with their sessions or their account."""
    await browsers.delete_browsers_of(tx, subject_id)


def _hash(kind: str, subject_id: UUID, secret: str) -> bytes:
    """Of 256 random bits, so SHA-256 is enough; with the account, so that the table does not show
    which accounts one browser uses."""
    return sha256(b"|".join((kind.encode(), subject_id.bytes, secret.encode()))).digest()
