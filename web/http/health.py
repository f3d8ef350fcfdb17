"""Liveness, for anybody; readiness and metrics of the process, on its management listener alone.

Counts by route are an oracle: from them a requester could learn that their request was refused, and
not just unanswered. So they are no route of the public application.
"""

import asyncio
from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from base import clock
from base.connections import statement_limit
from storage.blobs import BlobUnavailable
from storage.blobs.reports import DISK_CODES
from storage.key_rotation import check_root
from storage.providers import noted
from vault.services import Services
from web.http.dependencies import ServicesDep
from web.http.metrics import Metrics
from web.http.query_parameters import known_parameters_only
from web.process.services import log_is_sound

router = APIRouter(tags=["health"], dependencies=[Depends(known_parameters_only)])
management_router = APIRouter(tags=["health"])

_TIMEOUT = 5.0
_STATEMENT_SECONDS = 4.0
"""A statement that is cut from outside is waited for again, to be cancelled: it ends by itself."""
_REUSE_SECONDS = 1.0
"""Seconds that a result is reused: several may probe, and a check costs SQL queries."""

Parts = dict[str, bool]


class Health(BaseModel):
    """The process answers."""

    status: str


class Readiness(BaseModel):
    """Each part by name; `ready` when all of them answer. `degraded` names what does not work as it
    should: the log's lag, its witnesses, and every part that fails (`base/part_state.py`), also one
    with which the service goes on: `disk`, `antivirus`, `email`, `sms`, the proxy."""

    ready: bool
    parts: dict[str, bool]
    protections: list[str]
    degraded: list[str]


class ReadinessCache:
    """The last result, kept for a second; one check at a time."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._at = float("-inf")
        self._parts: Parts = {}
        self.degraded: list[str] = []
        self.log: tuple[int, float] | None = None

    async def get(self, services: Services) -> Parts:
        """Which parts answer, now or at most a second ago."""
        async with self._lock:
            if clock.monotonic() - self._at >= _REUSE_SECONDS:
                self._parts, _ = await asyncio.gather(
                    _check_parts(services), self._check_log(services)
                )
                self.degraded += services.parts.failing()
                self._at = clock.monotonic()
            return self._parts

    async def _check_log(self, services: Services) -> None:
        statement_limit.set(_STATEMENT_SECONDS)
        try:
            async with asyncio.timeout(_TIMEOUT):
                self.degraded = list(await services.transparency_log.degraded())
                self.log = await services.transparency_log.state()
        except Exception:  # noqa: BLE001  (after any failure, the log's state is unknown)
            self.degraded, self.log = ["log_unknown"], None


@router.get("/healthz", operation_id="getHealth")
async def healthz() -> Health:
    """Alive; says nothing of the parts."""
    return Health(status="ok")


@management_router.get("/readyz", responses={503: {"model": Readiness}})
async def readyz(request: Request, services: ServicesDep) -> JSONResponse:
    """Whether requests should be sent here."""
    parts = await _parts(request, services)
    ready = all(parts.values())
    protections = sorted(protection.value for protection in services.decoder.protections)
    degraded = request.app.state.readiness.degraded + request.app.state.proxy_check.found
    answer = Readiness(ready=ready, parts=parts, protections=protections, degraded=degraded)
    return JSONResponse(answer.model_dump(), 200 if ready else 503)


@management_router.get("/metrics", response_class=Response)
async def metrics(request: Request, services: ServicesDep) -> Response:
    """Prometheus text."""
    collected: Metrics = request.app.state.metrics
    for part, answers in (await _parts(request, services)).items():
        collected.ready.labels(part).set(answers)
    for part, fails in services.parts.states().items():
        collected.failing.labels(part).set(fails)
    if (log := request.app.state.readiness.log) is not None:
        collected.log_size.set(log[0])
        collected.log_lag.set(log[1])
    return Response(generate_latest(collected.registry), media_type=CONTENT_TYPE_LATEST)


async def _parts(request: Request, services: Services) -> Parts:
    cache: ReadinessCache = request.app.state.readiness
    return await cache.get(services)


async def _check_parts(services: Services) -> Parts:
    checks: dict[str, Callable[[], Awaitable[bool]]] = {
        "database": lambda: _succeeds(services.database.check()),
        "log": lambda: log_is_sound(services.database),
        "store": lambda: _store_answers(services),
        "keys": lambda: _keys_answer(services),
    }
    results = await asyncio.gather(*(_with_timeout(check) for check in checks.values()))
    return {
        **dict(zip(checks, results, strict=True)),
        "decoder": bool(services.decoder.protections),
        "revocations": services.revocations.listening,
    }


async def _store_answers(services: Services) -> bool:
    """A full disk is named under `degraded`: what is there may still be read."""
    try:
        await services.storage.blobs.check()
    except BlobUnavailable as error:
        return error.reason in DISK_CODES
    return True


async def _keys_answer(services: Services) -> bool:
    with noted(services.storage.keys.state):
        await check_root(services.database, services.storage.keys.provider)
    return True


async def _succeeds(check: Awaitable[None]) -> bool:
    await check
    return True


async def _with_timeout(check: Callable[[], Awaitable[bool]]) -> bool:
    statement_limit.set(_STATEMENT_SECONDS)
    try:
        async with asyncio.timeout(_TIMEOUT):
            return await check()
    except Exception:  # noqa: BLE001  (after any failure, the part does not answer)
        return False
