"""What readiness says, once it says it: its last answer is kept for a second."""

import httpx

from tests.steps import until


async def degraded(client: httpx.AsyncClient, part: str) -> httpx.Response:
    """Readiness as soon as it names the part; fails after a while."""
    last: list[httpx.Response] = []

    async def named() -> bool:
        last.append(await client.get("/readyz"))
        return part in last[-1].json()["degraded"]

    await until(named, seconds=15)
    return last[-1]
