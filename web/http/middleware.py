"""What every request passes through, in one pure ASGI layer for speed.

A request id, security headers, a limit on bodies and on failures, one log line by route template
(never the path: it holds ids), one metric, and a problem document for unexpected errors.
"""

import re
import secrets
import time
import traceback
from collections.abc import Awaitable, Callable

import structlog
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from base.connections import STATEMENT_SECONDS, caller, statement_limit
from base.errors import ErrorKind, ServiceError
from base.outages import is_reported, unavailable
from base.settings import MIB, Settings
from web.http.body_limits import let_through_in
from web.http.content_policy import API_POLICY, PAGE_POLICY
from web.http.failure_limit import RECORDED, TOLD, FailureLimit, Ticket
from web.http.methods import as_get
from web.http.problems import internal_error, of_failure
from web.http.rate_limit import RETRY_AFTER

BODY_LIMIT = 64 * 1024
"""Bytes of a body that the framework parses: JSON or a small form."""
_UPLOAD_MARGIN = MIB

_SAFE_ID = re.compile(rb"[A-Za-z0-9_-]{8,64}")
_log = structlog.get_logger("access")

_COMMON = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    # What everybody may keep says so itself.
    (b"cache-control", b"no-store"),
    (b"permissions-policy", b"geolocation=(), microphone=(), payment=(), usb=()"),
)
_HTTPS = ((b"strict-transport-security", b"max-age=31536000"),)

_WAY_OUT = "/quick-exit"
"""Waits for nothing else that its session asked for."""
_UPLOADS = "/v1/uploads"
_IMPORTS = "/v1/me/import"
_TUS = ((b"tus-resumable", b"1.0.0"), (b"tus-version", b"1.0.0"))
"""tus 1.0: in each answer about uploads, whoever gives it; the second one goes with a 412."""

_UNBUFFERED = (b"x-accel-buffering", b"no")
"""Asks a proxy to pass an answer on as it comes. With whatever may not be stored: what nobody may
keep, a proxy's disk may not either, and an end (a revocation) reaches the reader at once."""

RecordAnswer = Callable[[str, str, int, float], None]
"""Method, route template, status, seconds."""

FailurePage = Callable[[Request, ServiceError], Awaitable[Response]]
"""A failure as a page, for a caller who reads pages."""


