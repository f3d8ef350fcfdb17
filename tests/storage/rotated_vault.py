"""A vault whose root version is rotated, and crashes at chosen steps of a rotation."""

import itertools
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from base.database import Database
from storage.field_encryption import FieldEncryption
from storage.keys import Keys
from storage.providers.local import LocalKeyring
from storage.row_macs import RowFormat
from tests.storage.owners import new_owner

RETENTION = timedelta(days=35)
SECRETS = 7
"""In a `Vault`: of five owners, of the service's fields, and of the MACs of rows."""

_ROW = RowFormat("client", ("id", "scope"))
_VALUES = {"id": UUID(int=2), "scope": "evidence"}

Move = Callable[[timedelta], None]


class Crash(BaseException):
    """The process dies here."""


def quiet(_done: int, _of: int) -> None:
    pass


class Vault:
    """Some owners with a sealed row each, the service with one, and a row with its MAC."""

    def __init__(self, database: Database, provider: LocalKeyring) -> None:
        self.database = database
        self.provider = provider
        self.sealed: dict[UUID | None, bytes] = {}
        self.mac: bytes | None = None

    async def add(self, owners: int) -> None:
        keys = Keys(self.database, self.provider)
        for _ in range(owners):
            owner_id = await new_owner(keys, self.database)
            self.sealed[owner_id] = (await FieldEncryption(keys).writer(owner_id)).seal(
                "document", owner_id, {"of": str(owner_id)}
            )
        service = await FieldEncryption(keys).writer(None)
        self.sealed[None] = service.seal("worker", UUID(int=1), {"of": "None"})
        self.mac = (await FieldEncryption(keys).row_macs()).of(_ROW, _VALUES)

    async def opens(self) -> None:
        """Assert that every row opens, and that the MAC holds, with empty caches."""
        fields = FieldEncryption(Keys(self.database, self.provider))
        for owner_id, sealed in self.sealed.items():
            reader = await fields.reader(owner_id)
            table, row = ("worker", UUID(int=1)) if owner_id is None else ("document", owner_id)
            assert reader.open(table, row, sealed) == {"of": str(owner_id)}
        assert (await fields.row_macs()).equals(_ROW, _VALUES, self.mac)

    async def roots(self) -> dict[str, tuple[bool, datetime | None, datetime | None]]:
        async with self.database.transaction() as tx:
            result = await tx.execute(
                text("SELECT id, active, retire_at, destroyed_at FROM unefois.root_version")
            )
            return {row.id: (row.active, row.retire_at, row.destroyed_at) for row in result}

    async def secrets_by_root(self) -> dict[str, int]:
        """The number of secrets under each root version."""
        async with self.database.transaction() as tx:
            result = await tx.execute(
                text("SELECT root_version, count(*) FROM unefois.wrapped_key GROUP BY 1")
            )
            return {row[0]: row[1] for row in result}


Step = Callable[..., Awaitable[Any]]


def crash_at(
    monkeypatch: pytest.MonkeyPatch, where: object, name: str, *, after: bool, at: int = 1
) -> None:
    """Raise `Crash` before or after the `at`-th call of a step."""
    step: Step = getattr(where, name)
    count = itertools.count(1)

    async def dying(*args: Any, **kwargs: Any) -> Any:
        now = next(count) == at
        if now and not after:
            raise Crash
        result = await step(*args, **kwargs)
        if now:
            raise Crash
        return result

    monkeypatch.setattr(where, name, dying)
