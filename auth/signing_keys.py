"""The keys that sign access tokens: sealed at rest, rotated without refusing a living token."""

from datetime import timedelta
from weakref import WeakKeyDictionary

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.desk import Desk
from auth.records import tokens as records
from auth.records.instants import hold
from auth.tokens import MAX_LIFETIME, AccessTokens, SigningKey
from base import clock
from base.ids import new_id
from storage.fields import Fields

CACHE = timedelta(seconds=60)
# A new key is published before it signs: by then every process's cache holds it.
PAUSE = 2 * CACHE
# An old key verifies until its last token has expired wherever a cache is late.
FAREWELL = PAUSE + CACHE + MAX_LIFETIME + CACHE
_TABLE = "signing_key"
_LOCK = b"unefois signing keys"

_cache: WeakKeyDictionary[Fields, tuple[float, AccessTokens]] = WeakKeyDictionary()


def issuer(desk: Desk) -> str:
    """Who issues the tokens: the public address, without a final slash."""
    return desk.settings.public_url.rstrip("/")


def audience(desk: Desk) -> str:
    """Whom the tokens are for: the API."""
    return issuer(desk) + "/v1"


async def access_tokens(desk: Desk) -> AccessTokens:
    """Issues and checks tokens; read again from the database every minute."""
    cached = _cache.get(desk.fields)
    if cached is not None and clock.monotonic() - cached[0] < CACHE.total_seconds():
        return cached[1]
    read_at = clock.monotonic()
    keys = await _read(desk) or await _make_first(desk)
    made = AccessTokens(issuer(desk), audience(desk), keys)
    _cache[desk.fields] = (read_at, made)
    return made


async def rotate(desk: Desk) -> str:
    """Make the next signing key and set the end of the others; the new key's name."""
    key = SigningKey.generate()
    async with desk.database.transaction() as tx:
        await hold(tx, _LOCK)
        await records.retire_signing_keys(tx, FAREWELL)
        await _add(desk, tx, key)
    _cache.pop(desk.fields, None)
    return key.kid


async def _read(desk: Desk) -> list[SigningKey]:
    sealer = await desk.fields.of_service()
    async with desk.database.aside() as tx:
        rows = await records.signing_keys(tx, PAUSE)
    opened = [sealer.open(_TABLE, row.id, row.sealed)["pem"] for row in rows]
    return [SigningKey.from_pem(pem.encode()) for pem in opened]


async def _make_first(desk: Desk) -> list[SigningKey]:
    """The first key of all; of two processes at once, one makes it."""
    async with desk.database.aside() as tx:
        await hold(tx, _LOCK)
        if not await records.signing_keys(tx, PAUSE):
            await _add(desk, tx, SigningKey.generate())
    return await _read(desk)


async def _add(desk: Desk, tx: AsyncConnection, key: SigningKey) -> None:
    sealer = await desk.fields.of_service()
    row_id = new_id()
    sealed = sealer.seal(_TABLE, row_id, {"pem": key.to_pem().decode()})
    await records.add_signing_key(tx, id=row_id, kid=key.kid, sealed=sealed)
