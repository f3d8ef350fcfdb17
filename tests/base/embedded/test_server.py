"""The embedded PostgreSQL starts and stops as documented. Real servers, in folders of their own."""

import secrets
import shutil
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

from base.embedded.server import (
    CannotStart,
    EmbeddedPostgres,
    pg_dump_binary,
    pg_restore_binary,
    psql_binary,
)
from tests.base.embedded.homes import AS_ROOT, ROOT, connect, pids, recalls, remember, running


def test_it_starts_stops_and_starts_again_with_what_it_held(
    new_home: Path, new: EmbeddedPostgres
) -> None:
    begun = time.monotonic()
    addresses = new.start()
    assert time.monotonic() - begun < 20
    remember(addresses)
    assert new.start() == addresses
    new.stop()
    assert pids(new_home) == []
    assert new.start() == addresses
    assert recalls(addresses)


def test_both_addresses_connect_as_their_role(postgres: EmbeddedPostgres) -> None:
    addresses = postgres.start()
    for url, role in (
        (addresses.owner_url, "unefois_owner"),
        (addresses.service_url, "unefois_service_login"),
    ):
        assert make_url(url).drivername == "postgresql+psycopg"
        with connect(url) as connection:
            assert connection.execute("SELECT current_user, current_database()").fetchone() == (
                role,
                "unefois",
            )


