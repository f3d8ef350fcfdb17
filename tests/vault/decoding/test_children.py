"""Children wait ready and confined; each serves one document; none is left."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.vault.decoding.sandboxes import hostile_sandbox, process_of, run, running, until, zygote
from tests.vault.decoding.sandboxes import waiting as waiting_in
from vault.decoding.children import _answer
from vault.decoding.media import Undecodable
from vault.decoding.sandbox import Sandbox


@pytest.fixture(scope="module")
async def hostile() -> AsyncIterator[Sandbox]:
    async with hostile_sandbox() as sandbox:
        yield sandbox


async def test_one_child_serves_one_document(hostile: Sandbox) -> None:
    """Nothing of one person's file is left for the next."""
    served = set()
    for _ in range(5):
        assert (await run(hostile, "remember", b"a letter"))["seen"] == 1
        async with hostile.job() as job:
            served.add(process_of(job.child._handle))
    assert len(served) == 5


async def test_children_wait_before_they_are_needed(hostile: Sandbox) -> None:
    await until(hostile, busy=False)
    ready = waiting_in(hostile)
    assert len(ready) == hostile.limits.children
    async with hostile.job() as job:
        assert process_of(job.child._handle) in ready
    await until(hostile, busy=False)
    assert waiting_in(hostile) != ready


async def test_a_child_that_waits_is_confined_already(hostile: Sandbox) -> None:
    await until(hostile, busy=False)
    for process in waiting_in(hostile):
        # One that was just forked is confining itself: it takes nothing before.
        async with asyncio.timeout(5):
            while (status := _status(process))["Seccomp"] != "2":  # noqa: ASYNC110  (bounded)
                await asyncio.sleep(0.01)
        assert status["NoNewPrivs"] == "1"
        assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
        assert "0" not in status["Uid"].split()


def _status(process: int) -> dict[str, str]:
    lines = (Path("/proc") / str(process) / "status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


async def test_a_child_killed_while_it_waits_costs_no_refusal(hostile: Sandbox) -> None:
    """The kernel may need its memory: it is the first that it takes."""
    for _ in range(3):
        await until(hostile, busy=False)
        for process in waiting_in(hostile):
            os.kill(process, signal.SIGKILL)
        assert (await run(hostile, "echo", b"abc"))["echo"] == [3]
    await until(hostile, busy=False)


async def test_a_child_killed_with_its_document_before_its_order_costs_no_refusal(
    hostile: Sandbox,
) -> None:
    async with hostile.job() as job:
        os.write(job.source, b"abcdef")
        first = job.child
        os.kill(process_of(first._handle), signal.SIGKILL)
        await first.ended()
        answer = await job.run({"job": "echo", "lengths": [6]})
        assert answer["echo"] == [6]
        assert os.pread(job.output, 6, 0) == b"abcdef"
        assert job.child is not first


async def test_results_do_not_change_once_they_are_read(hostile: Sandbox) -> None:
    """A child that answers and keeps its mapping is dead before its results are frozen."""
    async with hostile.job() as job:
        answer = await job.run({"job": "go on writing", "lengths": []})
        assert answer["lengths"] == [1, 0]
        first = os.pread(job.output, 1, 0)
        async with asyncio.timeout(1):
            await job.child.ended()
        assert os.pread(job.output, 1, 0) == first
        with pytest.raises(PermissionError):
            os.write(job.output, b"x")


async def test_a_cancelled_wait_loses_no_child(hostile: Sandbox) -> None:
    for steps in range(6):
        pool = hostile._pool
        assert pool is not None
        while pool._ready:
            pool._ready.popleft().close()
        waiting = asyncio.create_task(pool.take())
        for _ in range(steps):
            await asyncio.sleep(0.001)
        waiting.cancel()
        taken = (await asyncio.gather(waiting, return_exceptions=True))[0]
        if not isinstance(taken, BaseException):
            taken.close()
        assert (await run(hostile, "echo", b"abc"))["echo"] == [3]
    await until(hostile, busy=False)


async def test_no_child_is_left_when_it_stops() -> None:
    async with hostile_sandbox() as sandbox:
        await until(sandbox, busy=False)
        sleeping = asyncio.create_task(run(sandbox, "sleep"))
        await until(sandbox, busy=True)
        children = running(zygote(sandbox))
        assert len(children) >= 2
    with pytest.raises(Exception, match="decoder_unavailable"):
        await sleeping
    await _all_gone(children)


PROGRAM = """
import asyncio, sys
sys.path[:] = {path!r}
from tests.vault.decoding.sandboxes import hostile_sandbox, run, running, until, zygote
async def main():
    async with hostile_sandbox() as sandbox:
        await until(sandbox, busy=False)
        asyncio.create_task(run(sandbox, "sleep"))
        await until(sandbox, busy=True)
        print(zygote(sandbox), *running(zygote(sandbox)), flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""


async def test_no_child_is_left_when_the_service_is_killed() -> None:
    service = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM.format(path=sys.path), stdout=asyncio.subprocess.PIPE
    )
    assert service.stdout is not None
    processes = [int(number) for number in (await service.stdout.readline()).split()]
    assert len(processes) >= 3
    service.kill()
    await service.wait()
    await _all_gone(processes)


async def _all_gone(processes: list[int]) -> None:
    for _ in range(500):
        if not any(_lives(process) for process in processes):
            return
        await asyncio.sleep(0.01)
    pytest.fail("a child is still there")


def _lives(process: int) -> bool:
    try:
        status = (Path("/proc") / str(process) / "stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize(
    "message", [b"[" * 60_000, b'{"refused": "a", "values": {"x": Infinity}}', b"1", b"{"]
)
def test_an_answer_that_is_none_is_a_refusal(message: bytes) -> None:
    with pytest.raises(Undecodable) as refused:
        _answer(message)
    assert refused.value.code == "does_not_decode"


def test_nothing_that_a_child_writes_reaches_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    for told in (b'"Mme Durand, 3 rue X"', b'["Durand"]', b'"does_not_decode\\nDurand"'):
        with pytest.raises(Undecodable):
            _answer(b'{"values": {}, "met": "ValueError", "refused": ' + told + b"}")
        with pytest.raises(Undecodable):
            _answer(b'{"values": {}, "refused": "does_not_decode", "met": ' + told + b"}")
    assert "Durand" not in caplog.text
