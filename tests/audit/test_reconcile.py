"""Reconciling: an intact log has no fault; of row, entry and tile, the altered one is named."""

from pathlib import Path
from uuid import UUID

import pytest

from audit.reconcile import BUNDLES, Reconciler, Report
from audit.tlog.store import tile_key
from audit.tlog.tiles import Tile
from tests.audit.tlog.logs import SomeLog, add_events


async def reconcile(some: SomeLog) -> Report:
    """The report of `unefois audit reconcile`."""
    reconciler = Reconciler(some.database, some.log.store, await some.log.verifier())
    return await reconciler.run(lambda _done, _of: None)


def messages(report: Report) -> list[str]:
    return [str(fault) for fault in report.faults]


async def fill(some: SomeLog, *counts: int) -> list[UUID]:
    """Add and integrate leaves, in as many checkpoints as given."""
    ids: list[UUID] = []
    for count in counts:
        with some.owner() as connection:
            added = add_events(connection, count)
        await some.integrate(added)
        ids += added
    return ids


@pytest.mark.parametrize("counts", [(), (1,), (256,), (100, 200, 300), (BUNDLES * 256 + 300, 70)])
async def test_a_whole_log_has_no_fault(some_log: SomeLog, counts: tuple[int, ...]) -> None:
    await fill(some_log, *counts)
    report = await reconcile(some_log)
    assert messages(report) == []
    assert report.leaves == sum(counts)
    assert report.checkpoints == len(counts)


def change(some: SomeLog, table: str, statement: str, *values: object) -> None:
    """Run a statement as the owner of the tables, with the triggers disabled."""
    with some.owner() as connection:
        connection.execute(f"ALTER TABLE unefois.{table} DISABLE TRIGGER USER".encode())
        assert connection.execute(statement.encode(), values).rowcount == 1
        connection.execute(f"ALTER TABLE unefois.{table} ENABLE TRIGGER USER".encode())


async def flip(some: SomeLog, tile: Tile, at: int) -> None:
    """Change one byte of a tile in the store."""
    key = tile_key(tile)
    data = bytearray(await some.blobs.get(key, 1 << 20))
    data[at] ^= 1
    await some.blobs.put(key, data)


@pytest.mark.parametrize("column", ["sealed", "commitment"])
async def test_a_row_that_was_edited_is_named(some_log: SomeLog, column: str) -> None:
    ids = await fill(some_log, 700)
    change(
        some_log,
        "access_event",
        "UPDATE unefois.access_event SET {c} = set_byte({c}, 5, (get_byte({c}, 5) + 1) %% 256)"
        " WHERE id = %s".replace("{c}", column),
        ids[300],
    )
    assert messages(await reconcile(some_log)) == [
        f"event {ids[300]} (leaf 300): the row is not the one whose leaf was signed"
    ]


async def test_a_row_that_was_deleted_and_one_that_was_slipped_in_are_named(
    some_log: SomeLog,
) -> None:
    ids = await fill(some_log, 700)
    change(some_log, "access_event", "DELETE FROM unefois.access_event WHERE id = %s", ids[0])
    change(
        some_log,
        "access_event",
        "INSERT INTO unefois.access_event (id, at, key_id, sealed, commitment)"
        " SELECT %s, at - interval '1 hour', key_id, sealed, commitment"
        " FROM unefois.access_event WHERE id = %s",
        UUID(int=ids[0].int - 1),
        ids[1],
    )
    assert messages(await reconcile(some_log)) == [
        f"leaf 0, event {ids[0]}: the leaf has no event any more",
        f"event {UUID(int=ids[0].int - 1)}: the event has no leaf",
    ]


async def test_a_leaf_that_was_edited_or_deleted_is_named(some_log: SomeLog) -> None:
    ids = await fill(some_log, 700)
    zeros = "UPDATE unefois.log_leaf SET entry = decode(repeat('00', 64), 'hex') WHERE index = %s"
    change(some_log, "log_leaf", zeros, 10)
    assert messages(await reconcile(some_log)) == ["leaf 10: the leaf's row is not what was signed"]
    change(some_log, "log_leaf", "DELETE FROM unefois.log_leaf WHERE event_id = %s", ids[10])
    assert messages(await reconcile(some_log)) == ["leaves 0 to 255: leaves are missing"]


async def test_a_checkpoint_that_was_edited_is_named(some_log: SomeLog) -> None:
    await fill(some_log, 300, 400)
    zeros = "UPDATE unefois.log_checkpoint SET root = decode(repeat('00', 32), 'hex')"
    change(some_log, "log_checkpoint", f"{zeros} WHERE size = %s", 300)
    found = await reconcile(some_log)
    assert {str(one) for one in found.faults} == {
        "checkpoint 300: the checkpoint is not of the leaves that are there"
    }


STORED = {
    "an entry": (Tile(-1, 1), 2 + 66 * 3, "entry 259 (tile/entries/001)", "entry"),
    "an entry of the partial bundle": (
        Tile(-1, 257, 208),
        2,
        "entry 65792 (tile/entries/257)",
        "entry",
    ),
    "a tile": (Tile(0, 1), 40, "tile/0/001", "tile"),
    "the partial tile": (Tile(0, 257, 208), 40, "tile/0/257.p/208", "tile"),
    "a tile above": (Tile(1, 0), 40, "tile/1/000", "tile"),
    "a partial tile above": (Tile(1, 1, 1), 10, "tile/1/001.p/1", "tile"),
    "the top": (Tile(2, 0, 1), 0, "tile/2/000.p/1", "tile"),
}


async def test_a_byte_changed_in_the_store_is_named(some_log: SomeLog) -> None:
    """In a log of three levels, filled once: each byte is put back before the next changes."""
    await fill(some_log, 66_000)
    whole = await reconcile(some_log)
    assert (messages(whole), whole.leaves) == ([], 66_000)
    for what, (tile, at, name, kind) in STORED.items():
        await flip(some_log, tile, at)
        assert messages(await reconcile(some_log)) == [
            f"{name}: the {kind} in the store is not what was signed"
        ], what
        await flip(some_log, tile, at)


async def test_what_is_missing_from_the_store_is_named(some_log: SomeLog, tmp_path: Path) -> None:
    await fill(some_log, 700)
    for tile in (Tile(0, 0), Tile(-1, 2, 188), Tile(1, 0, 2)):
        await some_log.blobs.delete(tile_key(tile))
    assert messages(await reconcile(some_log)) == [
        f"{path}: the file is missing from the store"
        for path in ("tile/0/000", "tile/entries/002.p/188", "tile/1/000.p/2")
    ]


async def test_row_and_leaf_edited_together_are_still_told_from_the_tree(
    some_log: SomeLog,
) -> None:
    """The database's owner can edit both; the store and anyone's kept checkpoint still differ."""
    ids = await fill(some_log, 700)
    change(
        some_log,
        "access_event",
        "UPDATE unefois.access_event SET commitment = decode(repeat('11', 32), 'hex')"
        " WHERE id = %s",
        ids[5],
    )
    change(
        some_log,
        "log_leaf",
        "UPDATE unefois.log_leaf l SET entry = e.commitment || sha256(e.sealed)"
        " FROM unefois.access_event e WHERE e.id = l.event_id AND l.event_id = %s",
        ids[5],
    )
    assert messages(await reconcile(some_log)) == [
        f"event {ids[5]} (leaf 5): the row is not the one whose leaf was signed",
        "leaf 5: the leaf's row is not what was signed",
    ]
