"""What PostgreSQL reads for a statement, and what of that is too much."""

import inspect
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from base.statements import Bound
from tests.plans.arguments import Call

MAX_LEFT_OUT = 0.05
"""Of a growing table, the part that a statement may read and then leave out."""
MAX_READ = 0.2
"""The part that it may read through an index: a condition may hold for nearly every row."""

_PLANNED = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")

Plan = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sent:
    """A statement as it was sent, with its values. `generic`: it is planned for any values."""

    sql: str
    values: Any = field(repr=False)
    generic: bool = False


@dataclass(frozen=True, slots=True)
class Tables:
    """The growing tables with their numbers of rows; the indexes that hold a part of a table."""

    rows: Mapping[str, int]
    partial: frozenset[str]


async def statements_of(
    call: Call, engine: AsyncEngine, plain: "psycopg.AsyncConnection[Any]"
) -> list[Sent]:
    """What a call sends. It is run, and what it did is rolled back."""
    hints = typing.get_type_hints(call.function)
    if hints.get("return") is Bound:
        bound: Bound = call.function(**call.arguments)
        generic = Sent(bound.statement.sql.decode(), None, generic=True)
        # Also run: only so is it seen what it leaves out.
        ran = await _on_engine(
            lambda connection: connection.execute(bound.statement.clause, bound.values), engine
        )
        return [generic, *ran]
    if hints["connection"] is AsyncConnection:
        return await _on_engine(
            lambda connection: call.function(connection, **call.arguments), engine
        )
    noting = _Noting(plain)
    await _finish(call.function(noting, **call.arguments))
    await plain.rollback()
    return noting.sent


async def _on_engine(run: Callable[[AsyncConnection], Any], engine: AsyncEngine) -> list[Sent]:
    sent: list[Sent] = []

    def note(_: Any, __: Any, sql: str, values: Any, ___: Any, many: bool) -> None:
        sent.append(Sent(sql, values[0] if many else values))

    async with engine.connect() as connection:
        event.listen(connection.sync_connection, "before_cursor_execute", note)
        await _finish(run(connection))
        await connection.rollback()
    return sent


async def _finish(running: Any) -> None:
    if inspect.isasyncgen(running):
        async for _ in running:
            pass
    else:
        await running


class _Noting:
    """A psycopg connection that notes what is executed."""

    def __init__(self, connection: "psycopg.AsyncConnection[Any]") -> None:
        self._connection = connection
        self.sent: list[Sent] = []

    def cursor(self, **options: Any) -> "_Noting":
        self._cursor = self._connection.cursor(**options)
        return self

    async def execute(self, sql: str | bytes, values: Any = None) -> Any:
        text = sql.decode() if isinstance(sql, bytes) else sql
        self.sent.append(Sent(text, values))
        self._cursor = self._connection.cursor(binary=True)
        return await self._cursor.execute(text.encode(), values)

    async def fetchall(self) -> list[Any]:
        rows: list[Any] = await self._cursor.fetchall()
        return rows


def plan_of(sent: Sent, connection: "psycopg.Connection[Any]") -> Plan | None:
    """Its plan, with what it read: it is run and rolled back. An insertion is only planned; so is,
    for any values, what the pipeline prepares. None for what has no plan."""
    if not sent.sql.lstrip().upper().startswith(_PLANNED):
        return None
    runs = not sent.generic and not sent.sql.lstrip().upper().startswith("INSERT")
    options = "ANALYZE, TIMING OFF" if runs else f"GENERIC_PLAN {'on' if sent.generic else 'off'}"
    with connection.transaction(force_rollback=True):
        row = connection.execute(
            f"EXPLAIN (FORMAT JSON, {options}) {sent.sql}".encode(), sent.values or None
        ).fetchone()
    assert row is not None
    plan: Plan = row[0][0]["Plan"]
    return plan


def indexes_of(plan: Plan) -> Iterator[str]:
    """The indexes that a plan uses."""
    if "Index Name" in plan:
        yield plan["Index Name"]
    for below in plan.get("Plans", ()):
        yield from indexes_of(below)


def wide_scans(plan: Plan, tables: Tables, *, limited: bool = False) -> Iterator[str]:
    """Where a plan reads a growing table from one end to the other, by itself or by an index, or
    leaves out much of what it reads; `limited`: it stops when it has enough rows."""
    fault = _fault(plan, tables, limited)
    if fault:
        yield f"{fault} {plan['Relation Name']}"
    for at, below in enumerate(plan.get("Plans", ())):
        stops = plan["Node Type"] == "Limit" or (limited and _passes(plan, at))
        yield from wide_scans(below, tables, limited=stops)


def _passes(plan: Plan, at: int) -> bool:
    """Whether a node reads its child `at` no further than it is read itself."""
    kind = plan["Node Type"]
    return kind in {"LockRows", "Result", "Unique"} or (kind == "Nested Loop" and at == 0)


def _fault(plan: Plan, tables: Tables, limited: bool) -> str | None:
    rows = tables.rows.get(plan.get("Relation Name", ""))
    kind = plan["Node Type"]
    if rows is None or kind == "ModifyTable":
        return None
    if kind in {"Seq Scan", "Sample Scan"}:
        return "sequential scan of"
    if kind != "Bitmap Heap Scan":  # which has its condition in the index below it
        narrow = "Index Cond" in plan or plan["Index Name"] in tables.partial
        if not narrow and not (limited and "Filter" not in plan):
            return f"whole index {plan['Index Name']} of"
    loops = plan.get("Actual Loops", 1)
    left_out = plan.get("Rows Removed by Filter", 0) * loops
    if left_out > rows * MAX_LEFT_OUT:
        return "filter after reading much of"
    return "much of" if plan.get("Actual Rows", 0) * loops > rows * MAX_READ else None
