"""Strangers who ask for codes and guess, to bar someone or flood their phone: they do neither."""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from auth import code_limits
from auth.records.sign_ins import SignIn, SignInCode, SignInTry
from auth.services import CoreServices
from auth.visitor import Visitor
from base.errors import ServiceError
from tests.attacks.statements import statements
from tests.auth.steps import (
    MoveClock,
    ask,
    begin,
    new_email,
    new_phone,
    new_worker,
    redeem,
    sent_codes,
    sign_in,
    wrong,
)

KINDS = ["phone", "email"]
HOME = Visitor(network="192.0.2.1")
CAFE = Visitor(network="2001:0db8:0000:0001")
# Two of them at once are enough to be everywhere; more would wait for a connection.
AT_ONCE = 8


def strangers(many: int) -> list[Visitor]:
    """Each on a network of their own."""
    return [Visitor(network=f"198.51.{n // 250}.{n % 250}") for n in range(many)]


async def someone(services: CoreServices, kind: str) -> str:
    """An address that has an account."""
    if kind == "phone":
        address = new_phone()
        await sign_in(services, address, HOME)
        return address
    address = new_email()
    await new_worker(services, address)
    return address


async def tried(services: CoreServices, started: Any, code: str, who: Visitor = HOME) -> bool:
    """Whether a code signs in."""
    try:
        await redeem(services, started, code, who)
    except ServiceError as failure:
        assert failure.code == "code_wrong"
        assert failure.retry_after is None
        return False
    return True


async def attack(services: CoreServices, address: str, who: Sequence[Visitor]) -> None:
    """Each stranger asks for a code, and guesses."""
    at_once = asyncio.Semaphore(AT_ONCE)

    async def one(stranger: Visitor) -> None:
        async with at_once:
            started = await ask(services, address, stranger)
            assert not await tried(services, started, "31415926", stranger)

    await asyncio.gather(*(one(stranger) for stranger in who))


def budgets(monkeypatch: pytest.MonkeyPatch, **lanes: dict[int, int]) -> None:
    monkeypatch.setattr(code_limits, "BUDGETS", code_limits.BUDGETS | lanes)


