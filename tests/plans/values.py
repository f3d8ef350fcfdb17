"""Values of arguments, from one row of each table."""

import types
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID, uuid4

from base.database import Base
from tests.plans.filling import UNIQUE

Rows = Mapping[str, Mapping[str, Any]]
"""One row of each table."""


def new(table: str, *names: str) -> Callable[[Rows], list[Any]]:
    """A row like the sample one, with another key and other unique values; `names` left out."""

    def fresh_row(rows: Rows) -> list[Any]:
        columns = Base.metadata.tables[f"unefois.{table}"].columns
        found = {name: value for name, value in rows[table].items() if name not in names}
        fresh: dict[type, Callable[[], Any]] = {
            UUID: uuid4,
            bytes: lambda: uuid4().bytes * 2,
            str: lambda: uuid4().hex,
            int: lambda: 10**6,
        }
        for name, value in found.items():
            key = columns[name].primary_key and not columns[name].foreign_keys
            if (key or name in UNIQUE.get(table, ())) and type(value) in fresh:
                found[name] = fresh[type(value)]()
        return [found]

    return fresh_row


def only(*values: Any) -> Callable[[Rows], list[Any]]:
    """These values, whatever the rows."""
    return lambda _: list(values)


def of(table: str, column: str = "id") -> Callable[[Rows], list[Any]]:
    """A column of the sample row of a table."""
    return lambda rows: [rows[table][column]]


def some(table: str, column: str = "id") -> Callable[[Rows], list[Any]]:
    """The same, thrice."""
    return lambda rows: [[rows[table][column]] * 3]


def row(table: str) -> Callable[[Rows], list[Any]]:
    """The sample row of a table."""
    return lambda rows: [types.SimpleNamespace(**rows[table])]
