"""Which tables a use touches, by what it sends to the database. A use that touches nothing of a
table answers the same whatever was written there, and is not asked again.

What PostgreSQL itself reads for a statement that writes counts too: the tables that a new row
refers to, those that refer to one that goes, and what the functions of triggers name.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import psycopg
from sqlalchemy import event

from base import pipeline
from base.statements import Bound
from vault.services import Services

_TABLE = re.compile(r'\b"?unefois"?\."?(\w+)"?')
_WRITTEN = re.compile(r'\b(INSERT INTO|UPDATE|DELETE FROM)\s+"?unefois"?\."?(\w+)"?')
_LINKED = """
    SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint
    WHERE contype = 'f' AND connamespace = 'unefois'::regnamespace
"""
_TRIGGERED = """
    SELECT t.tgrelid::regclass::text, p.prosrc FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE NOT t.tgisinternal AND p.pronamespace = 'unefois'::regnamespace
"""


class Reads:
    """Notes the tables of what is sent, with those that PostgreSQL reads beside them."""

    def __init__(self, services: Services, connection: "psycopg.Connection[Any]") -> None:
        self._database = services.database
        self._beside: dict[tuple[bool, str], set[str]] = {}
        for one, other in connection.execute(_LINKED).fetchall():
            self._add(one, other, goes=False)
            self._add(other, one, goes=True)
        for table, source in connection.execute(_TRIGGERED).fetchall():
            for goes in (False, True):
                self._add(table, source, goes=goes)

    def _add(self, table: str, naming: str, *, goes: bool) -> None:
        (name,) = _TABLE.findall(table)
        self._beside.setdefault((goes, name), set()).update(_TABLE.findall(naming))

    def _of(self, statement: str) -> set[str]:
        """The tables that a statement names, and those beside the ones that it writes."""
        found = set(_TABLE.findall(statement))
        for verb, table in _WRITTEN.findall(statement):
            found |= self._beside.get((verb == "DELETE FROM", table), set())
        return found

    @contextmanager
    def noting(self) -> Iterator[set[str]]:
        """The set grows until the block ends."""
        touched: set[str] = set()

        def note(_: Any, __: Any, statement: str, *___: Any) -> None:
            touched.update(self._of(statement))

        send = pipeline._Connection._send

        def noted(self_: Any, statements: Sequence[Bound]) -> Any:
            for one in statements:
                touched.update(self._of(one.statement.sql.decode()))
            return send(self_, statements)

        with ExitStack() as stack:
            stack.enter_context(patch.object(pipeline._Connection, "_send", noted))
            for engine in (self._database.engine, self._database._separate):
                listened = (engine.sync_engine, "before_cursor_execute", note)
                event.listen(*listened)
                stack.callback(event.remove, *listened)
            yield touched
