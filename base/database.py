"""The database: one engine a process, one transaction a use case, and notifications."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import psycopg
from pydantic import SecretStr
from sqlalchemy import DateTime, MetaData, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from base.caller_turns import CallerTurns
from base.connections import POOL_SECONDS, BoundedConnection, conninfo, limits, replace_lost
from base.outages import outage_code
from base.part_state import PartState
from base.pipeline import Pipeline

SCHEMA = "unefois"
SERVICE_ROLE = "unefois_service"

_NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The declarative base of every table. Times are `timestamptz`."""

    metadata = MetaData(schema=SCHEMA, naming_convention=_NAMING_CONVENTION)
    type_annotation_map = {datetime: DateTime(timezone=True)}  # noqa: RUF012  (SQLAlchemy reads it)


class Database:
    """The engine and the pipeline, with their connections. `url` is never shown.

    `state` is told of each transaction whether PostgreSQL answers.
    """

    def __init__(self, url: SecretStr, *, pool: int = 20, state: PartState | None = None) -> None:
        self._url = make_url(url.get_secret_value())
        self._state = state or PartState("database")
        pipeline_size = max(1, pool * 2 // 5)
        self.pipeline = Pipeline(self.conninfo, pipeline_size, self._state)
        connections = max(2, pool - pipeline_size)
        self.engine = self._engine(connections)
        self._turns = CallerTurns(connections)
        self._separate = self._engine(2)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: committed when the block ends well, rolled back otherwise. Raises as
        `CallerTurns.take`."""
        async with self._turns.turn(), self._noted(self.engine) as connection:
            yield connection

    @asynccontextmanager
    async def separate_transaction(self) -> AsyncIterator[AsyncConnection]:
        """A short transaction on separate connections: it may open inside another one without
        waiting for the pool that the other one uses."""
        async with self._noted(self._separate) as connection:
            yield connection

    @asynccontextmanager
    async def _noted(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        """A transaction whose end tells the state of the database."""
        try:
            async with engine.begin() as connection:
                yield connection
        except Exception as error:
            note_outage(self._state, error)
            raise
        self._state.answered()

    @asynccontextmanager
    async def listening(self, *channels: str) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """A separate connection that receives `NOTIFY` on the channels."""
        try:
            connection = await BoundedConnection.connect(self.conninfo(), autocommit=True)
            try:
                for channel in channels:
                    await connection.execute(
                        psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(channel))
                    )
                yield connection
            finally:
                await connection.close()
        except psycopg.Error as error:
            note_outage(self._state, error)
            raise

    def conninfo(self) -> str:
        """The address in libpq's form. A secret: never print it."""
        return conninfo(self._url)

    async def check(self) -> None:
        """Raise unless the database answers."""
        async with self.transaction() as tx:
            await tx.execute(text("SELECT 1"))

    async def close(self) -> None:
        await self.pipeline.close()
        await self.engine.dispose()
        await self._separate.dispose()

    def _engine(self, size: int) -> AsyncEngine:
        engine = create_async_engine(
            self._url,
            pool_size=size,
            max_overflow=0,
            pool_timeout=POOL_SECONDS,
            hide_parameters=True,
            connect_args={
                **limits(self._url),
                "options": "-c timezone=UTC",
                "prepare_threshold": 2,
                "async_creator_fn": BoundedConnection.connect,
            },
        )
        replace_lost(engine)
        return engine


def note_outage(state: PartState, error: BaseException) -> None:
    """Note a failure of PostgreSQL; any other error says nothing of it."""
    code = outage_code(error)
    if code is not None:
        state.failed(code)


async def notify(connection: AsyncConnection, channel: str, payload: str) -> None:
    """Notify every process, at commit. The payload holds an id only."""
    await connection.execute(
        text("SELECT pg_notify(:channel, :payload)"), {"channel": channel, "payload": payload}
    )
