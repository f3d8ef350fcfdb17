"""Invariant 7, by the clock: the time of asking, and of reading one's own request back, does not
tell a sender whether a phone has a vault.

40 phones of each kind, by turns, each with cold keys. The test states its power: it also measures
with a difference of 2 ms planted on purpose, and must find it.
"""

import asyncio
import random
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from uuid import UUID

import pytest

from tests.fixtures import MakePerson, MakeWorker, SomeWorker, new_phone
from tests.vault.consent.steps import asking
from vault.consent import request_views, requests
from vault.services import Services

PHONES = 40
PLANTED = 0.002
FOUND = 0.001
"""Seconds: a difference above it counts as found; half of the planted one."""
ROUNDS = (5, 25)
"""At least, and at most while the machine is too noisy to tell."""
Step = Callable[[str], Awaitable[object]]


async def a_sent_request(services: Services, worker: SomeWorker, phone: str) -> UUID:
    return (await requests.ask(services, worker.subject, phone, asking("payslip"))).id


async def difference(
    services: Services, act: Step, with_vault: dict[str, UUID], without: list[str]
) -> tuple[float, float]:
    """How much longer `act` takes for a phone with a vault, in seconds, and its standard error: the
    median over pairs of phones, each the fastest of some cold rounds."""
    best: dict[str, float] = {}
    pairs = list(zip(with_vault, without, strict=True))
    for done in range(1, ROUNDS[1] + 1):
        random.shuffle(pairs)
        for pair in pairs:
            for phone in random.sample(pair, 2):
                owner = with_vault.get(phone)
                services.storage.keys.forget(str(owner))
                services.audit_log.forget(owner)
                began = time.perf_counter()
                await act(phone)
                took = time.perf_counter() - began
                best[phone] = min(took, best.get(phone, took))
        differences = [best[one] - best[other] for one, other in pairs]
        again = [
            statistics.median(random.choices(differences, k=len(differences))) for _ in range(400)
        ]
        error = statistics.stdev(again)
        if done >= ROUNDS[0] and error < FOUND / 4:
            break
    return statistics.median(differences), error


@pytest.mark.parametrize("what", ["asking", "reading back", "listing"])
async def test_a_vault_does_not_show_in_the_time(
    services: Services,
    make_person: MakePerson,
    make_worker: MakeWorker,
    what: str,
) -> None:
    limits = services.settings.model_copy(update={"requests_per_hour": 1_000})
    services = replace(services, settings=limits)
    people = [await make_person() for _ in range(PHONES)]
    with_vault = {person.phone: person.id for person in people}
    without = [new_phone() for _ in range(PHONES)]
    workers = {phone: await make_worker() for phone in (*with_vault, *without)}
    sent = {phone: await a_sent_request(services, workers[phone], phone) for phone in workers}

    async def act(phone: str) -> object:
        worker = workers[phone].subject
        if what == "asking":
            return await requests.ask(services, worker, phone, asking("payslip"))
        if what == "reading back":
            return await request_views.see_sent(services, worker, sent[phone])
        return await request_views.list_sent(services, worker, limit=5)

    async def act_with_a_leak(phone: str) -> object:
        if phone in with_vault:
            await asyncio.sleep(PLANTED)
        return await act(phone)

    quiet, error = await difference(services, act, with_vault, without)
    planted, _ = await difference(services, act_with_a_leak, with_vault, without)
    print(  # the power of the test
        f"{what}: a vault costs {quiet * 1000:+.3f} ms (standard error {error * 1000:.3f});"
        f" 2 ms planted show as {planted * 1000:+.3f} ms"
    )
    assert error < FOUND / 3, "the machine is too noisy to tell"
    assert planted > FOUND
    assert abs(quiet) < FOUND
