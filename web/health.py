"""Whether the process lives, whether it can serve, and its measures."""

import asyncio
from collections.abc import Awaitable, Callable
from ipaddress import ip_address

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from base import clock
from base.errors import not_found
from storage.rotation import check_root
from vault.house import House
from web.callers import HouseDep
from web.house import log_is_sound
from web.measures import Measures

router = APIRouter(tags=["health"])

_PATIENCE = 5.0
_FRESH = 1.0
"""Seconds for which an answer stands: a probe is for everybody, and costs a round of SQL."""

Parts = dict[str, bool]


class Health(BaseModel):
    """The process answers."""

    status: str


class Readiness(BaseModel):
    """Each part by name; `ready` when all of them answer. `degraded` names what does not work as it
    should while the service goes on: the log's lag, its witnesses."""

    ready: bool
    parts: dict[str, bool]
    protections: list[str]
    degraded: list[str]


class Readinesses:
    """The last answer, kept for a second; one question at a time."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._at = float("-inf")
        self._parts: Parts = {}
        self.degraded: list[str] = []
        self.log: tuple[int, float] | None = None

    async def of(self, house: House) -> Parts:
        """What answers now, or did a second ago."""
        async with self._lock:
            if clock.monotonic() - self._at >= _FRESH:
                self._parts = await _look(house)
                await self._look_at_log(house)
                self._at = clock.monotonic()
            return self._parts

    async def _look_at_log(self, house: House) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                self.degraded = await house.log.degraded()
                self.log = await house.log.state()
        except Exception:  # noqa: BLE001  (whatever it is, the log cannot be looked at)
            self.degraded, self.log = ["log_unknown"], None


@router.get("/healthz")
async def healthz() -> Health:
    """Alive; says nothing of the parts."""
    return Health(status="ok")


@router.get("/readyz", responses={503: {"model": Readiness}})
async def readyz(request: Request, house: HouseDep) -> JSONResponse:
    """Whether requests should be sent here."""
    parts = await _parts(request, house)
    ready = all(parts.values())
    held = sorted(protection.value for protection in house.decoder.protections)
    degraded = request.app.state.readinesses.degraded
    answer = Readiness(ready=ready, parts=parts, protections=held, degraded=degraded)
    return JSONResponse(answer.model_dump(), 200 if ready else 503)


@router.get("/metrics", response_class=Response)
async def metrics(request: Request, house: HouseDep) -> Response:
    """Prometheus text, for callers of a private network; to the world there is no such page."""
    if not _inside(request):
        raise not_found()
    measures: Measures = request.app.state.measures
    for part, answers in (await _parts(request, house)).items():
        measures.ready.labels(part).set(answers)
    if (log := request.app.state.readinesses.log) is not None:
        measures.log_size.set(log[0])
        measures.log_lag.set(log[1])
    return Response(generate_latest(measures.registry), media_type=CONTENT_TYPE_LATEST)


def _inside(request: Request) -> bool:
    """Whether the caller is on this machine or a private network. Counts by route are an oracle: a
    sender who watches them learns that a request was refused, when they should see silence."""
    try:
        return ip_address(request.client.host if request.client else "").is_private
    except ValueError:
        return False


async def _parts(request: Request, house: House) -> Parts:
    readinesses: Readinesses = request.app.state.readinesses
    return await readinesses.of(house)


async def _look(house: House) -> Parts:
    looks: dict[str, Callable[[], Awaitable[bool]]] = {
        "database": lambda: _answers(house.database.check()),
        "log": lambda: log_is_sound(house.database),
        "store": lambda: _answers(house.storage.blobs.check()),
        "keys": lambda: _answers(check_root(house.database, house.storage.keys.provider)),
    }
    found = await asyncio.gather(*(_within(look) for look in looks.values()))
    return {
        **dict(zip(looks, found, strict=True)),
        "decoder": bool(house.decoder.protections),
        "revocations": house.revocations.listening,
    }


async def _answers(asked: Awaitable[None]) -> bool:
    await asked
    return True


async def _within(look: Callable[[], Awaitable[bool]]) -> bool:
    try:
        return await asyncio.wait_for(look(), _PATIENCE)
    except Exception:  # noqa: BLE001  (whatever it is, the part does not answer)
        return False