class Middleware:
    """The outermost layer. `measure` is called with each answer."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        settings: Settings,
        measure: RecordAnswer,
        failures: FailureLimit,
        failure_page: FailurePage,
    ) -> None:
        self._app = app
        self._measure = measure
        self._failures = failures
        self._failure_page = failure_page
        self._upload_limit = settings.max_document_bytes + _UPLOAD_MARGIN
        https = _HTTPS if settings.public_url.startswith("https://") else ()
        common = (*_COMMON, *https)
        self._api = (*common, (b"content-security-policy", API_POLICY.encode()))
        self._tus = (*self._api, *_TUS)
        self._page = (*common, (b"content-security-policy", PAGE_POLICY.encode()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"]
        if method == "HEAD":
            scope = as_get(scope)
        request_id = _request_id(scope)
        scope["unefois.request_id"] = request_id
        statement_limit.set(STATEMENT_SECONDS)
        # Not cleared at the end: each request runs in its own copy of the context.
        structlog.contextvars.bind_contextvars(request_id=request_id)
        added = self._added(scope["path"])
        status = 0
        ticket: Ticket | None = None
        began = time.perf_counter()

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = scope.get(TOLD, message["status"])
                self._failures.settle(ticket, status, recorded=RECORDED in scope)
                _complete(message, added, request_id)
            await send(message)

        try:
            ticket = await self._failures.admit(scope)
            if ticket is not None and scope["path"] != _WAY_OUT:
                caller.set(ticket.digest)
            if ticket is not None and ticket.bucket is None:
                await self._refuse(scope, receive, answer)
            else:
                await self._app(scope, self._limited(scope, receive), answer)
        except ClientDisconnect:
            # In the midst of its own body: nothing was looked up, and nobody reads an answer.
            self._failures.settle(ticket, status)
        except Exception as error:  # noqa: BLE001  (nothing may leak, and every error is logged)
            failure = _logged(error, begun=status != 0)
            if status == 0:
                await self._answer_error(scope, receive, answer, failure)
        finally:
            self._note(scope, method, status, time.perf_counter() - began)

    def _added(self, path: str) -> tuple[tuple[bytes, bytes], ...]:
        if path == _UPLOADS or path.startswith((f"{_UPLOADS}/", _IMPORTS)):
            return self._tus
        return self._api if path.startswith(("/v1", "/oauth")) else self._page

    def _note(self, scope: Scope, method: str, status: int, seconds: float) -> None:
        """One line of the log and one measure a request; status 0: the caller went away."""
        route = template_of(scope)
        self._measure(method, route, status, seconds)
        ms = round(seconds * 1000, 1)
        _log.info("request", method=method, route=route, status=status, ms=ms)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        """429, before any route: nothing is looked up."""
        failure = ServiceError(ErrorKind.TOO_MANY, "too_many_failures", retry_after=RETRY_AFTER)
        await self._answer_error(scope, receive, send, failure)

    async def _answer_error(
        self, scope: Scope, receive: Receive, send: Send, failure: ServiceError | None
    ) -> None:
        """A failure, as a page for who reads pages; None: one that nobody foresaw."""
        request = Request(scope, receive)
        reads_pages = not scope["path"].startswith(("/v1", "/oauth"))
        response: Response
        if failure is None:
            response = internal_error(request)
        elif reads_pages and "text/html" in Headers(scope=scope).get("accept", ""):
            response = await self._failure_page(request, failure)
        else:
            response = of_failure(request, failure)
        await response(scope, receive, send)

    def _limited(self, scope: Scope, receive: Receive) -> Receive:
        """Count the bytes of a body, and stop at the limit of its route.

        What the framework parses is held in memory: 64 KiB. A handler that reads the stream
        itself (uploads) counts by its own rules; this only bounds it.
        """
        received = 0

        async def limited() -> Message:
            nonlocal received
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > BODY_LIMIT:
                    streamed = let_through_in(scope) or self._upload_limit
                    limit = streamed if _reads_stream(scope) else BODY_LIMIT
                    if received > limit:
                        raise ServiceError(ErrorKind.TOO_LARGE, "body_too_large", limit=limit)
            return message

        return limited


def _logged(error: Exception, *, begun: bool) -> ServiceError | None:
    """The failure that an error stands for, or None; logged unless the caller or the state of a
    part tells it. `begun`: the answer had begun, and is cut."""
    # Starlette hides a failure that comes after the beginning of an answer behind one of its own.
    failure = unavailable(error.__cause__ if begun and error.__cause__ else error)
    if failure is None:
        _log.error("unforeseen", error=type(error).__name__, at=_where(error))
    elif begun and not is_reported(failure):
        _log.error("answer_cut", code=failure.code)
    return failure


def template_of(scope: Scope) -> str:
    """The path of the route as declared, without ids; `unmatched` when none matched."""
    route = scope.get("route")
    return str(getattr(route, "path", "") or "unmatched")


def _reads_stream(scope: Scope) -> bool:
    route = scope.get("route")
    return route is not None and getattr(route, "body_field", None) is None


def _request_id(scope: Scope) -> str:
    """The caller's own request id if its characters are safe, or a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _SAFE_ID.fullmatch(value):
            return str(value.decode())
    return secrets.token_hex(12)


def _complete(message: Message, added: tuple[tuple[bytes, bytes], ...], request_id: str) -> None:
    """Add the headers that the handler did not set itself, and what they entail for proxies."""
    headers = list(message.get("headers", ()))
    present = {name.lower() for name, _ in headers}
    headers += [pair for pair in added if pair[0] not in present]
    if any(name.lower() == b"cache-control" and b"no-store" in value for name, value in headers):
        headers.append(_UNBUFFERED)
    headers.append((b"x-request-id", request_id.encode()))
    message["headers"] = headers


def _where(error: Exception) -> list[str]:
    """The code that failed: files and lines, no values."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}:{frame.name}" for frame in frames]
