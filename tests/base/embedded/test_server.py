"""The embedded PostgreSQL lives and dies as promised. Real servers, in folders of their own."""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

from base.embedded.server import (
    Addresses,
    CannotStart,
    EmbeddedPostgres,
    pg_dump_binary,
    pg_restore_binary,
    psql_binary,
)
from base.processes import works_in

ROOT = Path(__file__).resolve().parents[3]
AS_ROOT = os.geteuid() == 0
SUPERVISOR = """
import sys
from pathlib import Path
from typing import Any
from base.embedded.server import EmbeddedPostgres
postgres = EmbeddedPostgres(Path(sys.argv[1]))
postgres.start()
print("ready", flush=True)
sys.stdin.read()
postgres.stop()
"""
KILLED_AFTER = """
import os, signal, sys
from pathlib import Path
from typing import Any
from base.embedded.server import EmbeddedPostgres
whole = getattr(EmbeddedPostgres, sys.argv[2])
def cut(*arguments):
    whole(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(EmbeddedPostgres, sys.argv[2], cut)
EmbeddedPostgres(Path(sys.argv[1])).start()
"""


def pids(home: Path) -> list[int]:
    """The postgres processes of this home."""
    everyone = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [pid for pid in everyone if works_in(pid, home / "postgres", "postgres")]


def until(true: Callable[[], bool]) -> None:
    limit = time.monotonic() + 20
    while not true():
        assert time.monotonic() < limit
        time.sleep(0.01)


@contextlib.contextmanager
def short_folder() -> Iterator[Path]:
    """A short path: pytest's own folders may not fit a socket, and are closed to others.

    In memory where there is room: dozens of databases are made here, and none has to last.
    """
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 512 * 1024 * 1024
    folder = Path(tempfile.mkdtemp(prefix="unefois-", dir=memory if roomy else None)) / "home"
    yield folder
    for pid in pids(folder):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    until(lambda: not pids(folder))
    shutil.rmtree(folder.parent)


@pytest.fixture(scope="module")
def made_once() -> Iterator[Path]:
    with short_folder() as folder:
        embedded = EmbeddedPostgres(folder)
        embedded.start()
        embedded.stop()
        yield folder


@pytest.fixture
def new_home() -> Iterator[Path]:
    """A home that does not exist yet."""
    with short_folder() as folder:
        yield folder


@pytest.fixture
def home(new_home: Path, made_once: Path) -> Path:
    """A home whose data are already made: a copy, since a stopped home may be moved."""
    subprocess.run(["/bin/cp", "-a", str(made_once), str(new_home)], check=True)
    new_home.parent.chmod(made_once.parent.stat().st_mode)
    return new_home


@pytest.fixture
def postgres(home: Path) -> Iterator[EmbeddedPostgres]:
    embedded = EmbeddedPostgres(home)
    yield embedded
    embedded.stop()


@pytest.fixture
def new(new_home: Path) -> Iterator[EmbeddedPostgres]:
    embedded = EmbeddedPostgres(new_home)
    yield embedded
    embedded.stop()


def connect(url: str) -> psycopg.Connection:
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


@contextlib.contextmanager
def running(home: Path) -> Iterator[Addresses]:
    embedded = EmbeddedPostgres(home)
    try:
        yield embedded.start()
    finally:
        embedded.stop()


def remember(addresses: Addresses) -> None:
    with connect(addresses.owner_url) as owner:
        owner.execute("CREATE TABLE kept (word text)")
        owner.execute("INSERT INTO kept VALUES ('still here')")


def recalls(addresses: Addresses) -> bool:
    with connect(addresses.owner_url) as owner:
        return owner.execute("SELECT word FROM kept").fetchall() == [("still here",)]


def child(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


@contextlib.contextmanager
def supervisor(home: Path) -> Iterator[subprocess.Popen[str]]:
    with child(SUPERVISOR, str(home)) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.kill()


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
    # Others may at most pass through the folders above the data, and only when we are root.
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
    said = "".join(log.read_text() for log in logs)
    assert "ready to accept connections" in said
    assert marker not in said


def test_several_processes_attach_and_the_last_one_stops_it(
    home: Path, postgres: EmbeddedPostgres
) -> None:
    with supervisor(home) as first:
        remember(postgres.start())
        running = pids(home)
        again = EmbeddedPostgres(home)
        assert recalls(again.start())
        again.stop()
        postgres.stop()
        assert set(pids(home)) & set(running)
        first.communicate("")
        assert first.returncode == 0
    assert pids(home) == []


def test_the_starter_may_leave_before_the_others(home: Path, postgres: EmbeddedPostgres) -> None:
    with supervisor(home) as first:
        addresses = postgres.start()
        remember(addresses)
        first.communicate("")
    assert recalls(addresses)
    postgres.stop()
    assert pids(home) == []


def test_processes_that_start_together_share_one_server(new_home: Path) -> None:
    children = [child(SUPERVISOR, str(new_home)) for _ in range(3)]
    with contextlib.ExitStack() as stack:
        for process in children:
            stack.enter_context(process)
            stack.callback(process.kill)
        for process in children:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        parents = [pid for pid in pids(new_home) if _parent(pid) not in pids(new_home)]
        assert len(parents) == 1
        for process in children:
            process.communicate("")
            assert process.returncode == 0
    assert pids(new_home) == []


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_after_the_server_is_killed_a_start_recovers(
    home: Path, postgres: EmbeddedPostgres
) -> None:
    addresses = postgres.start()
    remember(addresses)
    # A session at work outlives its server until it is done.
    with contextlib.closing(connect(addresses.owner_url)) as busy:
        busy.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 10000000)")
        os.kill(_postmaster(home), signal.SIGKILL)
        assert recalls(postgres.start())
    postgres.stop()
    assert pids(home) == []


