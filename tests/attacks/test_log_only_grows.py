"""Invariant 6: nobody changes an entry of the log, including the service."""

from collections.abc import Iterator
from contextlib import suppress

import httpx
import psycopg
import pytest

from base.embedded.server import Addresses
from tests.fixtures import MakePerson
from tests.steps import deposit
from tests.vault.decoding import corpus

ATTEMPTS = [
    f"{verb} {table}"
    for table in ("access_event", "access_outcome")
    for verb in ("UPDATE", "DELETE", "TRUNCATE", "DROP", "INSERT OVER")
]
_STATEMENTS = {
    "UPDATE access_event": "UPDATE unefois.access_event SET at = now()",
    "DELETE access_event": "DELETE FROM unefois.access_event",
    "TRUNCATE access_event": "TRUNCATE unefois.access_event CASCADE",
    "DROP access_event": "DROP TABLE unefois.access_event CASCADE",
    "INSERT OVER access_event": (
        "INSERT INTO unefois.access_event SELECT * FROM unefois.access_event"
        " ON CONFLICT (id) DO UPDATE SET sealed = ''"
    ),
    "UPDATE access_outcome": "UPDATE unefois.access_outcome SET state = 'completed'",
    "DELETE access_outcome": "DELETE FROM unefois.access_outcome",
    "TRUNCATE access_outcome": "TRUNCATE unefois.access_outcome",
    "DROP access_outcome": "DROP TABLE unefois.access_outcome",
    "INSERT OVER access_outcome": (
        "INSERT INTO unefois.access_outcome SELECT * FROM unefois.access_outcome"
        " ON CONFLICT (event_id) DO UPDATE SET state = 'completed'"
    ),
}
_AROUND = [
    "ALTER TABLE unefois.access_event DISABLE TRIGGER ALL",
    "DROP TRIGGER only_grows ON unefois.access_event",
    "CREATE RULE r AS ON INSERT TO unefois.access_event DO INSTEAD NOTHING",
    "SET session_replication_role = replica",
    "CREATE OR REPLACE FUNCTION unefois.refuse_change() RETURNS trigger LANGUAGE plpgsql"
    " AS 'BEGIN RETURN NULL; END'",
    "CREATE OR REPLACE FUNCTION unefois.now() RETURNS timestamptz LANGUAGE sql"
    " AS 'SELECT pg_catalog.now()'",
    "ALTER TABLE unefois.access_event OWNER TO unefois_service",
    "GRANT DELETE ON unefois.access_event TO unefois_service",
    "SET ROLE unefois_owner",
]


@pytest.fixture
async def _some_lines(client: httpx.AsyncClient, make_person: MakePerson) -> None:
    person = await make_person()
    document = await deposit(client, person, corpus.pdf(1))
    await client.get(f"/v1/documents/{document['id']}/content", headers=person.headers)


@pytest.fixture
def as_service(
    postgres: Addresses, _some_lines: None
) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(postgres.service_url.replace("+psycopg", "")) as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def as_owner(
    postgres: Addresses, _some_lines: None
) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(postgres.owner_url.replace("+psycopg", "")) as connection:
        yield connection
        connection.rollback()


@pytest.mark.parametrize("attempt", ATTEMPTS)
async def test_the_service_cannot_change_the_log(
    attempt: str, as_service: psycopg.Connection[tuple[object, ...]]
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_service.execute(_STATEMENTS[attempt].encode())


@pytest.mark.parametrize("around", _AROUND)
async def test_the_service_cannot_get_around_it(
    around: str, as_service: psycopg.Connection[tuple[object, ...]]
) -> None:
    """Refused, or without effect (GRANT only warns)."""
    as_service.autocommit = True
    with suppress(psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidParameterValue):
        as_service.execute(around.encode())
        assert around.startswith("GRANT")
    for statement in ("DELETE FROM unefois.access_event", "TRUNCATE unefois.access_event"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            as_service.execute(statement.encode())


@pytest.mark.parametrize("attempt", [one for one in ATTEMPTS if "DROP" not in one])
async def test_the_tables_owner_is_refused_by_trigger(
    attempt: str, as_owner: psycopg.Connection[tuple[object, ...]]
) -> None:
    """The tables' owner could drop the trigger; nobody changes an entry by mistake."""
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="the log only grows"):
        as_owner.execute(_STATEMENTS[attempt].encode())


async def test_the_service_can_add_a_line(
    as_service: psycopg.Connection[tuple[object, ...]],
) -> None:
    added = as_service.execute(
        "INSERT INTO unefois.access_event (id, at, key_id, sealed, commitment)"
        " VALUES (gen_random_uuid(), now(), gen_random_uuid(), '', decode(repeat('00', 32), 'hex'))"
    )
    assert added.rowcount == 1