@pytest.mark.parametrize("kind", KINDS)
async def test_the_holder_signs_in_while_200_strangers_ask_and_guess(
    services: CoreServices,
    moved_clock: MoveClock,
    kind: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    began = time.monotonic()
    address = await someone(services, kind)
    known = Visitor(network="192.0.2.1", browser=(await sign_in(services, address, HOME)).browser)
    moved_clock(timedelta(hours=2))
    crowd = strangers(200)
    before = len(await sent_codes(services, address))
    await attack(services, address, crowd)
    # From the browser that signed in before: at once, with six digits.
    started, code = await begin(services, address, known)
    assert len(code) == 6
    assert await tried(services, started, code, known)
    # From a new browser on a new network, while they go on.
    minutes = 0
    while True:
        started = await ask(services, address, CAFE)
        await attack(services, address, crowd[minutes * 10 : minutes * 10 + 20])
        # As the page says: the last message, then the one before.
        last, before_it = (await sent_codes(services, address))[:-3:-1]
        if any([await tried(services, started, one, CAFE) for one in (last, before_it)]):
            break
        minutes += 3
        assert minutes <= 15, "the holder was barred"
        moved_clock(timedelta(hours=2, minutes=minutes))
    sent = len(await sent_codes(services, address)) - before
    with capsys.disabled():
        took = time.monotonic() - began
        print(
            f"\n  {kind}: in from a known browser at once, from a new one after {minutes} minutes;"
            f" {sent} messages; {took:.0f} s"
        )
    assert sent <= 4 + 2 + 1 + 2


async def test_strangers_who_ask_all_day_do_not_flood_a_phone(
    services: CoreServices, moved_clock: MoveClock
) -> None:
    phone = await someone(services, "phone")
    hour = timedelta(hours=2)
    moved_clock(hour)
    before = len(await sent_codes(services, phone))
    for minute in range(0, 60, 2):
        moved_clock(hour + timedelta(minutes=minute))
        await asyncio.gather(*(ask(services, phone, one) for one in strangers(4)))
    assert len(await sent_codes(services, phone)) - before <= 4 + 6


@pytest.mark.parametrize("kind", KINDS)
async def test_many_askers_share_one_code_and_each_needs_their_own_secret(
    services: CoreServices, moved_clock: MoveClock, kind: str
) -> None:
    address = await someone(services, kind)
    moved_clock(timedelta(hours=2))
    own = [await begin(services, address, one) for one in strangers(4)]
    assert {len(code) for _, code in own} == {6}
    before = len(await sent_codes(services, address))
    joined = [await ask(services, address, one) for one in strangers(9)[4:]]
    moved_clock(timedelta(hours=2, minutes=9, seconds=50))
    joined.append(await ask(services, address, CAFE))
    shared = (await sent_codes(services, address))[before:]
    assert [len(code) for code in shared] == [8], "one message for all of them"
    assert not await tried(services, own[0][0], shared[0]), "it opens no sign-in begun before"
    assert not await tried(services, joined[1], own[1][1])
    # Its holder has time: joined after ten minutes, it still lives ten more.
    moved_clock(timedelta(hours=2, minutes=19, seconds=40))
    assert await tried(services, joined[-1], shared[0], CAFE)
    assert not await tried(services, joined[-1], shared[0], CAFE)
    late = await ask(services, address, HOME)
    assert not await tried(services, late, shared[0]), "it is used up, for everyone"


async def test_a_shared_code_is_used_once_by_all_who_joined(
    services: CoreServices, moved_clock: MoveClock
) -> None:
    phone = await someone(services, "phone")
    moved_clock(timedelta(hours=2))
    for one in strangers(4):
        await ask(services, phone, one)
    joined = [await ask(services, phone, one) for one in strangers(5)]
    code = (await sent_codes(services, phone))[-1]
    done = await asyncio.gather(*(tried(services, one, code) for one in joined))
    assert sorted(done) == [False] * 4 + [True]
    # The next asker does not wait for the ten minutes of a code that is used.
    again, code = await begin(services, phone, CAFE)
    assert len(code) == 8
    assert await tried(services, again, code)


async def test_a_new_shared_code_is_sent_every_ten_minutes_only(
    services: CoreServices, moved_clock: MoveClock
) -> None:
    phone = await someone(services, "phone")
    moved_clock(timedelta(hours=2))
    for one in strangers(5):
        await ask(services, phone, one)
    first = await sent_codes(services, phone)
    moved_clock(timedelta(hours=2, minutes=9, seconds=50))
    await ask(services, phone, CAFE)
    assert await sent_codes(services, phone) == first
    moved_clock(timedelta(hours=2, minutes=10, seconds=10))
    await ask(services, phone, CAFE)
    assert len(await sent_codes(services, phone)) == len(first) + 1


async def test_a_spent_length_is_not_compared_and_the_next_code_is_longer(
    services: CoreServices, moved_clock: MoveClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    budgets(monkeypatch, new={6: 7, 8: 5, 10: 100, 12: 100, 14: 100})
    phone = await someone(services, "phone")
    moved_clock(timedelta(hours=2))
    spared, spared_code = await begin(services, phone, CAFE)
    guessed = [await begin(services, phone, one) for one in strangers(3)]
    # All at once: exactly the budget is compared, whatever the order.
    await asyncio.gather(
        *(tried(services, one, wrong(code)) for one, code in guessed for _ in range(5))
    )
    assert await compared(services, phone) == 7 + 1, "and the code that signed in before"
    assert not await tried(services, spared, spared_code), "refused without being compared"
    joined, code = await begin(services, phone, CAFE)
    assert len(code) == 8
    stranger = await ask(services, phone, strangers(1)[0])
    for _ in range(5):
        assert not await tried(services, stranger, wrong(code))
    assert not await tried(services, joined, code)
    # The holder asks again, and a code of ten digits comes without any wait.
    joined, code = await begin(services, phone, CAFE)
    assert len(code) == 10
    assert await tried(services, joined, code)
    moved_clock(timedelta(hours=25))
    _, code = await begin(services, phone, CAFE)
    assert len(code) == 10, "the day is not over"
    moved_clock(timedelta(hours=28))
    _, code = await begin(services, phone, CAFE)
    assert len(code) == 6, "a day later, codes are short again"


@pytest.mark.parametrize("kind", KINDS)
async def test_strangers_spend_nothing_of_a_browser_that_signed_in_before(
    services: CoreServices, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    address = await someone(services, kind)
    browser = (await sign_in(services, address, HOME)).browser
    of_another = (await sign_in(services, new_phone())).browser
    nothing_left = dict.fromkeys(code_limits.BUDGETS["new"], 0)
    budgets(monkeypatch, new=nothing_left)
    for _ in range(code_limits.KNOWN_CODES):
        known = Visitor(network=CAFE.network, browser=browser)
        started, code = await begin(services, address, known)
        assert await tried(services, started, code, known)
    # Its own quota is used up: it is served like a new browser, and not refused.
    started, code = await begin(services, address, known)
    assert len(code) == 14
    # Another account's browser, or a made-up one, is a new one.
    for other in ("A" * 43, of_another):
        _, code = await begin(services, address, Visitor(browser=other))
        assert len(code) == 14


async def test_wrong_codes_of_a_known_browser_are_counted_apart(
    services: CoreServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    budgets(monkeypatch, known={6: 6})
    phone = new_phone()
    known = Visitor(browser=(await sign_in(services, phone)).browser)
    for _ in range(2):
        started, code = await begin(services, phone, known)
        for _ in range(3):
            assert not await tried(services, started, wrong(code), known)
    assert not await tried(services, started, code, known), "its six are spent"
    started, code = await begin(services, phone, known)
    assert await tried(services, started, code, known), "in the lane of new browsers"


async def test_who_lacks_the_secret_spends_no_try(services: CoreServices) -> None:
    phone = await someone(services, "phone")
    started, code = await begin(services, phone)
    before = await compared(services, phone)
    for secret in ("", "A" * 43, started.secret[:-1], started.secret + "x"):
        stranger = type(started)(started.id, secret, started.expires_at)
        for typed in (code, wrong(code)):
            assert not await tried(services, stranger, typed)
    assert await compared(services, phone) == before
    assert await tried(services, started, code)


async def test_a_network_that_asks_too_often_has_one_try_each_and_bars_nobody(
    services: CoreServices,
) -> None:
    phone = await someone(services, "phone")
    for _ in range(services.settings.sign_ins_per_hour):
        await ask(services, phone, CAFE)
    # Someone else in that café, and a neighbour of the same /64.
    started = await ask(services, phone, CAFE)
    code = (await sent_codes(services, phone))[-1]
    assert await tries(services, started) == 1
    assert await tries(services, await ask(services, phone, HOME)) == 5
    assert await tries(services, await ask(services, new_phone(), CAFE)) == 5
    assert await tried(services, started, code), "the right code opens"


@pytest.mark.parametrize("kind", KINDS)
async def test_every_asker_is_answered_alike_and_costs_the_same(
    services: CoreServices, kind: str
) -> None:
    known = await someone(services, kind)
    browser = (await sign_in(services, known, CAFE)).browser
    unknown = new_phone() if kind == "phone" else new_email()
    await begin(services, new_phone())
    seen: dict[str, list[Any]] = {known: [], unknown: []}
    for address, done in seen.items():
        for who in (Visitor(browser=browser), *strangers(7)):
            with statements(services) as sent:
                started = await ask(services, address, who)
            async with services.database.transaction() as tx:
                row = await tx.execute(
                    select(SignIn.expires_at - SignIn.created_at).where(SignIn.id == started.id)
                )
                done.append((sent, row.scalar_one()))
    assert seen[known] == seen[unknown]
    assert all(one == seen[known][0] for one in seen[known]), "own, shared and joined alike"


async def compared(services: CoreServices, address: str) -> int:
    """How many codes were compared for a phone."""
    tag = await services.field_encryption.tag("phone", address)
    async with services.database.transaction() as tx:
        found = await tx.execute(
            select(func.count())
            .select_from(SignInTry)
            .join(SignInCode, SignInCode.id == SignInTry.code_id)
            .where(SignInCode.address_tag == tag)
        )
        return int(found.scalar_one())


async def tries(services: CoreServices, started: Any) -> int:
    """How often a sign-in may be tried."""
    async with services.database.transaction() as tx:
        found = await tx.execute(select(SignIn.tries).where(SignIn.id == started.id))
        return int(found.scalar_one())
