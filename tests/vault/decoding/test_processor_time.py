"""What a child is charged: the kernel's count, whatever it says, however it ends."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from base.errors import ErrorKind, ServiceError
from tests.vault.decoding import corpus
from tests.vault.decoding.inputs import source
from vault.decoding.decoder import Decoder
from vault.decoding.media import Limits, Undecodable
from vault.decoding.processor_budget import ProcessorBudget
from vault.decoding.sandbox import Sandbox
from vault.services import Services

MIB = 1024 * 1024
ACCOUNT, OTHER = UUID(int=0xD1), UUID(int=0xD2)
SMALL = Limits(cpu_seconds=4, wall_seconds=8, output_bytes=1 << 20, children=1)


@pytest.fixture(scope="module")
async def hostile() -> AsyncIterator[Sandbox]:
    sandbox = Sandbox(SMALL, "tests.vault.decoding.hostile")
    await sandbox.start()
    yield sandbox
    await sandbox.stop()


async def test_a_child_that_spins_is_ended_and_charged_for_it(hostile: Sandbox) -> None:
    async with hostile.job() as job:
        with pytest.raises(Undecodable) as refused:
            await job.run({"job": "spin", "lengths": []}, 0.6)
        assert refused.value.code == "too_dear"
        assert 0.5 <= job.spent < 2


async def test_a_child_that_sleeps_is_charged_for_nothing_and_a_crash_is_told_apart(
    hostile: Sandbox,
) -> None:
    async with hostile.job() as job:
        with pytest.raises(Undecodable) as refused:
            await job.run({"job": "crash", "lengths": []}, 2)
        assert refused.value.code == "does_not_decode"
        assert job.spent < 0.5
    async with hostile.job() as job:
        running = asyncio.create_task(job.run({"job": "sleep", "lengths": []}, 2))
        await asyncio.sleep(0.3)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert job.spent < 0.3


def test_what_a_file_may_take_grows_with_its_size() -> None:
    limits = Limits()
    assert [limits.cpu_seconds_for(size) for size in (0, MIB, 50 * MIB)] == [5, 7, 20]
    assert SMALL.cpu_seconds_for(0) == 4


@dataclass
class _Book:
    """A budget that writes down what it is asked."""

    taken: list[tuple[str, UUID, float]] = field(default_factory=list)
    spent: list[float] = field(default_factory=list)

    async def take(self, job: str, account: UUID, seconds: float) -> None:
        self.taken.append((job, account, seconds))

    async def give_back(self, job: str, account: UUID, taken: float, spent: float) -> None:
        assert (job, account, taken) in self.taken
        self.spent.append(spent)


async def test_each_file_is_paid_for_by_whoever_sends_it(decoder: Decoder) -> None:
    book = decoder.budget = _Book()
    try:
        picture = corpus.noisy_jpeg(MIB)
        (await decoder.inspect([source(picture)], account=ACCOUNT, size=len(picture))).close()
        await decoder.preview(source(picture), account=OTHER, size=len(picture))
        with pytest.raises(ServiceError):
            await decoder.inspect([source(b"text")], account=ACCOUNT, size=4)
        while len(book.spent) < 3:  # noqa: ASYNC110  (given back in the background)
            await asyncio.sleep(0)
    finally:
        decoder.budget = None
    expected = [("inspect", ACCOUNT), ("preview", OTHER), ("inspect", ACCOUNT)]
    assert [(job, account) for job, account, _ in book.taken] == expected
    assert all(0.005 < spent < 3 for spent in book.spent[:2])
    assert book.spent[2] == 0, "refused before any child read it"


async def test_seconds_are_counted_in_the_database_for_an_account_and_an_hour(
    services: Services,
) -> None:
    first, second = ProcessorBudget(services), ProcessorBudget(services)
    for _ in range(6):
        await first.take("inspect", ACCOUNT, 20)
    await second.take("inspect", OTHER, 20)
    await second.take("preview", ACCOUNT, 20)
    with pytest.raises(ServiceError) as refused:
        await second.take("inspect", ACCOUNT, 20)
    assert (refused.value.kind, refused.value.code) == (ErrorKind.TOO_MANY, "decoding_time_spent")
    wait = refused.value.retry_after
    assert wait is not None
    assert 590 < wait <= 601
    assert refused.value.values["minutes"] in {10, 11}
    await first.give_back("inspect", ACCOUNT, 20, 4.5)
    await second.take("inspect", ACCOUNT, 15)
    with pytest.raises(ServiceError):
        await first.take("inspect", ACCOUNT, 1)
