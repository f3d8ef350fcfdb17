"""Every edit that an attacker without keys can make, as SQL: each column of each table;
rows copied, deleted, swapped between people.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

_SCHEMA = "unefois"
_COLUMNS = """
    SELECT c.table_name, c.column_name, c.data_type
    FROM information_schema.columns c JOIN information_schema.tables t
        USING (table_schema, table_name)
    WHERE c.table_schema = %s AND t.table_type = 'BASE TABLE'
    ORDER BY c.table_name, c.ordinal_position
"""
_KEYS = """
    SELECT t.relname, array_agg(a.attname ORDER BY a.attnum)
    FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
        JOIN pg_namespace n ON n.oid = t.relnamespace
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = ANY(i.indkey)
    WHERE i.indisprimary AND n.nspname = %s GROUP BY t.relname
"""
OWNERS = (
    "person_id", "subject_id", "owner_id", "recipient_id", "requester_id", "organisation_id",
    "worker_id",
)  # fmt: skip
"""Columns that say whose a row is: swapped between two rows."""

# Values that a check constraint allows, where another row has no other.
WORDS = {
    ("access_outcome", "state"): "interrupted",
    ("attempt", "kind"): "report",
    ("browser", "subject_kind"): "worker",
    ("closing_step", "way"): "email",
    ("consent_evidence", "change"): "revoked",
    ("consent_evidence", "kind"): "spoken",
    ("consent_evidence", "level"): "card_pin",
    ("consent_evidence", "channel"): "pages",
    ("consent_evidence", "heard_by"): "witness",
    ("consent_request", "answer"): "refused",
    ("consent_request", "requester_kind"): "client",
    ("document", "deposited_by_kind"): "client",
    ("document_version", "scan"): "infected",
    ("grant", "recipient_kind"): "client",
    ("grant_history", "by_kind"): "worker",
    ("grant_history", "step"): "revoked",
    ("message", "channel"): "email",
    ("pin_step", "kind"): "phone",
    ("sealed_file", "role"): "preview",
    ("session", "subject_kind"): "worker",
    ("sign_in", "kind"): "worker",
    ("sign_in_code", "lane"): "known",
    ("wrong_codes", "lane"): "known",
}


@dataclass(frozen=True, slots=True)
class Edit:
    """One thing written: `name` says what; `table` and `column` where."""

    name: str
    table: str
    column: str
    statement: sql.Composed


class Tables:
    """The tables as they are in the database: nothing here is a list that could miss one."""

    def __init__(self, connection: "psycopg.Connection[Any]", schema: str = _SCHEMA) -> None:
        self._connection = connection
        self.schema = schema
        self.columns: dict[str, dict[str, str]] = {}
        for table, column, kind in connection.execute(_COLUMNS, (schema,)).fetchall():
            self.columns.setdefault(table, {})[column] = kind
        self.keys = dict(connection.execute(_KEYS, (schema,)).fetchall())

    @staticmethod
    def nothing() -> sql.Composed:
        """No statement: the rows were written already."""
        return sql.Composed([])

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self.columns))

    def name(self, table: str) -> sql.Identifier:
        return sql.Identifier(self.schema, table)

    def edits(self, table: str, row: str) -> Iterator[Edit]:
        """Each column of the row that `row` chooses, changed; the row copied, and deleted."""
        for column, kind in self.columns[table].items():
            for how, value in self._values(table, column, kind):
                statement = sql.SQL(
                    "UPDATE {0} AS t SET {1} = {2} WHERE {3} AND t.{1} IS DISTINCT FROM {2}"
                ).format(self.name(table), sql.Identifier(column), value, sql.SQL(row))
                yield Edit(how, table, column, statement)
        for column in self.columns[table]:
            if column in OWNERS:
                yield Edit("swapped", table, column, self._swap(table, column))
        yield Edit("deleted", table, "*", self._delete(table, row))
        yield Edit("copied", table, "*", self._copy(table, row))

    def _values(self, table: str, column: str, kind: str) -> Iterator[tuple[str, sql.Composable]]:
        own = sql.SQL("t.{}").format(sql.Identifier(column))
        others = sql.SQL(
            "(SELECT o.{0} FROM {1} o WHERE o.{0} IS DISTINCT FROM t.{0} AND o.{0} IS NOT NULL"
            " ORDER BY o.ctid DESC LIMIT 1)"
        ).format(sql.Identifier(column), self.name(table))
        if kind == "timestamp with time zone":
            soon = sql.SQL("coalesce({}, unefois.now())").format(own)
            yield "later", sql.SQL("{} + interval '40 days'").format(soon)
            yield "earlier", sql.SQL("{} - interval '400 days'").format(soon)
            yield "emptied", sql.SQL("NULL")
        elif kind == "boolean":
            yield "turned", sql.SQL("NOT {}").format(own)
        elif kind in {"integer", "bigint", "smallint"}:
            yield "one more", sql.SQL("coalesce({}, 0) + 1").format(own)
        elif kind == "uuid":
            made = sql.SQL("coalesce({}, gen_random_uuid())").format(others)
            yield "another's", made
        elif kind == "bytea":
            new = sql.SQL("coalesce({}, sha256('x'::bytea))").format(others)
            yield "another's", new
            yield "flipped", sql.SQL("set_byte({0}, length({0}) - 1, 255 - get_byte({0},"
                                     " length({0}) - 1))").format(own)  # fmt: skip
        elif kind == "ARRAY":
            yield "another's", others
        elif kind == "jsonb":
            yield "another's", sql.SQL("jsonb_set({}, '{{keys,0,x}}', '\"AAAA\"')").format(own)
        else:
            word = WORDS.get((table, column))
            fallback = sql.Literal(word) if word else sql.SQL("{} || 'x'").format(own)
            yield (
                "another",
                sql.SQL("coalesce({}, {})").format(sql.SQL("NULL") if word else others, fallback),
            )

    def _key(self, table: str) -> sql.Composable:
        columns = self.keys.get(table) or list(self.columns[table])
        return sql.SQL(", ").join(sql.SQL("t.{}").format(sql.Identifier(c)) for c in columns)

    def _swap(self, table: str, column: str) -> sql.Composed:
        """The column's values, exchanged between the first two rows that differ in it."""
        return sql.SQL(
            "WITH pair AS (SELECT a.ctid AS one, b.ctid AS other, a.{1} AS of_one,"
            " b.{1} AS of_other FROM {0} a JOIN {0} b ON a.{1} IS DISTINCT FROM b.{1}"
            " AND a.{1} IS NOT NULL AND b.{1} IS NOT NULL ORDER BY a.ctid, b.ctid LIMIT 1)"
            " UPDATE {0} t SET {1} = CASE WHEN t.ctid = pair.one THEN pair.of_other"
            " ELSE pair.of_one END FROM pair WHERE t.ctid IN (pair.one, pair.other)"
        ).format(self.name(table), sql.Identifier(column))

    def _delete(self, table: str, row: str) -> sql.Composed:
        return sql.SQL("DELETE FROM {} AS t WHERE {}").format(self.name(table), sql.SQL(row))

    def _copy(self, table: str, row: str) -> sql.Composed:
        """The row once more, under another primary key."""
        keys = self.keys.get(table, [])
        values = []
        for column, kind in self.columns[table].items():
            own: sql.Composable = sql.SQL("t.{}").format(sql.Identifier(column))
            if column in keys and kind == "uuid":
                own = sql.SQL("gen_random_uuid()")
            elif column in keys and kind == "bytea":
                own = sql.SQL("sha256({})").format(own)
            elif column in keys and kind in {"integer", "bigint"}:
                own = sql.SQL("{} + 1000").format(own)
            values.append(own)
        return sql.SQL("INSERT INTO {0} SELECT {1} FROM {0} t WHERE {2} LIMIT 1").format(
            self.name(table), sql.SQL(", ").join(values), sql.SQL(row)
        )
