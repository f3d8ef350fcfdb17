"""The database: one engine a process, one transaction a use case, and notifications."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, cast

import psycopg
from pydantic import SecretStr
from sqlalchemy import DateTime, MetaData, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase

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
    """The engine and the pipeline, with their connections. `url` is never shown."""

    def __init__(self, url: SecretStr, *, pool: int = 20) -> None:
        self._url = url
        pipeline_size = max(1, pool * 2 // 5)
        self.pipeline = Pipeline(self.libpq_url, pipeline_size)
        self.engine = self._engine(max(2, pool - pipeline_size))
        self._separate = self._engine(2)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: committed when the block ends well, rolled back otherwise."""
        async with self.engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def separate_transaction(self) -> AsyncIterator[AsyncConnection]:
        """A short transaction on separate connections: it may open inside another one without
        waiting for the pool that the other one uses."""
        async with self._separate.begin() as connection:
            yield connection

    @asynccontextmanager
    async def listening(self, *channels: str) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """A separate connection that receives `NOTIFY` on the channels."""
        connection = await psycopg.AsyncConnection.connect(self.libpq_url(), autocommit=True)
        try:
            for channel in channels:
                await connection.execute(
                    psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(channel))
                )
            yield connection
        finally:
            await connection.close()

    def libpq_url(self) -> str:
        """The address in libpq's form. A secret: never print it."""
        url = make_url(self._url.get_secret_value()).set(drivername="postgresql")
        return url.render_as_string(hide_password=False)

    async def check(self) -> None:
        """Raise unless the database answers."""
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        await self.pipeline.close()
        await self.engine.dispose()
        await self._separate.dispose()

    def _engine(self, size: int) -> AsyncEngine:
        return create_async_engine(
            self._url.get_secret_value(),
            pool_size=size,
            max_overflow=0,
            pool_timeout=30,
            hide_parameters=True,
            connect_args={"options": "-c timezone=UTC", "prepare_threshold": 2},
        )


async def psycopg_connection(connection: AsyncConnection) -> psycopg.AsyncConnection[Any]:
    """The psycopg connection under a SQLAlchemy one, in the same transaction."""
    raw = await connection.get_raw_connection()
    return cast("psycopg.AsyncConnection[Any]", raw.driver_connection)


async def notify(connection: AsyncConnection, channel: str, payload: str) -> None:
    """Notify every process, at commit. The payload holds an id only."""
    await connection.execute(
        text("SELECT pg_notify(:channel, :payload)"), {"channel": channel, "payload": payload}
    )
