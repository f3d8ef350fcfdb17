"""What readiness says, once it says it: its last answer is kept for a second."""

import httpx

from tests.steps import until


async def degraded(management: httpx.AsyncClient, part: str) -> httpx.Response:
    """Readiness as soon as it names the part; fails after a while."""
    last: list[httpx.Response] = []

    async def named() -> bool:
        last.append(await management.get("/readyz"))
        return part in last[-1].json()["degraded"]

    await until(named, seconds=15)
    return last[-1]


async def sound(management: httpx.AsyncClient, part: str) -> None:
    """Until readiness does not name the part any more."""

    async def unnamed() -> bool:
        return part not in (await management.get("/readyz")).json()["degraded"]

    await until(unnamed, seconds=15)
