"""Sandboxes with a hostile worker, and their processes as the machine sees them."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from vault.decoding.media import Limits
from vault.decoding.sandbox import Sandbox

HOSTILE = "tests.vault.decoding.hostile"
SMALL = Limits(memory_bytes=256 << 20, cpu_seconds=1, wall_seconds=3, output_bytes=1 << 20)


@contextlib.asynccontextmanager
async def hostile_sandbox(limits: Limits = SMALL) -> AsyncIterator[Sandbox]:
    """A sandbox whose worker does what it must not be able to do."""
    sandbox = Sandbox(limits, HOSTILE)
    await sandbox.start()
    try:
        yield sandbox
    finally:
        await sandbox.stop()


async def run(sandbox: Sandbox, name: str, *inputs: bytes, **order: object) -> dict[str, object]:
    """The answer of one job."""
    async with sandbox.job() as job:
        for data in inputs:
            os.write(job.source, data)
        lengths = [len(data) for data in inputs]
        return await job.run({"job": name, "lengths": lengths, **order})


def running(parent: int) -> list[int]:
    """Its running children (an ended one is reaped at the next fork)."""
    children = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            state, its_parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            if int(its_parent) == parent and state != "Z":
                children.append(int(entry.name))
    return children


def loaded(process: int) -> str:
    """The files that a process has in its memory, one a line."""
    return Path(f"/proc/{process}/maps").read_text()


def waiting(sandbox: Sandbox) -> set[int]:
    """Its children that wait for a job."""
    pool = sandbox._pool
    assert pool is not None
    return {process_of(child._handle) for child in pool._ready}


def process_of(handle: int) -> int:
    """The process of a handle (pidfd)."""
    lines = Path(f"/proc/self/fdinfo/{handle}").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pid:"))


async def until(sandbox: Sandbox, *, busy: bool) -> None:
    """Until a child has a job; or until none has, and those that wait are all there."""
    parent = zygote(sandbox)
    for _ in range(5000):
        ready = waiting(sandbox)
        serving = set(running(parent)) - ready
        if busy if serving else (not busy and len(ready) == sandbox.limits.children):
            return
        await asyncio.sleep(0.001)
    pytest.fail("no child was started" if busy else "a child outlives its job")


def zygote(sandbox: Sandbox) -> int:
    """The process that forks its children."""
    process = sandbox._process
    assert process is not None
    return process.pid
