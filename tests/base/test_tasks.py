"""A task that is told to end ends, whatever it waited for."""

import asyncio

from base.tasks import end, told_to_end


async def test_a_task_that_loses_its_cancellation_is_told_again() -> None:
    """As one that awaits a library which takes a cancellation for an answer."""
    lost = 0

    async def deaf() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                lost += 1
                if lost == 3:
                    raise

    task = asyncio.create_task(deaf())
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await end(task, patience=0.01)
    assert task.cancelled()
    assert lost == 3


async def test_a_task_that_ends_well_is_not_disturbed() -> None:
    ended = []

    async def orderly() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.1)
            ended.append(True)

    task = asyncio.create_task(orderly())
    await asyncio.sleep(0)
    await end(task, patience=5)
    assert ended == [True]


async def test_what_a_task_raises_stays_in_it() -> None:
    async def broken() -> None:
        raise ZeroDivisionError

    task = asyncio.create_task(broken())
    await asyncio.sleep(0)
    await end(task)
    assert isinstance(task.exception(), ZeroDivisionError)
    await end()


async def test_a_task_knows_that_it_was_told_to_end() -> None:
    known = []

    async def deaf() -> None:
        known.append(told_to_end())
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            known.append(told_to_end())

    task = asyncio.create_task(deaf())
    await asyncio.sleep(0)
    await end(task)
    assert known == [False, True]