def test_the_service_cannot_create_nor_become_the_owner_nor_see_its_tables(
    postgres: EmbeddedPostgres,
) -> None:
    addresses = postgres.start()
    remember(addresses)
    with connect(addresses.service_url) as service:
        for forbidden in (
            "CREATE TABLE mine (word text)",
            "CREATE TEMPORARY TABLE mine (word text)",
            "CREATE SCHEMA mine",
            "SET ROLE unefois_owner",
            "SELECT word FROM kept",
            "ALTER ROLE unefois_owner PASSWORD 'mine'",
            "ALTER SYSTEM SET log_statement = 'all'",
            "COPY (SELECT 1) TO PROGRAM 'true'",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                service.execute(forbidden)
    with connect(addresses.owner_url) as owner:
        owner.execute("GRANT SELECT ON kept TO unefois_service")
    with connect(addresses.service_url) as service:
        assert service.execute("SELECT word FROM kept").fetchall() == [("still here",)]


def test_the_owner_is_no_superuser(postgres: EmbeddedPostgres) -> None:
    with connect(postgres.start().owner_url) as owner:
        flags = owner.execute(
            "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls "
            "FROM pg_roles WHERE rolname IN (current_user, 'unefois_service_login')"
        ).fetchall()
        assert flags == [(False,) * 5] * 2


def test_a_wrong_password_or_another_role_is_refused(postgres: EmbeddedPostgres) -> None:
    url = make_url(postgres.start().owner_url).set(drivername="postgresql")
    wrong = [
        url.set(password="guess"),
        url.set(username="unefois_service_login"),
        url.set(username="postgres", database="postgres"),
        url.set(username="postgres"),
    ]
    for refused in wrong:
        with pytest.raises(psycopg.OperationalError, match=r"authentication failed|pg_hba\.conf"):
            psycopg.connect(refused.render_as_string(hide_password=False))


def test_it_listens_on_no_network_address(home: Path, postgres: EmbeddedPostgres) -> None:
    with connect(postgres.start().owner_url) as owner:
        assert owner.execute("SHOW listen_addresses").fetchone() == ("",)
        assert owner.execute("SHOW fsync").fetchone() == ("on",)
        assert owner.execute("SHOW synchronous_commit").fetchone() == ("on",)
    mode = (home / "postgres" / ".s.PGSQL.5432").stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o700


def test_secrets_are_for_their_owner_alone(new_home: Path, new: EmbeddedPostgres) -> None:
    parent = new_home.parent.stat().st_mode
    addresses = new.start()
    assert stat.S_IMODE((new_home / "secrets").stat().st_mode) == 0o700
    assert stat.S_IMODE((new_home / "locks").stat().st_mode) == 0o700
    assert stat.S_IMODE((new_home / "secrets" / "postgres.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((new_home / "postgres").stat().st_mode) == 0o700
    password = make_url(addresses.owner_url).password
    assert password
    assert len(password) >= 40
    assert password not in repr(addresses)
    # Others may at most traverse the folders above the data, and only when we are root.
    passing = 0o001 if AS_ROOT else 0
    assert new_home.stat().st_mode & 0o077 == passing
    assert new_home.parent.stat().st_mode & 0o077 == parent & 0o077 | passing


@pytest.mark.skipif(not AS_ROOT, reason="as an ordinary user, the server runs as that user")
def test_the_servers_own_account_reads_nothing_else_of_the_home(
    home: Path, postgres: EmbeddedPostgres
) -> None:
    postgres.start()
    keyring = home / "keyring"
    keyring.mkdir(mode=0o700)
    (keyring / "root").write_text("key")
    owner = (home / "postgres").stat()
    assert owner.st_uid != 0
    for path in (home, home / "secrets" / "postgres.json", home / "secrets", keyring / "root"):
        reading = subprocess.run(
            ["/bin/ls" if path.is_dir() else "/bin/cat", str(path)],
            user=owner.st_uid,
            group=owner.st_gid,
            extra_groups=[],
            cwd="/",
            capture_output=True,
            check=False,
        )
        assert reading.returncode != 0
        assert b"Permission denied" in reading.stderr


def test_no_statement_value_or_row_reaches_the_servers_log(
    home: Path, postgres: EmbeddedPostgres
) -> None:
    marker = "marker" + secrets.token_hex(8)
    with connect(postgres.start().owner_url) as owner:
        owner.execute("CREATE TABLE phones (number text UNIQUE)")
        owner.execute("INSERT INTO phones VALUES (%s)", [marker])
        with pytest.raises(psycopg.errors.UniqueViolation):
            owner.execute("INSERT INTO phones VALUES (%s)", [marker])
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            owner.execute("SELECT %s::text::integer", [marker])
        with pytest.raises(psycopg.errors.SyntaxError):
            owner.execute(sql.SQL("SELEKT {}").format(marker))
    postgres.stop()
    logs = [home / "postgres" / "startup.log", *(home / "postgres" / "log").iterdir()]
    output = "".join(log.read_text() for log in logs)
    assert "ready to accept connections" in output
    assert marker not in output


def test_the_longest_path_that_fits_works_and_one_byte_more_is_refused(home: Path) -> None:
    socket_name = "/postgres/.s.PGSQL.5432"
    fits = home.parent / "é".ljust(106 - len(str(home.parent)) - len(socket_name) - 1, "x")
    home.rename(fits)
    with running(fits) as addresses:
        connect(addresses.service_url).close()
    too_long = fits.with_name(fits.name + "x")
    with socket.socket(socket.AF_UNIX) as probe, pytest.raises(OSError, match="too long"):
        probe.bind(f"{too_long}{socket_name}")
    with pytest.raises(CannotStart, match=r"too long by 1 bytes.*shorter one with UNEFOIS_HOME"):
        EmbeddedPostgres(too_long).start()
    assert not too_long.exists()


def test_odd_but_honest_folder_names_work(new_home: Path) -> None:
    with running(new_home.parent / "l'été & %20; #1") as addresses:
        connect(addresses.service_url).close()


@pytest.mark.parametrize("name", ["a$(id)", "a`id`", 'a"b', "a\\b", "a,b", "a\nb"])
def test_a_folder_name_that_a_shell_would_read_is_refused(new_home: Path, name: str) -> None:
    with pytest.raises(CannotStart, match="Choose another folder"):
        EmbeddedPostgres(new_home.parent / name).start()
    assert not (new_home.parent / name).exists()


def test_an_ordinary_user_runs_it_as_themselves(new_home: Path) -> None:
    """As root, the steps run as `nobody`, with a Python that `nobody` can reach."""
    program = (
        "import os,sys;from pathlib import Path;from base.embedded.server import EmbeddedPostgres;"
        "home=Path(sys.argv[1]);e=EmbeddedPostgres(home);e.start();"
        "assert (home/'postgres').stat().st_uid==os.geteuid();"
        "assert home.stat().st_mode&0o077==0;e.stop();e.start();e.stop();print('done')"
    )
    python, account = sys.executable, dict[str, Any]()
    if AS_ROOT:
        new_home.parent.chmod(0o777)
        account = {"user": 65534, "group": 65534, "extra_groups": []}
        python = shutil.which("python3", path="/usr/bin:/usr/local/bin") or sys.executable
    packages = str(Path(psycopg.__file__).parents[1])
    ran = subprocess.run(
        [python, "-c", program, str(new_home)],
        env={"PYTHONPATH": f"{ROOT}:{packages}", "PYTHONDONTWRITEBYTECODE": "1"},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        **account,
    )
    assert (ran.stdout, ran.stderr) == ("done\n", "")
    assert pids(new_home) == []


def test_its_own_dump_and_restore_carry_the_data_over(
    home: Path, postgres: EmbeddedPostgres
) -> None:
    addresses = postgres.start()
    remember(addresses)
    url = make_url(addresses.owner_url)
    environment = {
        "PGHOST": str(url.query["host"]),
        "PGUSER": str(url.username),
        "PGPASSWORD": str(url.password),
        "PGDATABASE": str(url.database),
    }

    def run(program: Path, *arguments: str) -> None:
        subprocess.run([str(program), *arguments], env=environment, check=True)

    dump = str(home / "dump")
    run(pg_dump_binary(), "--format=custom", f"--file={dump}")
    run(psql_binary(), "--quiet", "--no-psqlrc", "--command=DROP TABLE kept")
    run(pg_restore_binary(), "--exit-on-error", "--dbname=unefois", dump)
    assert recalls(addresses)
