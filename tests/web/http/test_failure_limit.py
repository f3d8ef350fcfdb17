"""Requests that come in while a token is looked up. The limit over HTTP:
`tests/attacks/test_writes_that_cost_nothing.py`."""

import asyncio
from uuid import uuid4

import pytest
from starlette.types import Scope

from base.settings import Settings
from web.http.failure_limit import Account, FailureLimit, Ticket

ACCOUNT, VALID, FALSE = uuid4(), "uf_" + "A" * 43, "uf_" + "B" * 43
AT_ONCE, MANY = 6, 50


def reading(token: str) -> Scope:
    """A GET of the API with a token."""
    headers = [(b"authorization", f"Bearer {token}".encode())]
    return {
        "type": "http", "method": "GET", "path": "/v1/grants", "headers": headers,
        "client": ("198.51.100.7", 1),
    }  # fmt: skip


class SlowLimit(FailureLimit):
    """The limit of a network that has nothing left; its look-ups wait until they are let go."""

    def __init__(self) -> None:
        super().__init__(
            Settings(mode="demo", failures_at_once=AT_ONCE), self._found, ("p", "w", "b")
        )
        self.looked_up = 0
        self.let_go = asyncio.Event()

    async def _found(self, token: str) -> Account | None:
        self.looked_up += 1
        await self.let_go.wait()
        return ACCOUNT if token == VALID else None

    async def come_in(self, token: str) -> list[asyncio.Task[Ticket | None]]:
        """Many requests with one token, all under way."""
        for _ in range(AT_ONCE):
            await self.admit(reading("nothing"))
        tasks = [asyncio.create_task(self.admit(reading(token))) for _ in range(MANY)]
        for _ in range(3):
            await asyncio.sleep(0)
        return tasks


@pytest.mark.parametrize(("token", "passes"), [(VALID, True), (FALSE, False)])
async def test_a_token_sent_many_times_at_once_is_looked_up_once(token: str, passes: bool) -> None:
    """Downloads in parallel, after a restart: five look-ups a second would refuse most of them."""
    limit = SlowLimit()
    tasks = await limit.come_in(token)
    limit.let_go.set()
    tickets = await asyncio.gather(*tasks)
    assert [ticket and ticket.bucket is not None for ticket in tickets] == [passes] * MANY
    assert limit.looked_up == 1
    assert limit.refused.requests == (0 if passes else MANY)


async def test_whoever_goes_away_takes_the_look_up_from_nobody() -> None:
    limit = SlowLimit()
    first, *others = await limit.come_in(VALID)
    first.cancel()
    await asyncio.sleep(0)
    limit.let_go.set()
    assert all(ticket and ticket.bucket for ticket in await asyncio.gather(*others))
    assert limit.looked_up == 1
