"""On a filled database no statement reads a table that grows from one end to the other.

Every function of the `records` files is called, in each way that its arguments allow; what it sends
is noted and explained. A new function, table, argument or index needs no line here to be checked.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from psycopg.errors import Error
from sqlalchemy.ext.asyncio import AsyncEngine

from base.statements import Statement
from tests.plans import arguments, filling
from tests.plans.conftest import Filled
from tests.plans.explain import Sent, indexes_of, plan_of, statements_of, wide_scans

pytestmark = pytest.mark.slow

WHOLE_TABLE = {
    "auth.records.closings.count_told": "on command: everyone who was told of a closing",
    "auth.records.closings.count_exported": "on command: everyone who took their papers away",
    "auth.records.closings.count_there": "on command: every vault and every worker",
    "auth.records.messages.messages": "the inbox of the demonstration, which keeps few messages",
    "vault.consent.records.labels.delete_old_labels": "once an hour: any may have to go",
    "vault.maintenance.records.erased_marks": "once a note of erasures, which has all of them",
    "storage.records.roots_in_use": "once a backup, which copies everything",
    "storage.records.sealed_files": "once a backup, which copies every file",
}
"""What may read a growing table whole, each with the reason."""

OUTSIDE = {
    "audit/reconcile.py": "compares the whole log with its tree, on command",
    "base/database.py": "notifies, and asks whether the database answers",
    "base/db_time.py": "reads the clock",
    "base/locks.py": "takes advisory locks",
    "base/pipeline.py": "begins and ends transactions",
    "storage/backup/restoration_state.py": "a comment on the schema, at the start and on command",
    "storage/key_checks.py": "reads every key, on command",
    "vault/jobs.py": "defers jobs by procrastinate's own function",
    "vault/maintenance/bound_rows.py": "writes every row once, on command",
    "vault/reconciliation/key_checks.py": "reads every key, on command",
    "vault/reconciliation/replay.py": "reads the whole log, on command",
    "vault/reconciliation/replayed_accounts.py": "reads every account, on command",
    "vault/reconciliation/replayed_anchors.py": "reads every anchor, on command",
    "vault/reconciliation/replayed_closings.py": "reads every closing, on command",
    "vault/reconciliation/replayed_documents.py": "reads every document, on command",
    "vault/reconciliation/replayed_erasures.py": "reads every erasure, on command",
    "vault/reconciliation/replayed_grants.py": "reads every grant, on command",
    "vault/reconciliation/replayed_means.py": "reads every card and PIN, on command",
    "vault/reconciliation/replayed_reports.py": "reads every report, on command",
    "vault/reconciliation/replayed_representations.py": "reads every representation, on command",
    "vault/reconciliation/replayed_requests.py": "reads every request, on command",
    "vault/reconciliation/replayed_sessions.py": "reads every session, on command",
    "vault/reconciliation/replayed_recoveries.py": "reads every recovery, on command",
    "vault/reconciliation/replayed_trust.py": "reads every trusted person, on command",
    "vault/reconciliation/replayed_vaults.py": "reads every person, on command",
    "vault/reconciliation/snapshot.py": "reads whole tables, on command",
    "vault/reconciliation/version_files.py": "reads every file's row, on command",
    "web/process/services.py": "reads the privileges and the migration, at the start",
}
"""The files that write SQL without being `records` files, each with the reason."""

NO_TABLE = {"base.db_time", "base.locks", "vault.jobs"}
"""The modules whose statements read no table of ours."""

_SQL = {"select", "insert", "update", "delete", "text"}


@dataclass(slots=True)
class Seen:
    """What the plans of all statements read."""

    wide: dict[str, set[str]] = field(default_factory=dict)
    indexes: set[str] = field(default_factory=set)
    pipeline: set[str] = field(default_factory=set)


@pytest.fixture(scope="module")
async def cache() -> dict[str, Seen]:
    return {}


@pytest.fixture
async def seen(filled: Filled, engine: AsyncEngine, cache: dict[str, Seen]) -> Seen:
    """Every statement, planned once."""
    if "seen" not in cache:
        cache["seen"] = await _see_all(filled, engine)
    return cache["seen"]


async def _see_all(filled: Filled, engine: AsyncEngine) -> Seen:
    found = Seen()
    plain = await filled.connect_plain()
    with filled.connect() as connection:
        for function in arguments.functions():
            planned = 0
            for call in arguments.calls(function, filled.rows):
                for sent in await statements_of(call, engine, plain):
                    planned += 1
                    _note(found, call.name, sent, filled, connection)
            assert planned, f"{function.__module__}.{function.__name__} was never planned"
    await plain.close()
    return found


def _note(found: Seen, name: str, sent: Sent, filled: Filled, connection: Any) -> None:
    plan = plan_of(sent, connection)
    if plan is None:
        return
    found.indexes.update(indexes_of(plan))
    if sent.generic:
        found.pipeline.add(sent.sql)
    for scan in wide_scans(plan, filled.tables):
        found.wide.setdefault(name, set()).add(scan)


async def test_no_statement_reads_a_growing_table_from_end_to_end(seen: Seen) -> None:
    assert {name: scans for name, scans in seen.wide.items() if name not in WHOLE_TABLE} == {}


async def test_what_may_read_a_whole_table_still_does(seen: Seen) -> None:
    assert sorted(WHOLE_TABLE) == sorted(name for name in seen.wide if name in WHOLE_TABLE)


async def test_every_statement_of_the_pipeline_is_planned(seen: Seen) -> None:
    made = {
        one.sql.decode()
        for name, module in sorted(sys.modules.items())
        if name.partition(".")[0] in arguments.LAYERS and name not in NO_TABLE
        for one in vars(module).values()
        if isinstance(one, Statement)
    }
    assert made
    assert made <= seen.pipeline


async def test_no_index_is_written_that_nothing_reads(filled: Filled, seen: Seen) -> None:
    with filled.connect() as connection:
        there = connection.execute(
            "SELECT c.relname, i.indisunique, i.indrelid::regclass::text, a.attname FROM pg_index i"
            " JOIN pg_class c ON c.oid = i.indexrelid"
            " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
            " WHERE c.relnamespace = 'unefois'::regnamespace"
        ).fetchall()
        referring = {(table, name) for table, name in _referring(connection)}
    unread = {
        name
        for name, unique, table, first in there
        if not unique and name not in seen.indexes and (table, first) not in referring
    }
    assert unread == set()


async def test_what_refers_to_a_row_that_goes_is_found_by_an_index(filled: Filled) -> None:
    """Deleting a row looks for what refers to it: PostgreSQL shows no plan for that."""
    with filled.connect() as connection:
        led = set(
            connection.execute(
                "SELECT i.indrelid::regclass::text, a.attname FROM pg_index i JOIN pg_attribute a"
                " ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] WHERE i.indpred IS NULL"
            ).fetchall()
        )
        without = [
            (table, column)
            for table, column in _referring(connection)
            if (table, column) not in led
            and table.removeprefix("unefois.").strip('"') not in filling.SMALL
        ]
    assert without == []


def _referring(connection: Any) -> Iterator[tuple[str, str]]:
    """The first columns of foreign keys: table and name."""
    yield from connection.execute(
        "SELECT k.conrelid::regclass::text, a.attname FROM pg_constraint k JOIN pg_attribute a"
        " ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]"
        " WHERE k.contype = 'f' AND k.connamespace = 'unefois'::regnamespace"
    ).fetchall()


@pytest.mark.parametrize(
    ("index", "function"),
    [
        ("ix_sealed_file_person_id", "vault.documents.records.blob_keys_of"),
        ("uq_audit_key_owner_year", "audit.records.audit_key"),
        ("ix_access_event_actor_tag_at_id", "vault.access_log.records.actions_between"),
        ("ix_grant_catalogue_edition_ends_at",
         "vault.consent.records.grants.people_with_outdated_grants"),
    ],
)  # fmt: skip
async def test_a_missing_index_is_seen(
    filled: Filled, engine: AsyncEngine, index: str, function: str
) -> None:
    plain = await filled.connect_plain()
    one = next(
        one for one in arguments.functions() if f"{one.__module__}.{one.__name__}" == function
    )
    with filled.connect() as connection, connection.transaction(force_rollback=True):
        sent = [
            sent
            for call in arguments.calls(one, filled.rows)
            for sent in await statements_of(call, engine, plain)
        ]
        connection.execute(f"DROP INDEX unefois.{index}".encode())
        found = [
            scan for each in sent for scan in wide_scans(_plan(each, connection), filled.tables)
        ]
    await plain.close()
    assert found


_BUSY = "actor_tag = sha256('busy0'::bytea)"


@pytest.mark.parametrize(
    ("where", "by", "fault"),
    [
        # A condition that nearly every row meets reads the table, by whatever index.
        ("id > '00000000-0000-7000-8000-000000000001'", "indexscan", "much of access_event"),
        (
            f"{_BUSY} AND length(sealed) = 0",
            "indexscan",
            "filter after reading much of access_event",
        ),
        (
            f"{_BUSY} AND length(sealed) = 0",
            "bitmapscan",
            "filter after reading much of access_event",
        ),
    ],
)
async def test_a_condition_that_leaves_most_of_the_table_is_seen(
    filled: Filled, where: str, by: str, fault: str
) -> None:
    with filled.connect() as connection:
        for way in {"seqscan", "indexscan", "bitmapscan"} - {by}:
            connection.execute(f"SET enable_{way} = off".encode())
        sent = Sent(f"SELECT * FROM unefois.access_event WHERE {where}", None)  # noqa: S608  (ours)
        assert list(wide_scans(_plan(sent, connection), filled.tables)) == [fault]


async def test_what_the_pipeline_prepares_is_also_run(filled: Filled, engine: AsyncEngine) -> None:
    """Planned for any values, a statement tells nothing of what it reads and leaves out."""
    plain = await filled.connect_plain()
    one = next(one for one in arguments.functions() if one.__name__ == "grant_for_use")
    (call,) = arguments.calls(one, filled.rows)
    sent = await statements_of(call, engine, plain)
    await plain.close()
    with filled.connect() as connection:
        plans = [_plan(each, connection) for each in sent]
    assert ["Actual Rows" in plan for plan in plans] == [False, True]


def _plan(sent: Sent, connection: Any) -> dict[str, Any]:
    try:
        return plan_of(sent, connection) or {"Node Type": "Result"}
    except Error as error:
        raise AssertionError(sent.sql) from error


def test_sql_stands_in_the_records_files() -> None:
    found = set()
    for layer in arguments.LAYERS:
        for path in sorted((arguments.ROOT / layer).rglob("*.py")):
            name = path.relative_to(arguments.ROOT)
            if "records" not in name.with_suffix("").parts and _writes_sql(path):
                found.add(str(name))
    assert found == set(OUTSIDE)


def _writes_sql(path: Path) -> bool:
    """Whether a file imports what statements are made with from SQLAlchemy."""
    return any(
        isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith("sqlalchemy")
        and any(one.name in _SQL for one in node.names)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    )
