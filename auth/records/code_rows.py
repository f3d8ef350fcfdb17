"""Statements on rows that are named by a code, which one side shows and another types: those of
meetings and invitations, and of joins. `code_tag`: a keyed tag of the digits while they serve, none
once they were typed; no two rows have the same."""

from collections.abc import Mapping
from typing import Any, TypeVar

from sqlalchemy import Select, Update, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Row
from sqlalchemy.sql.dml import ReturningInsert

from base.database import Base
from storage.row_macs import RowFormat, RowMacs

Rows = TypeVar("Rows", bound=Select[Any])


def not_typed_yet(rows: Rows, table: type[Base], code_tag: bytes) -> Rows:
    """The row of a code that was not typed yet, living or expired."""
    return rows.where(table.__table__.c.code_tag == code_tag)


def to_type(rows: Rows, table: type[Base], code_tag: bytes) -> Rows:
    """The same, locked; no row while somebody else holds it: of two who type the code at once, the
    second does not wait."""
    return not_typed_yet(rows, table, code_tag).with_for_update(skip_locked=True)


def adding(table: type[Base], values: Mapping[str, Any]) -> ReturningInsert[Any]:
    """Insert a row, with its MAC; it answers nothing when its code is another's."""
    return (
        insert(table)
        .values(**values)
        .on_conflict_do_nothing(index_elements=["code_tag"])
        .returning(table.__table__.c.id)
    )


def changing(
    table: type[Base],
    row_format: RowFormat,
    macs: RowMacs,
    row: Row[Any],
    values: Mapping[str, Any],
) -> Update:
    """Change a locked row, which must be one of ours, and its MAC. Raises `RowAltered`."""
    macs.check(row_format, row)
    changed = {name: values.get(name, getattr(row, name)) for name in row_format.columns}
    mac = macs.of(row_format, changed)
    return update(table).where(table.__table__.c.id == row.id).values(**values, mac=mac)
