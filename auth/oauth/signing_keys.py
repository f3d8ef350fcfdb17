"""The keys that sign access tokens: sealed at rest, rotated without refusing a valid token."""

from datetime import timedelta
from weakref import WeakKeyDictionary

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.oauth import records
from auth.oauth.tokens import MAX_LIFETIME, AccessTokens, SigningKey
from auth.services import CoreServices
from base import clock
from base.ids import new_id
from base.key_names import SIGNING_KEY
from base.locks import SIGNING_KEYS, hold_tag
from storage.field_encryption import FieldEncryption

CACHE = timedelta(seconds=60)
# A new key is published before it signs: by then every process's cache holds it.
PAUSE = 2 * CACHE
# An old key verifies until its last token has expired, even where a process's cache is late.
RETIRE_AFTER = PAUSE + CACHE + MAX_LIFETIME + CACHE

_cache: WeakKeyDictionary[FieldEncryption, tuple[float, AccessTokens]] = WeakKeyDictionary()


def issuer(services: CoreServices) -> str:
    """Who issues the tokens: the public address, without a final slash."""
    return services.settings.public_url.rstrip("/")


def audience(services: CoreServices) -> str:
    """The tokens' audience: the API."""
    return issuer(services) + "/v1"


async def access_tokens(services: CoreServices) -> AccessTokens:
    """What issues and checks tokens; its keys are read again from the database every minute."""
    cached = _cache.get(services.field_encryption)
    if cached is not None and clock.monotonic() - cached[0] < CACHE.total_seconds():
        return cached[1]
    read_at = clock.monotonic()
    keys = await _read(services) or await _create_first(services)
    tokens = AccessTokens(issuer(services), audience(services), keys)
    _cache[services.field_encryption] = (read_at, tokens)
    return tokens


async def rotate(services: CoreServices) -> str:
    """Create the next signing key and retire the others; returns the new key's `kid`."""
    key = SigningKey.generate()
    async with services.database.transaction() as tx:
        await hold_tag(tx, SIGNING_KEYS)
        await records.retire_signing_keys(tx, RETIRE_AFTER)
        await _add(services, tx, key)
    _cache.pop(services.field_encryption, None)
    return key.kid


async def _read(services: CoreServices) -> list[SigningKey]:
    reader = await services.field_encryption.reader(None)
    async with services.database.separate_transaction() as tx:
        rows = await records.signing_keys(tx, PAUSE)
    opened = [reader.open(SIGNING_KEY, row.id, row.sealed)["pem"] for row in rows]
    return [SigningKey.from_pem(pem.encode()) for pem in opened]


async def _create_first(services: CoreServices) -> list[SigningKey]:
    """Create the very first key; of two processes at once, one does."""
    async with services.database.separate_transaction() as tx:
        await hold_tag(tx, SIGNING_KEYS)
        if not await records.signing_keys(tx, PAUSE):
            await _add(services, tx, SigningKey.generate())
    return await _read(services)


async def _add(services: CoreServices, tx: AsyncConnection, key: SigningKey) -> None:
    writer = await services.field_encryption.writer(None)
    row_id = new_id()
    sealed = writer.seal(SIGNING_KEY, row_id, {"pem": key.to_pem().decode()})
    await records.add_signing_key(tx, id=row_id, kid=key.kid, sealed=sealed)
