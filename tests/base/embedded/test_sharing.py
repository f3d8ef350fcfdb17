"""Several processes share one embedded PostgreSQL, and the last one stops it."""

import contextlib
from pathlib import Path

from base.embedded.server import EmbeddedPostgres
from tests.base.embedded.homes import SUPERVISOR, child, pids, recalls, remember, supervisor


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
