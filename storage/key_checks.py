"""Checking every wrapped secret against its root version, and every root version against the
provider: what `unefois audit reconcile` does with the tables of this layer."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.keys import context
from storage.providers import KeyProvider, KeyProviderError
from storage.records import RootVersion, WrappedKey

_PAGE = 500


async def owners_and_broken(
    connection: AsyncConnection, provider: KeyProvider
) -> tuple[set[UUID], list[UUID]]:
    """The owners that have a secret, and the rows whose secret does not unwrap."""
    owners, broken = set[UUID](), list[UUID]()
    query = select(WrappedKey.__table__).order_by(WrappedKey.id).limit(_PAGE)
    rows = (await connection.execute(query)).all()
    while rows:
        owners.update(row.owner_id for row in rows if row.owner_id is not None)
        broken += [row.id for row in rows if not await _unwraps(provider, row)]
        rows = (await connection.execute(query.where(WrappedKey.id > rows[-1].id))).all()
    return owners, broken


async def roots(connection: AsyncConnection) -> list[Row[Any]]:
    """Every root version's row, the oldest first."""
    query = select(RootVersion.__table__).order_by(RootVersion.created_at, RootVersion.id)
    return list(await connection.execute(query))


async def roots_unlike_provider(
    rows: list[Row[Any]], provider: KeyProvider
) -> list[tuple[str, bool]]:
    """The versions of which row and provider disagree: the id, and whether the provider has it."""
    found = [(row, await _has(provider, row.id)) for row in rows]
    return [(row.id, has) for row, has in found if has is not (row.destroyed_at is None)]


async def _unwraps(provider: KeyProvider, row: Row[Any]) -> bool:
    subject = row.use if row.owner_id is None else str(row.owner_id)
    try:
        await provider.unwrap(row.root_version, row.wrapped, context(subject, row.version))
    except KeyProviderError:
        return False
    return True


async def _has(provider: KeyProvider, version: str) -> bool:
    try:
        await provider.check(version)
    except KeyProviderError:
        return False
    return True
