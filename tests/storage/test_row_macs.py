"""MACs of rows: nothing that a row says can be changed, moved or left out without the key."""

from collections import namedtuple
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from storage.keys import Secret
from storage.row_macs import RowAltered, RowFormat, RowMacs

COLUMNS = ("id", "owner", "name", "tags", "many", "on", "number", "at", "ended")
FORMAT = RowFormat("thing", COLUMNS)
Row = namedtuple("Row", (*COLUMNS, "mac"))
VALUES: dict[str, Any] = {
    "id": UUID(int=1),
    "owner": UUID(int=2),
    "name": "a",
    "tags": [b"12", b"3"],
    "many": {"b": 1, "a": [1]},
    "on": True,
    "number": 7,
    "at": datetime(2026, 11, 26, tzinfo=UTC),
    "ended": None,
}
OTHERS: dict[str, Any] = {
    "id": UUID(int=2),
    "owner": None,
    "name": "b",
    "tags": [b"1", b"23"],
    "many": {"b": 1, "a": [2]},
    "on": False,
    "number": 8,
    "at": VALUES["at"] + timedelta(microseconds=1),
    "ended": VALUES["at"],
}


def macs(value: bytes = b"k" * 32) -> RowMacs:
    return RowMacs(Secret("row-macs", 1, value))


def row(**changed: Any) -> Any:
    return Row(**{**macs().add(FORMAT, VALUES), **changed})


def test_a_row_that_was_written_holds() -> None:
    macs().check(FORMAT, row())


@pytest.mark.parametrize("column", COLUMNS)
def test_each_column_counts(column: str) -> None:
    with pytest.raises(RowAltered):
        macs().check(FORMAT, row(**{column: OTHERS[column]}))


@pytest.mark.parametrize("column", [*COLUMNS, "mac"])
def test_each_column_of_a_remembered_row_counts(column: str) -> None:
    often = RowFormat("thing", COLUMNS, often=True)
    ours = macs()
    values = {**VALUES, "many": ["b", "a"]}
    written = Row(**ours.add(often, values))
    other = {**OTHERS, "many": ["a", "b"], "mac": written.mac[:-1] + bytes([written.mac[-1] ^ 1])}
    for _ in range(2):
        ours.check(often, written)
        with pytest.raises(RowAltered):
            ours.check(often, written._replace(**{column: other[column]}))


def test_a_row_is_remembered_with_the_secret_that_held_it() -> None:
    often = RowFormat("thing", COLUMNS, often=True)
    values = {**VALUES, "many": ["b"]}
    ours = macs()
    written = Row(**ours.add(often, values))
    ours.check(often, written)
    ours.check(often, written)
    assert not macs(b"o" * 32).holds(often, written)


@pytest.mark.parametrize("mac", [None, b"", b"\x01", b"\x01" + bytes(32)])
def test_a_row_without_its_mac_is_refused(mac: bytes | None) -> None:
    assert not macs().holds(FORMAT, row(mac=mac))


def test_another_key_table_or_version_does_not_hold() -> None:
    assert not macs(b"j" * 32).holds(FORMAT, row())
    assert not macs().holds(RowFormat("other", COLUMNS), row())
    assert not macs().holds(RowFormat("thing", COLUMNS, version=2), row())


def test_values_moved_between_columns_do_not_hold() -> None:
    pair = RowFormat("pair", ("a", "b"))
    assert macs().of(pair, {"a": "xy", "b": "z"}) != macs().of(pair, {"a": "x", "b": "yz"})
    assert macs().of(pair, {"a": None, "b": "n"}) != macs().of(pair, {"a": "n", "b": None})
    assert macs().of(pair, {"a": [b"1"], "b": []}) != macs().of(pair, {"a": [], "b": [b"1"]})


def test_a_joined_query_names_columns_with_a_prefix() -> None:
    joined = namedtuple("joined", [f"thing_{name}" for name in (*COLUMNS, "mac")])
    assert macs().holds(FORMAT.prefixed("thing_"), joined(*row()))
