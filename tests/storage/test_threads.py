"""A cancelled caller and the thread it cannot stop."""

import asyncio
import threading

import pytest

from storage.threads import Threads


async def test_a_cancelled_caller_waits_for_the_thread_that_uses_its_buffer() -> None:
    threads = Threads(1, "test", (), Exception)
    begun, may_end = threading.Event(), threading.Event()
    buffer = bytearray(1)

    def fill() -> None:
        begun.set()
        may_end.wait(10)
        buffer[0] = 1
        raise ValueError("of no interest to who has left")

    task = asyncio.create_task(threads.settled(fill))
    await asyncio.to_thread(begun.wait, 10)
    for _ in range(3):
        task.cancel()
        assert await asyncio.wait([task], timeout=0.02) == (set(), {task})
    may_end.set()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert buffer == b"\1"
    threads.close()


async def test_a_call_that_still_waits_for_a_thread_is_never_made() -> None:
    threads = Threads(1, "test", (), Exception)
    may_end = threading.Event()
    made: list[str] = []
    first = asyncio.create_task(threads.settled(may_end.wait, 10))
    second = asyncio.create_task(threads.settled(made.append, "second"))
    await asyncio.sleep(0)

    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    may_end.set()
    await first
    threads.close()
    assert made == []


async def test_what_clears_up_is_done_even_if_it_had_not_begun() -> None:
    threads = Threads(1, "test", (), Exception)
    may_end = threading.Event()
    made: list[str] = []
    first = asyncio.create_task(threads.settled(may_end.wait, 10))
    second = asyncio.create_task(threads.tidied(lambda: made.append("second")))
    await asyncio.sleep(0)

    second.cancel()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await second
    assert made == ["second"]
    await first
    threads.close()