def _postmaster(home: Path) -> int:
    return int((home / "postgres" / "postmaster.pid").read_text().split()[0])


def test_after_the_supervisor_is_killed_a_start_finds_the_server_and_a_stop_ends_it(
    home: Path, postgres: EmbeddedPostgres
) -> None:
    with supervisor(home) as first:
        first.kill()
        first.wait()
    orphan = _postmaster(home)
    assert orphan in pids(home)
    remember(postgres.start())
    assert _postmaster(home) == orphan
    postgres.stop()
    assert pids(home) == []


def test_a_pid_given_to_another_process_since_is_not_taken_for_the_server(
    home: Path, postgres: EmbeddedPostgres, made_once: Path
) -> None:
    addresses = postgres.start()
    remember(addresses)
    for pid in pids(home):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    until(lambda: not pids(home))

    # The hardest stranger: alive, of the same account, and itself a PostgreSQL.
    with running(made_once):
        stranger = _postmaster(made_once)
        for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
            lines = (home / "postgres" / name).read_text().splitlines()
            (home / "postgres" / name).write_text("\n".join([str(stranger), *lines[1:], ""]))
        assert recalls(postgres.start())
        postgres.stop()
        assert Path(f"/proc/{stranger}").exists()


@pytest.mark.parametrize(
    "step",
    [
        "_make_folders",
        "_passwords",
        "_initialise",
        "_configure",
        "_say",
        "_put_in_place",
        "_forget_the_dead",
        "_launch",
        "_agree_on",
    ],
)
def test_a_crash_after_any_step_of_the_first_start_is_recovered(new_home: Path, step: str) -> None:
    with child(KILLED_AFTER, str(new_home), step) as first:
        assert first.wait() == -signal.SIGKILL
    postgres = EmbeddedPostgres(new_home)
    addresses = postgres.start()
    remember(addresses)
    connect(addresses.service_url).close()
    assert list(new_home.glob("postgres.making-*")) == []
    assert list((new_home / "secrets").iterdir()) == [new_home / "secrets" / "postgres.json"]
    postgres.stop()
    assert pids(new_home) == []


def test_a_crash_in_the_midst_of_making_the_data_is_recovered(
    new_home: Path, new: EmbeddedPostgres
) -> None:
    with child(SUPERVISOR, str(new_home)) as first:
        until(lambda: bool(list(new_home.glob("postgres.making-*/base"))))
        first.kill()
    remember(new.start())


def test_lost_passwords_are_given_anew_and_the_data_kept(
    home: Path, postgres: EmbeddedPostgres
) -> None:
    before = postgres.start()
    remember(before)
    other = EmbeddedPostgres(home)
    (home / "secrets" / "postgres.json").unlink()
    with pytest.raises(CannotStart, match="others use it"):
        other.start()
    postgres.stop()
    after = postgres.start()
    assert after != before
    assert recalls(after)


def test_damaged_passwords_say_what_to_do(home: Path, postgres: EmbeddedPostgres) -> None:
    postgres.start()
    postgres.stop()
    (home / "secrets" / "postgres.json").write_text("{")
    with pytest.raises(CannotStart, match="remove it"):
        postgres.start()
    assert pids(home) == []


def test_a_trust_line_added_to_its_rules_does_not_survive_a_start(
    home: Path, postgres: EmbeddedPostgres
) -> None:
    postgres.start()
    postgres.stop()
    (home / "postgres" / "pg_hba.conf").write_text("local all all trust\n")
    url = make_url(postgres.start().owner_url).set(drivername="postgresql", password="guess")
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(url.render_as_string(hide_password=False))


def test_data_of_another_release_are_not_touched(home: Path, postgres: EmbeddedPostgres) -> None:
    postgres.start()
    postgres.stop()
    (home / "postgres" / "PG_VERSION").write_text("17\n")
    with pytest.raises(CannotStart, match="back up with the former release"):
        postgres.start()


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
    """As root, the story is played by `nobody`, with a Python that `nobody` can reach."""
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
