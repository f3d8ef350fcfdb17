"""Callers who hang up: in the midst of what they send, or before they are answered. They spare
themselves no failure, leave no more lines than others, and are no fault of ours in the log."""

import asyncio
from collections import Counter

from sqlalchemy import func, select
from structlog.testing import capture_logs

from audit.records import AccessEvent
from tests.attacks.pace import AT_ONCE, STRUCTURE, Strict
from tests.steps import until
from vault.services import Services

FORM = b"grant_type=client_credentials"


async def hang_up(server: Strict, sent: bytes, *, times: int = 1, after: float = 0.0) -> None:
    """Send a part of the requests, and go away without reading."""
    head = (
        "POST /oauth/token HTTP/1.1",
        "Host: x",
        f"X-Forwarded-For: {STRUCTURE}",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(FORM)}",
    )
    port = int(server.url.rpartition(":")[2])
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(("\r\n".join(head).encode() + b"\r\n\r\n" + sent) * times)
    await writer.drain()
    await asyncio.sleep(after)
    writer.transport.abort()


async def lines(services: Services) -> int:
    async with services.database.transaction() as tx:
        return int((await tx.execute(select(func.count()).select_from(AccessEvent))).scalar_one())


async def test_who_hangs_up_in_the_midst_of_a_body_is_no_fault_of_ours(strict: Strict) -> None:
    before, many = await lines(strict.services), AT_ONCE + 20
    with capture_logs() as said:
        for _ in range(many):
            await hang_up(strict, FORM[:5], after=0.005)
        await until(lambda: len(said) >= many)
    assert Counter((line["log_level"], line["status"]) for line in said) == {("info", 0): many}
    # Nothing was looked up, and none of them is kept from the others of that network.
    assert await lines(strict.services) == before
    assert await strict.refused() == 401


async def test_who_does_not_wait_for_the_answers_fails_as_often_as_who_does(strict: Strict) -> None:
    before = await lines(strict.services)
    for _ in range(8):
        await asyncio.gather(*(hang_up(strict, FORM, times=10, after=0.05) for _ in range(10)))

    async def spent() -> bool:
        await strict.refused()
        return await lines(strict.services) - before >= AT_ONCE

    await until(spent, 30)
    assert {await strict.refused() for _ in range(5)} == {429}
    assert await lines(strict.services) - before == AT_ONCE
