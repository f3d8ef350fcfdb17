"""Opening the services of one process, all or none, and closing them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

import migrations
from audit.audit_log import AuditLog
from audit.tlog.keys import InvalidOrigin
from audit.tlog.transparency_log import TransparencyLog
from base.database import SCHEMA, Database
from base.db_time import instant
from base.outages import outage_code
from base.part_state import PartStates
from base.settings import Settings
from storage.backends import Storage, open_storage
from storage.backup import restoration_state
from vault.decoding.decoder import Decoder
from vault.decoding.media import Limits
from vault.decoding.processor_budget import ProcessorBudget
from vault.delivery_status import DeliveryStatusWriter
from vault.revocations import Revocations
from vault.services import Services
from web.i18n.translations import translator
from web.printouts.export_page import export_page
from web.printouts.foreign_receipts import receipts_paper

# Whether this role may insert into the log's tables, and do nothing else there (invariant 6).
_LOG_PRIVILEGES = text(
    "SELECT bool_and(has_table_privilege(name, 'INSERT'))"
    " AND NOT bool_or(has_table_privilege(name, 'UPDATE')"
    "   OR has_table_privilege(name, 'DELETE') OR has_table_privilege(name, 'TRUNCATE'))"
    " AND current_setting('transaction_read_only') = 'off'"
    " FROM unnest(ARRAY['unefois.access_event', 'unefois.access_outcome',"
    "   'unefois.log_leaf', 'unefois.log_checkpoint', 'unefois.log_key']) AS name"
)


class CannotServe(RuntimeError):
    """The service must not start in this state; the message says what to do."""


@asynccontextmanager
async def open_services(settings: Settings, *, restored: bool = False) -> AsyncIterator[Services]:
    """The services, all started; stopped in reverse order when the block ends.

    `settings.database_url` must be set: the supervisor fills in that of an embedded PostgreSQL.
    Raises `CannotServe` when the tables are not this release's, the log cannot be written, or
    erasures are still to be applied after a restoration, unless `restored`: for what does that.
    """
    if settings.database_url is None:
        raise CannotServe("no DATABASE_URL, and no embedded PostgreSQL was started")
    async with AsyncExitStack() as opened:
        parts = PartStates()
        database = Database(
            settings.database_url, pool=settings.database_pool, state=parts.database
        )
        opened.push_async_callback(database.close)
        await check_database(database, restored=restored)
        async with database.transaction() as tx:
            await instant(tx)  # the process's clock is the database's from here on
        storage = open_storage(settings, database, parts)
        opened.push_async_callback(storage.blobs.close)
        services = Services(
            settings=settings,
            parts=parts,
            database=database,
            field_encryption=storage.field_encryption,
            audit_log=AuditLog(database, storage.field_encryption),
            translate=translator(),
            storage=storage,
            transparency_log=await _log(settings, database, storage),
            decoder=Decoder(_limits(settings)),
            delivery_status=DeliveryStatusWriter(database, storage.field_encryption),
            revocations=Revocations(
                database,
                key_channel=storage.keys.channel,
                forget_key=storage.keys.forget,
                forget_all=storage.keys.forget_all,
            ),
            export_page=export_page,
            receipts_paper=receipts_paper,
        )
        services.decoder.budget = ProcessorBudget(services)
        for part in (services.decoder, services.revocations, services.delivery_status):
            opened.push_async_callback(part.stop)
            await part.start()
        yield services


async def _log(settings: Settings, database: Database, storage: Storage) -> TransparencyLog:
    """Raises `CannotServe` when the settings do not match the existing log."""
    log = TransparencyLog(settings, database, storage.field_encryption, storage.blobs)
    try:
        await log.keys.check()
    except InvalidOrigin as error:
        raise CannotServe(str(error)) from None
    return log


async def check_database(database: Database, *, restored: bool = False) -> None:
    """Raise `CannotServe` unless the tables are this release's, the log only grows, and nobody who
    was erased is back; the last may be so where `restored`."""
    try:
        revision = await _revision(database)
        writable = revision is not None and await log_is_sound(database)
        async with database.transaction() as tx:
            unfinished = await restoration_state.is_unfinished(tx)
    except (SQLAlchemyError, psycopg.Error, OSError) as error:
        code = outage_code(error) or type(error).__name__
        raise CannotServe(f"the database does not answer ({code}): see DATABASE_URL") from None
    if revision != head():
        raise CannotServe(
            "the tables are not those of this release: run `unefois migrate` (or"
            " `init`), with MIGRATIONS_DATABASE_URL unless the database is the embedded one"
        )
    if not writable:
        raise CannotServe(
            "the log cannot be trusted: the role of DATABASE_URL must be able to insert into"
            " unefois.access_event and nothing else there; use a login that is a member of"
            " unefois_service only, on a server that takes writes"
        )

    if unfinished and not restored:
        raise CannotServe(
            "this database was restored, and vaults that were erased since the backup are back in"
            " it: run `unefois erasures apply FILE`, with the last note of `unefois erasures"
            " export` (or `--none`)"
        )


async def log_is_sound(database: Database) -> bool:
    """Whether this role may add to the log and do nothing else there (invariants 1 and 6)."""
    async with database.transaction() as tx:
        return bool((await tx.execute(_LOG_PRIVILEGES)).scalar_one())


def head() -> str:
    """The revision that this release's code was written for: the last of its files. Alembic, which
    would say it too, costs each process 10 MiB (a test compares the two)."""
    files = (Path(migrations.__file__).parent / "versions").glob("[0-9]*_*.py")
    return max(file.name.partition("_")[0] for file in files)


async def _revision(database: Database) -> str | None:
    """The revision that the database is at; None when it was never migrated."""
    async with database.transaction() as tx:
        table = f"{SCHEMA}.alembic_version"
        present = await tx.execute(text("SELECT to_regclass(:table)"), {"table": table})
        if present.scalar_one() is None:
            return None
        result = await tx.execute(text(f"SELECT version_num FROM {table}"))  # noqa: S608  (our name)
        revision: str | None = result.scalar_one_or_none()
        return revision


def _limits(settings: Settings) -> Limits:
    return Limits(
        input_bytes=settings.max_document_bytes,
        parts=settings.max_parts,
        children=settings.decoders,
    )
