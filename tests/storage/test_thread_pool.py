"""A cancelled caller and the thread it cannot stop."""

import asyncio
import threading

import pytest

from storage.thread_pool import ThreadPool


async def test_a_cancelled_caller_waits_for_the_thread_that_uses_its_buffer() -> None:
    threads = ThreadPool(1, "test", errors=(), convert_error=Exception)
    begun, may_end = threading.Event(), threading.Event()
    buffer = bytearray(1)

    def fill() -> None:
        begun.set()
        may_end.wait(10)
        buffer[0] = 1
        raise ValueError("of no interest to who has left")

    task = asyncio.create_task(threads.run_to_end(fill))
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
    threads = ThreadPool(1, "test", errors=(), convert_error=Exception)
    may_end = threading.Event()
    made: list[str] = []
    first = asyncio.create_task(threads.run_to_end(may_end.wait, 10))
    second = asyncio.create_task(threads.run_to_end(made.append, "second"))
    await asyncio.sleep(0)

    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    may_end.set()
    await first
    threads.close()
    assert made == []


async def test_what_clears_up_is_done_even_if_it_had_not_begun() -> None:
    threads = ThreadPool(1, "test", errors=(), convert_error=Exception)
    may_end = threading.Event()
    made: list[str] = []
    first = asyncio.create_task(threads.run_to_end(may_end.wait, 10))
    second = asyncio.create_task(threads.clean_up(lambda: made.append("second")))
    await asyncio.sleep(0)

    second.cancel()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await second
    assert made == ["second"]
    await first
    threads.close()


async def test_an_error_is_converted_and_leaves_no_trace_of_the_original() -> None:
    threads = ThreadPool(1, "test", errors=(OSError,), convert_error=lambda _: LookupError("gone"))

    def fail(error: Exception) -> None:
        raise error

    for run in (threads.run, threads.run_to_end):
        with pytest.raises(LookupError, match="gone") as raised:
            await run(fail, OSError("/a/path"))
        assert raised.value.__context__ is raised.value.__cause__ is None
        with pytest.raises(KeyError):
            await run(fail, KeyError("another"))
    threads.close()
