"""Someone who owns the database and the store rewrites the log: the change is found and named.

The owner of the tables may disable their triggers, but any changed entry leaves a trace that the
operator's `reconcile` or anybody's `verify` shows.
"""

from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from audit import verify
from audit.reconcile import Reconciler
from audit.tlog.publisher import Publisher
from audit.tlog.store import tile_key
from audit.tlog.tiles import Tile
from audit.tlog.witness_client import WitnessClient
from audit.verify import NotVerified
from base.embedded.server import Addresses
from tests.audit.conftest import blobs, keyring_file, log_home, log_postgres, some_log
from tests.audit.test_reconcile import change, flip
from tests.audit.test_verify import reader
from tests.audit.tlog.logs import SomeLog, add_events
from tests.audit.tlog.test_publisher import download

__all__ = ["blobs", "keyring_file", "log_home", "log_postgres", "some_log"]

LEAVES = 700


@pytest.fixture
async def published(some_log: SomeLog, tmp_path: Path) -> SomeLog:
    """A published log; `public` is the copy that someone outside keeps."""
    with some_log.owner() as connection:
        ids = add_events(connection, LEAVES)
    await some_log.integrate(ids)
    async with httpx.AsyncClient() as client:
        witnesses = WitnessClient([], client)
        await Publisher(
            some_log.database, some_log.log.store, some_log.log.prover, witnesses, 3600
        ).publish()
    await download(some_log, tmp_path / "public")
    return some_log


async def outside(some: SomeLog, folder: Path) -> None:
    """What anybody may do: fetch everything public, and verify it."""
    fetch = reader(await download(some, folder))
    now = verify.check_published(fetch, await some.log.verifier()).checkpoint
    verify.check_whole(fetch, now, lambda _done, _of: None)


async def inside(some: SomeLog) -> list[str]:
    """What the operator may do: reconcile; returns the names of the faults."""
    reconciler = Reconciler(some.database, some.log.store, await some.log.verifier())
    report = await reconciler.run(lambda _done, _of: None)
    return [fault.name for fault in report.faults]


async def test_untouched_nothing_is_found(published: SomeLog, tmp_path: Path) -> None:
    await outside(published, tmp_path)
    assert await inside(published) == []


async def test_one_row_edited_is_found_and_named(published: SomeLog, tmp_path: Path) -> None:
    with published.owner() as connection:
        row = connection.execute(
            "SELECT event_id FROM unefois.log_leaf WHERE index = 321"
        ).fetchone()
    assert row is not None
    change(
        published,
        "access_event",
        "UPDATE unefois.access_event SET sealed = sealed || '\\x00' WHERE id = %s",
        row[0],
    )
    assert await inside(published) == [f"event {row[0]} (leaf 321)"]
    await outside(published, tmp_path)  # the public log dates from before, and stays


async def test_one_tile_byte_is_found_and_named(published: SomeLog, tmp_path: Path) -> None:
    await flip(published, Tile(0, 1), 77)
    assert await inside(published) == ["tile/0/001"]
    with pytest.raises(NotVerified, match=r"tile/0/001 is not the tile"):
        await outside(published, tmp_path)


async def test_one_entry_byte_is_found_and_named(published: SomeLog, tmp_path: Path) -> None:
    await flip(published, Tile(-1, 1), 2 + 66 * 10)
    assert await inside(published) == ["entry 266 (tile/entries/001)"]
    with pytest.raises(NotVerified, match=r"entry 266 \(tile/entries/001\) is not the entry"):
        await outside(published, tmp_path)


async def test_a_history_written_anew_is_told_from_the_one_remembered(
    published: SomeLog, tmp_path: Path
) -> None:
    """The whole log again without one entry, signed by the true key: anyone who kept a checkpoint
    sees that the new log does not continue it."""
    before = verify.check_published(
        reader(tmp_path / "public"), await published.log.verifier()
    ).checkpoint
    with published.owner() as connection:
        for table in ("log_leaf", "log_checkpoint", "access_event"):
            connection.execute(f"ALTER TABLE unefois.{table} DISABLE TRIGGER USER".encode())
        connection.execute("TRUNCATE unefois.log_leaf, unefois.log_checkpoint")
        connection.execute("DELETE FROM unefois.access_event WHERE id IN"
                           " (SELECT id FROM unefois.access_event ORDER BY 1 LIMIT 1)")  # fmt: skip
        for table in ("log_leaf", "log_checkpoint", "access_event"):
            connection.execute(f"ALTER TABLE unefois.{table} ENABLE TRIGGER USER".encode())
        ids = [
            row[0]
            for row in connection.execute(
                "SELECT id FROM unefois.access_event ORDER BY id"
            ).fetchall()
        ]
        ids += add_events(connection, 200)
    while page := await published.blobs.page("log/"):
        for one in page:
            await published.blobs.delete(one.key)
    await published.integrate(ids)  # type: ignore[arg-type]  # ids
    async with httpx.AsyncClient() as client:
        witnesses = WitnessClient([], client)
        publisher = Publisher(
            published.database, published.log.store, published.log.prover, witnesses, 3600
        )
        published.log.prover._cache.clear()
        await publisher.publish()
    assert await inside(published) == []  # inside, everything agrees
    fetch = reader(await download(published, tmp_path / "anew"))
    now = verify.check_published(fetch, await published.log.verifier()).checkpoint
    with pytest.raises(NotVerified) as raised:
        verify.check_continues(fetch, now, before)
    assert raised.value.reason == "forked"


async def test_a_lost_tile_stops_no_one_from_telling(published: SomeLog, tmp_path: Path) -> None:
    await published.blobs.delete(tile_key(Tile(0, 0)))
    assert await inside(published) == ["tile/0/000"]


# The tables of the log, as the service


@pytest.fixture
def as_service(log_postgres: Addresses) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    with psycopg.connect(log_postgres.service_url.replace("+psycopg", "")) as connection:
        yield connection
        connection.rollback()


@pytest.mark.parametrize("table", ["log_leaf", "log_checkpoint", "log_key"])
@pytest.mark.parametrize("statement", ["UPDATE", "DELETE", "TRUNCATE", "DROP"])
def test_the_service_adds_and_changes_nothing(
    table: str,
    statement: str,
    as_service: "psycopg.Connection[tuple[object, ...]]",
    published: SomeLog,
) -> None:
    column = {"log_leaf": "entry", "log_checkpoint": "root", "log_key": "sealed"}[table]
    statement = {
        "UPDATE": f"UPDATE unefois.{table} SET {column} = {column}",  # noqa: S608  (our names)
        "DELETE": f"DELETE FROM unefois.{table}",  # noqa: S608  (idem)
        "TRUNCATE": f"TRUNCATE unefois.{table}",
        "DROP": f"DROP TABLE unefois.{table}",
    }[statement]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_service.execute(statement.encode())


@pytest.mark.parametrize("table", ["log_leaf", "log_checkpoint", "log_key"])
@pytest.mark.parametrize("statement", ["DELETE FROM", "TRUNCATE"])
def test_the_owner_does_not_by_mistake(table: str, statement: str, published: SomeLog) -> None:
    with (
        published.owner() as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="the log only grows"),
    ):
        connection.execute(f"{statement} unefois.{table}".encode())
