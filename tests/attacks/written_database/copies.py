"""Copies of tables, put back where something has changed since."""

from collections.abc import Iterable

from tests.vault.reconciliation.conftest import Thief


class Copies:
    """The tables (schema and name) as they are now, in a schema of their own."""

    def __init__(self, thief: Thief, schema: str, tables: Iterable[tuple[str, str]]) -> None:
        self._thief = thief
        self._schema = schema
        named = {f"{schema}.{of}_{name}": f'"{of}"."{name}"' for of, name in tables}
        thief.run(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        thief.run(f"CREATE SCHEMA {schema}")
        for copy, table in named.items():
            thief.run(f"CREATE TABLE {copy} AS TABLE {table}")
        restoring = "\n".join(_restoring(copy, table) for copy, table in named.items())
        thief.run(
            f"CREATE FUNCTION {schema}.restore() RETURNS void LANGUAGE plpgsql AS"
            f" $$BEGIN {restoring} END$$"
        )
        thief.run(f"GRANT USAGE ON SCHEMA {schema} TO unefois_service")
        thief.run(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO unefois_service")

    def restore(self) -> None:
        """Every table as it was; what has not changed is not written."""
        self._thief.run(f"SELECT {self._schema}.restore()")


def _restoring(copy: str, table: str) -> str:
    gone, new = f"TABLE {copy} EXCEPT ALL TABLE {table}", f"TABLE {table} EXCEPT ALL TABLE {copy}"
    back = f"DELETE FROM {table}; INSERT INTO {table} TABLE {copy};"  # noqa: S608  (names of tables)
    return f"IF EXISTS (({gone}) UNION ALL ({new})) THEN {back} END IF;"
