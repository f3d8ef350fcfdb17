"""Requests that come in while a token is looked up. The limit over HTTP:
`tests/attacks/test_writes_that_cost_nothing.py`."""

import asyncio
from dataclasses import replace
from secrets import randbelow
from uuid import uuid4

import pytest
from starlette.types import Scope

from vault.services import Services
from web.http.failure_limit import Account, FailureLimit, Ticket

VALID, FALSE = "uf_" + "A" * 43, "uf_" + "B" * 43
AT_ONCE, MANY = 6, 50


def reading(token: str, address: str) -> Scope:
    """A GET of the API with a token."""
    headers = [(b"authorization", f"Bearer {token}".encode())]
    return {
        "type": "http", "method": "GET", "path": "/v1/grants", "headers": headers,
        "client": (address, 1),
    }  # fmt: skip


class SlowLimit(FailureLimit):
    """The limit of a network that has nothing left; its look-ups wait until they are let go."""

    def __init__(self, services: Services) -> None:
        settings = services.settings.model_copy(update={"failures_at_once": AT_ONCE})
        super().__init__(replace(services, settings=settings), self._found, ("p", "w", "b"))
        self._account = uuid4()
        self._address = f"2001:db8:{randbelow(1 << 16):x}:{randbelow(1 << 16):x}::7"
        self.looked_up = 0
        self.let_go = asyncio.Event()
        self.asked = asyncio.Event()

    async def _found(self, token: str) -> Account | None:
        self.looked_up += 1
        self.asked.set()
        await self.let_go.wait()
        return self._account if token == VALID else None

    async def read(self, token: str) -> Ticket | None:
        """A request comes in, from this test's own network."""
        return await self.admit(reading(token, self._address))

    async def come_in(self, token: str) -> list[asyncio.Task[Ticket | None]]:
        """Many requests with one token, all under way."""
        for _ in range(AT_ONCE + 1):
            await self.read("nothing")
        self.refused.take()
        tasks = [asyncio.create_task(self.read(token)) for _ in range(MANY)]
        await self.asked.wait()
        return tasks


pytestmark = pytest.mark.usefixtures("frozen")


@pytest.mark.parametrize(("token", "passes"), [(VALID, True), (FALSE, False)])
async def test_a_token_sent_many_times_at_once_is_looked_up_once(
    services: Services, token: str, passes: bool
) -> None:
    """Downloads in parallel, after a restart: five look-ups a second would refuse most of them."""
    limit = SlowLimit(services)
    tasks = await limit.come_in(token)
    limit.let_go.set()
    tickets = await asyncio.gather(*tasks)
    assert [ticket and ticket.bucket is not None for ticket in tickets] == [passes] * MANY
    assert limit.looked_up == 1
    assert limit.refused.requests == (0 if passes else MANY)


async def test_whoever_goes_away_takes_the_look_up_from_nobody(services: Services) -> None:
    limit = SlowLimit(services)
    first, *others = await limit.come_in(VALID)
    first.cancel()
    await asyncio.sleep(0)
    limit.let_go.set()
    assert all(ticket and ticket.bucket for ticket in await asyncio.gather(*others))
    assert limit.looked_up == 1


async def test_a_failure_of_ours_is_spent_only_where_it_left_a_line(services: Services) -> None:
    """An outage spends nobody's; a row that was altered, asked for again and again, does."""
    for recorded, left in ((False, AT_ONCE), (True, 0)):
        limit = SlowLimit(services)
        limit.let_go.set()
        for _ in range(AT_ONCE):
            limit.settle(await limit.read(FALSE), 503, recorded=recorded)
        tickets = [await limit.read(FALSE) for _ in range(AT_ONCE)]
        assert sum(bool(ticket and ticket.bucket) for ticket in tickets) == left
