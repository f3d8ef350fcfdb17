"""Background tasks that have ended once they were told to."""

import asyncio
from typing import Any


async def end(*tasks: "asyncio.Task[Any]", patience: float = 1.0) -> None:
    """Cancel tasks, and wait until each has ended; what they raise stays in them.

    A cancellation can be lost: before Python 3.12, `asyncio.wait_for` drops one that comes together
    with what it waits for (CPython gh-86296), and libraries wait so; a task group drops one that
    comes together with an error. A task that goes on is told again every `patience` seconds, which
    must leave it the time to end well.
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=patience)
    await asyncio.gather(*tasks, return_exceptions=True)


def told_to_end() -> bool:
    """Whether the current task was cancelled, even if what it awaited has lost that."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
