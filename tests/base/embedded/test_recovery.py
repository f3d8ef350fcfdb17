"""The embedded PostgreSQL recovers after a crash, and refuses what it cannot repair."""

import contextlib
import os
import signal
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from base.embedded.server import CannotStart, EmbeddedPostgres
from tests.base.embedded.homes import (
    KILLED_AFTER,
    SUPERVISOR,
    child,
    connect,
    pids,
    postmaster,
    recalls,
    remember,
    running,
    supervisor,
    until,
)


def test_after_the_server_is_killed_a_start_recovers(
    home: Path, postgres: EmbeddedPostgres
) -> None:
    addresses = postgres.start()
    remember(addresses)
    # A session that runs a query outlives its server until the query ends.
    with contextlib.closing(connect(addresses.owner_url)) as busy:
        busy.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 10000000)")
        os.kill(postmaster(home), signal.SIGKILL)
        assert recalls(postgres.start())
    postgres.stop()
    assert pids(home) == []


def test_after_the_supervisor_is_killed_a_start_finds_the_server_and_a_stop_ends_it(
    home: Path, postgres: EmbeddedPostgres
) -> None:
    with supervisor(home) as first:
        first.kill()
        first.wait()
    orphan = postmaster(home)
    assert orphan in pids(home)
    remember(postgres.start())
    assert postmaster(home) == orphan
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

    # The hardest case of another process: alive, of the same account, and itself a PostgreSQL.
    with running(made_once):
        stranger = postmaster(made_once)
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
        "_run_statements",
        "_publish_data",
        "_remove_stale_files",
        "_launch",
        "_ensure_passwords",
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
