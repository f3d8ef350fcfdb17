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
from storage.key_rotation import check_root
from vault.services import Services
from web.http.dependencies import ServicesDep
from web.http.metrics import Metrics
from web.process.services import log_is_sound

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

    async def of(self, services: Services) -> Parts:
        """What answers now, or did a second ago."""
        async with self._lock:
            if clock.monotonic() - self._at >= _FRESH:
                self._parts = await _look(services)
                await self._look_at_log(services)
                self._at = clock.monotonic()
            return self._parts

    async def _look_at_log(self, services: Services) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                self.degraded = await services.transparency_log.degraded()
                self.log = await services.transparency_log.state()
        except Exception:  # noqa: BLE001  (whatever it is, the log cannot be looked at)
            self.degraded, self.log = ["log_unknown"], None


@router.get("/healthz")
async def healthz() -> Health:
    """Alive; says nothing of the parts."""
    return Health(status="ok")


@router.get("/readyz", responses={503: {"model": Readiness}})
async def readyz(request: Request, services: ServicesDep) -> JSONResponse:
    """Whether requests should be sent here."""
    parts = await _parts(request, services)
    ready = all(parts.values())
    held = sorted(protection.value for protection in services.decoder.protections)
    degraded = request.app.state.readinesses.degraded
    answer = Readiness(ready=ready, parts=parts, protections=held, degraded=degraded)
    return JSONResponse(answer.model_dump(), 200 if ready else 503)


@router.get("/metrics", response_class=Response)
async def metrics(request: Request, services: ServicesDep) -> Response:
    """Prometheus text, for callers of a private network; to the world there is no such page."""
    if not _inside(request):
        raise not_found()
    measures: Metrics = request.app.state.measures
    for part, answers in (await _parts(request, services)).items():
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


async def _parts(request: Request, services: Services) -> Parts:
    readinesses: Readinesses = request.app.state.readinesses
    return await readinesses.of(services)


async def _look(services: Services) -> Parts:
    looks: dict[str, Callable[[], Awaitable[bool]]] = {
        "database": lambda: _answers(services.database.check()),
        "log": lambda: log_is_sound(services.database),
        "store": lambda: _answers(services.storage.blobs.check()),
        "keys": lambda: _answers(check_root(services.database, services.storage.keys.provider)),
    }
    found = await asyncio.gather(*(_within(look) for look in looks.values()))
    return {
        **dict(zip(looks, found, strict=True)),
        "decoder": bool(services.decoder.protections),
        "revocations": services.revocations.listening,
    }


async def _answers(asked: Awaitable[None]) -> bool:
    await asked
    return True


async def _within(look: Callable[[], Awaitable[bool]]) -> bool:
    try:
        return await asyncio.wait_for(look(), _PATIENCE)
    except Exception:  # noqa: BLE001  (whatever it is, the part does not answer)
        return False
