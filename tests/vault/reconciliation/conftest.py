"""A PostgreSQL of its own, whose superuser writes the tables without the service's keys.

The tests of this folder reconcile the whole database, so nothing else may have written to it: each
file has a database of its own, whatever the order of the files.
"""

import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from base.embedded.programs import OWNER
from base.embedded.server import Addresses, EmbeddedPostgres
from base.settings import Settings
from migrations.run import upgrade
from tests.fixtures import _ServicesPool

Row = dict[str, Any]


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="uf-", dir=memory if memory.is_dir() else None))
    yield folder / "h"
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def postgres(home: Path) -> Iterator[Addresses]:
    """The owner of the tables is a superuser here: they may also disable foreign keys."""
    server = EmbeddedPostgres(home)
    upgrade(SecretStr(server.start().owner_url))
    server.stop()
    server._run_statements(server._data, server._account(), [f"ALTER ROLE {OWNER} SUPERUSER"])
    yield server.start()
    server.stop()


@pytest.fixture(scope="module")
def base_settings(home: Path, postgres: Addresses) -> Settings:
    return Settings(
        mode="demo",
        home=home,
        database_url=SecretStr(postgres.service_url),
        migrations_database_url=SecretStr(postgres.owner_url),
        database_pool=10,
        messenger="inbox",
        key_provider="local",
        blob_store="directory",
        sign_ins_per_hour_from_one_address=1_000_000,
        failures_at_once=1_000_000,
    )


@pytest.fixture(scope="module")
async def services_pool(postgres: Addresses) -> AsyncIterator[_ServicesPool]:
    pool = _ServicesPool()
    yield pool
    await pool.close()


class Thief:
    """Writes the tables as a superuser, with every trigger and foreign key disabled."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self.connection = connection
        self.run("SET session_replication_role = replica")

    def run(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        cursor = self.connection.execute(statement.encode(), values)
        return cursor.fetchall() if cursor.description else []

    def take(self, table: str, name: object, key: str = "id") -> list[Row]:
        """The rows of a table that have that key, whole."""
        query = sql.SQL("SELECT to_jsonb(t) FROM unefois.{} t WHERE {} = %s")
        found = self.connection.execute(
            query.format(sql.Identifier(table), sql.Identifier(key)), (name,)
        )
        return [row[0] for row in found.fetchall()]

    def put(self, table: str, *rows: Row) -> None:
        """Insert rows as they were taken, in place of those with their id."""
        for row in rows:
            if "id" in row:
                self.remove(table, row["id"])
            query = sql.SQL(
                "INSERT INTO unefois.{0} SELECT * FROM jsonb_populate_record(NULL::unefois.{0}, %s)"
            )
            self.connection.execute(query.format(sql.Identifier(table)), (json.dumps(row),))

    def remove(self, table: str, name: object, key: str = "id") -> None:
        query = sql.SQL("DELETE FROM unefois.{} WHERE {} = %s")
        self.connection.execute(query.format(sql.Identifier(table), sql.Identifier(key)), (name,))

    @contextmanager
    def changing(self, *tables: str) -> Iterator[None]:
        """Puts these tables back, whole, when the block ends."""
        for table in tables:
            self.run(f'CREATE TEMP TABLE "kept_{table}" AS TABLE unefois."{table}"')
        try:
            yield
        finally:
            for table in tables:
                self.run(f'DELETE FROM unefois."{table}"')  # noqa: S608  (our names)
                self.run(f'INSERT INTO unefois."{table}" TABLE "kept_{table}"')
                self.run(f'DROP TABLE "kept_{table}"')


@pytest.fixture
def thief(postgres: Addresses) -> Iterator[Thief]:
    url = postgres.owner_url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        yield Thief(connection)
