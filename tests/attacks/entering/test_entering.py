"""People and workers at random, on a clock that moves, against a model that reads none of our code:
nobody enters whom it keeps out, everyone enters whom it lets in, and two are linked by a meeting
only when both said yes in its time, once. `ENTERING_STEPS=10000` for as many steps."""

import os
from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random

import httpx
import pytest

from auth import pin_hashes
from base.db_time import instant
from tests.attacks.entering.meetings_driver import Everyone
from tests.attacks.entering.model import Doors
from tests.attacks.pace import Clock
from tests.fixtures import MakeWorker
from vault.services import Services

STEPS = int(os.environ.get("ENTERING_STEPS", "600"))
A_WORLD = 200
"""Steps after which others come, to an empty place."""
LEAST, MOST = -(-STEPS // A_WORLD), 12 + STEPS // A_WORLD
"""Worlds: as many as the steps ask for; more, until what is rare has happened too."""
HAPPENED = """
PIN: chosen
PIN: weak or mistyped
asked by phone: one
asked by phone: two
card and PIN: barred, right PIN
card and PIN: dead card
card and PIN: in
card and PIN: late
card and PIN: tried too often
card and PIN: used
card and PIN: wrong
card: added
card: replaced
code and PIN: four digits, right PIN
code and PIN: in
code and PIN: in, of two
code and PIN: no more today, right PIN
code and PIN: wrong
code: in
code: new vault
code: wrong
free: freed
free: not theirs
link: not a side
link: one yes only
link: twice
link: used, person
link: used, worker
link: while over
meeting code: dead code
meeting code: linked
meeting code: too many wrong codes
meeting code: unknown code
meeting: both yes
meeting: no
meeting: over
phone: replaced
phone: replaced, shared
phone: two are there
remove card: removed
remove phone: last
remove phone: removed
session: ended with a means
session: open
"""
"""What must have happened for the run to have shown something."""


async def world(
    seed: int, services: Services, http: httpx.AsyncClient, clock: Clock, make_worker: MakeWorker
) -> Everyone:
    """Five people with a phone each, and three workers."""
    async with services.database.transaction() as tx:
        doors = Doors(await instant(tx))
    driver = Everyone(services, http, clock, Random(seed), doors)
    driver.workers = [await make_worker() for _ in range(3)]
    for _ in range(5):
        await driver.new_person()
    return driver


async def played(driver: Everyone, steps: int) -> None:
    """So many steps; what came before a fault is printed."""
    deck: list[Callable[[], Awaitable[None]]] = []
    try:
        for _ in range(steps):
            if not deck:  # every rule, as often as it should be
                deck = [rule for rule, often in driver.rules() for _ in range(often)]
                driver.random.shuffle(deck)
            await deck.pop()()
        await driver.check_links()
    except BaseException:
        print("\n".join(driver.told[-40:]))
        raise


@pytest.mark.slow
@pytest.mark.timeout(max(240, STEPS))
async def test_nobody_enters_whom_the_model_keeps_out(
    services: Services,
    client: httpx.AsyncClient,
    frozen: Clock,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)  # of thousands of PINs
    tally: Counter[str] = Counter()
    happened = [line for line in HAPPENED.splitlines() if line]
    missing, worlds = happened, 0
    while worlds < LEAST or (missing and worlds < MOST):
        driver = await world(worlds, services, client, frozen, make_worker)
        await played(driver, A_WORLD)
        tally += driver.tally
        worlds += 1
        missing = [what for what in happened if not tally[what]]
    print(f"{worlds * A_WORLD} steps, {tally.total()} acts:")
    print("\n".join(f"{many:6} {what}" for what, many in sorted(tally.items())))
    assert not missing
