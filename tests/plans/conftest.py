"""A PostgreSQL of its own, filled once: what is planned on a full database."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

import migrations.tables  # noqa: F401  (every table)
from base.database import Base
from base.embedded.programs import OWNER
from base.embedded.server import EmbeddedPostgres
from migrations.run import upgrade
from tests.plans import filling
from tests.plans.arguments import SAMPLE
from tests.plans.explain import Tables
from tests.plans.values import Rows

_NO_KEYS = "-c session_replication_role=replica"
"""A row like another one may refer to nothing: foreign keys are not checked here."""


@dataclass(frozen=True, slots=True)
class Filled:
    """The database, and a row of each table."""

    url: str = field(repr=False)
    rows: Rows = field(repr=False)
    tables: Tables

    def connect(self) -> "psycopg.Connection[Any]":
        return psycopg.connect(self.url, autocommit=True, options=_NO_KEYS)

    async def connect_plain(self) -> "psycopg.AsyncConnection[Any]":
        return await psycopg.AsyncConnection.connect(self.url, options=_NO_KEYS)


@pytest.fixture(scope="session")
def filled() -> Iterator[Filled]:
    """Filled by a superuser."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="uf-", dir=memory if memory.is_dir() else None))
    server = EmbeddedPostgres(folder / "h")
    try:
        url = server.start().owner_url
        upgrade(SecretStr(url))
        server.stop()
        server._run_statements(server._data, server._account(), [f"ALTER ROLE {OWNER} SUPERUSER"])
        server.start()
        yield _filled(url.replace("+psycopg", ""))
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def engine(filled: Filled) -> AsyncIterator[AsyncEngine]:
    """Connects as the service's engine does."""
    engine = create_async_engine(
        filled.url.replace("postgresql:", "postgresql+psycopg:"),
        connect_args={"options": f"-c timezone=UTC {_NO_KEYS}", "prepare_threshold": 2},
    )
    yield engine
    await engine.dispose()


def _filled(url: str) -> Filled:
    with psycopg.connect(url) as connection:
        filling.fill(connection)
    with psycopg.connect(url, row_factory=dict_row) as connection:
        rows = {
            table.name: _row(connection, table.name, _sample(table.name))
            for table in Base.metadata.sorted_tables
        }
        rows["last_event"] = _row(connection, "access_event", 60_000 - 20)
        rows["leafless_event"] = _row(connection, "access_event", 60_000 - 1)
        rows["last_person"] = _row(connection, "person", 10_000 - 1)
        partial = connection.execute(
            "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
            " WHERE i.indpred IS NOT NULL"
        )
        indexes = frozenset(str(row["relname"]) for row in partial)
    tables = {name: filling.rows_of(name) for name in filling.growing()}
    return Filled(url, rows, Tables(tables, indexes))


def _sample(table: str) -> int:
    rows = filling.rows_of(table) if table != "log_watch" else 1
    return min(SAMPLE, rows - 1)


def _row(connection: "psycopg.Connection[Any]", table: str, offset: int) -> dict[str, Any]:
    query = f'SELECT * FROM unefois."{table}" OFFSET {offset} LIMIT 1'  # noqa: S608  (our names)
    row = connection.execute(query.encode()).fetchone()
    assert row is not None, table
    return dict(row)
