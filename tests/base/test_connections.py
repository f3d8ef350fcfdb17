"""Addresses whose password holds any character, for each way in which the service connects."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import procrastinate
import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import Text, bindparam, select, text
from sqlalchemy.engine import URL, make_url

from base.connections import conninfo
from base.database import Database
from base.embedded.server import Addresses, EmbeddedPostgres
from base.pipeline import Statement
from migrations.run import upgrade
from storage.backup.database_dump import dump

ODD = [" ", "@", ":", "/", "%", "'", "\\", "+", "é", "?", "#", "&", "=", '"', "$", "%20", "%41"]
ECHO = Statement(select(bindparam("word", type_=Text()).label("word")))


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[Addresses]:
    """A PostgreSQL whose passwords may change."""
    memory = Path("/dev/shm")
    home = Path(tempfile.mkdtemp(prefix="unefois-", dir=memory if memory.is_dir() else None))
    server = EmbeddedPostgres(home / "home")
    yield server.start()
    server.stop()
    shutil.rmtree(home, ignore_errors=True)


def with_password(address: str, password: str) -> SecretStr:
    """The address of a role that has this password from now on, as an operator would write it."""
    url = make_url(address)
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        words = psycopg.sql.SQL("ALTER ROLE {} PASSWORD {}")
        role, new = psycopg.sql.Identifier(str(url.username)), psycopg.sql.Literal(password)
        connection.execute(words.format(role, new))
    return SecretStr(url.set(password=password).render_as_string(hide_password=False))


@pytest.mark.parametrize("odd", ODD)
async def test_a_password_may_hold_any_character(
    own_postgres: Addresses, odd: str, tmp_path: Path
) -> None:
    """Both kinds of connection, `LISTEN`, the migrations, the jobs' connector and `pg_dump`."""
    password = f"a{odd}b{odd}"
    address = with_password(own_postgres.owner_url, password)
    database = Database(address, pool=4)
    try:
        upgrade(address)
        await _connects_each_way(database, tmp_path)
    finally:
        await database.close()
        url = make_url(address.get_secret_value())
        former = str(make_url(own_postgres.owner_url).password)
        with_password(url.render_as_string(hide_password=False), former)


async def _connects_each_way(database: Database, folder: Path) -> None:
    await database.check()
    async with database.separate_transaction() as tx:
        await tx.execute(text("SELECT 1"))
    async with database.pipeline.transaction() as piped:
        ((row,),) = await piped.fetch(ECHO(word="here"))
    assert row.word == "here"
    async with database.listening("somewhere") as connection:
        assert not connection.closed
    jobs = procrastinate.App(
        connector=procrastinate.PsycopgConnector(
            conninfo=database.conninfo(), min_size=1, max_size=1
        )
    )
    async with jobs.open_async():
        assert await jobs.check_connection_async()
    with psycopg.connect(database.conninfo()) as connection, connection.transaction():
        exported = connection.execute("SELECT pg_export_snapshot()").fetchone()
        assert exported is not None
        await dump(database, str(exported[0]), folder / "database.dump")


def test_a_folder_of_a_socket_may_hold_a_space_or_a_plus() -> None:
    url = make_url("postgresql+psycopg://u:p@/d?host=%2Ftmp%2Fa%20b%2Bc")
    assert psycopg.conninfo.conninfo_to_dict(conninfo(url))["host"] == "/tmp/a b+c"


def test_the_limits_of_the_address_are_kept() -> None:
    """Those that it does not set are ours: a network that is cut is noticed."""
    own = URL.create("postgresql+psycopg", host="h", query={"keepalives_idle": "77"})
    parts = psycopg.conninfo.conninfo_to_dict(conninfo(own))
    assert (parts["keepalives_idle"], parts["tcp_user_timeout"]) == ("77", "8000")
