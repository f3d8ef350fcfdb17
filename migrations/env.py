"""Runs the migrations as the owner of the tables, under a lock timeout, one runner at a time."""

from alembic import context
from sqlalchemy import create_engine, pool, text

from base import locks
from base.database import SCHEMA, Base
from migrations import tables

target_metadata = tables.metadata
assert target_metadata is Base.metadata  # noqa: S101  (the tables are imported)


def _is_ours(name: str | None, kind: str, parents: object) -> bool:  # noqa: ARG001
    """Only our schema is compared: procrastinate manages its own tables."""
    return name == SCHEMA if kind == "schema" else True


def run() -> None:
    """Migrate the database whose address `migrations.run` passed."""
    engine = create_engine(
        context.config.attributes["url"], poolclass=pool.NullPool, hide_parameters=True
    )
    with engine.connect() as connection:
        connection.execute(text("SET lock_timeout = '10s'"))
        connection.execute(text("SET TIME ZONE 'UTC'"))
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": locks.MIGRATIONS})
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=target_metadata,
            include_schemas=True,
            include_name=_is_ours,
            version_table_schema=SCHEMA,
            compare_type=True,
            compare_server_default=False,
        )
        context.config.attributes["before"] = context.get_context().get_current_revision()
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
    engine.dispose()


run()
