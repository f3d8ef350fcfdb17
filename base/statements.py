"""SQLAlchemy Core's statements, compiled once, as `base/pipeline.py` prepares and runs them."""

from collections import namedtuple
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, cast

from psycopg import abc, pq
from psycopg.adapt import Transformer
from sqlalchemy import ClauseElement, Executable
from sqlalchemy.dialects.postgresql import asyncpg

from base.column_values import encoded

_DIALECT = asyncpg.dialect()  # type: ignore[no-untyped-call]  # for its placeholders: PostgreSQL's own
_SERIAL = count(1)

Rows = Sequence[Any]
"""Named tuples, with the statement's column names."""


class RowNotWritten(RuntimeError):
    """The database accepted a statement and wrote nothing: a trigger or a rule dropped the row."""


class Statement:
    """A statement compiled once: `JUDGED(grant=…, document=…)` binds its values.

    Values left out keep those that the clause was written with. `must_write`: exactly one row, or
    `RowNotWritten` is raised.
    """

    def __init__(self, clause: Executable, *, must_write: bool = False) -> None:
        self.clause = clause.execution_options(preserve_rowcount=True) if must_write else clause
        self.must_write = must_write
        compiled = cast(ClauseElement, clause).compile(dialect=_DIALECT)
        self.name = b"unefois_%d" % next(_SERIAL)
        self.sql = str(compiled).encode()
        self._names: tuple[str, ...] = tuple(compiled.positiontup or ())  # type: ignore[attr-defined]  # of SQL compilers
        defaults = compiled.params
        self._defaults = {
            name: defaults[name] for name in self._names if defaults[name] is not None
        }
        self._known = frozenset(self._names)
        self._required = self._known - self._defaults.keys()
        self._row: Callable[[Sequence[Any]], Any] | None = None

    def __call__(self, **values: object) -> "Bound":
        """Bind the values. Raises `KeyError` for one that is missing or that the statement does
        not have."""
        if not self._required <= values.keys() <= self._known:
            raise KeyError(*sorted(values.keys() ^ self._known))
        return Bound(self, values)

    def encoded(self, values: dict[str, object]) -> list[tuple[bytes | None, pq.Format]]:
        """The values in the statement's order, encoded for PostgreSQL."""
        return [
            encoded(values[name] if name in values else self._defaults[name])
            for name in self._names
        ]

    def rows(self, result: pq.abc.PGresult, transformers: dict[bytes, abc.Transformer]) -> Rows:
        """The rows of a result. `transformers`: what decodes each statement's columns, kept for one
        connection, where a prepared statement never changes their types."""
        if not result.nfields:
            return ()
        if self._row is None:
            names = [(result.fname(index) or b"").decode() for index in range(result.nfields)]
            self._row = namedtuple("Row", names)._make  # type: ignore[attr-defined]  # of every named tuple
        known = transformers.get(self.name)
        transformer = known or Transformer()
        transformer.set_pgresult(result, set_loaders=known is None)
        transformers[self.name] = transformer
        try:
            return transformer.load_rows(0, result.ntuples, self._row)
        finally:
            transformer.set_pgresult(None, set_loaders=False)


@dataclass(frozen=True, slots=True)
class Bound:
    """A statement with its values."""

    statement: Statement
    values: dict[str, object] = field(repr=False)
