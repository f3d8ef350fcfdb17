"""The answer to a question that the service asks itself through its public address: does the proxy
pass bodies on as they arrive?
ADR: docs/adr/0027-proxy-check.md.

A request comes in two halves with a pause between them, and so does the answer. It says how far
apart the halves arrived here; whoever asked measures the answer's own halves.
"""

import asyncio
from secrets import compare_digest

from starlette.types import ASGIApp, Receive, Scope, Send

from base import clock

PATH = "/v1/proxy-check"
HEADER = "x-unefois-proxy-check"
HALF = b"-" * 512
"""Bytes of one half of the request: fewer than any proxy's buffer."""
PAUSE_SECONDS = 1.0
GAP_DIGITS = 6
"""The first half of the answer is so many digits: milliseconds between the two halves received."""
END = b"end\n"
_DEADLINE_SECONDS = 20.0


class ProxyCheck:
    """What this process knows of the check. `secret` is None until it asks: then nobody is
    answered. `found` has the codes of what is wrong with the proxy."""

    def __init__(self) -> None:
        self.secret: bytes | None = None
        self.found: list[str] = []

    def recognises(self, scope: Scope) -> bool:
        """Whether a request is the service's own, of this process or of another one."""
        if scope["type"] != "http" or scope["path"] != PATH or self.secret is None:
            return False
        sent = dict(scope["headers"]).get(HEADER.encode(), b"")
        return compare_digest(sent, self.secret)


class ProxyCheckAnswer:
    """Answers the service's own question; any other request, also to the same path, goes on to the
    application, which has no such path."""

    def __init__(self, app: ASGIApp, *, check: ProxyCheck) -> None:
        self._app = app
        self._check = check

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._check.recognises(scope):
            await self._app(scope, receive, send)
            return
        async with asyncio.timeout(_DEADLINE_SECONDS):
            gap = await _gap_between_halves(receive)
            await _answer_in_halves(send, gap)


async def _gap_between_halves(receive: Receive) -> float:
    """Seconds between the end of the first half and the end of the body."""
    received, first_at = 0, None
    while True:
        message = await receive()
        received += len(message.get("body", b""))
        if first_at is None and received >= len(HALF):
            first_at = clock.monotonic()
        if not message.get("more_body", False):
            return 0.0 if first_at is None else clock.monotonic() - first_at


async def _answer_in_halves(send: Send, gap: float) -> None:
    """Without a length, and not to be stored: like every answer that holds something of a person,
    it asks the proxy to pass it on."""
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-type", b"text/plain")],
        }
    )
    first = f"{min(round(gap * 1000), 10**GAP_DIGITS - 1):0{GAP_DIGITS}}".encode()
    await send({"type": "http.response.body", "body": first, "more_body": True})
    await asyncio.sleep(PAUSE_SECONDS)
    await send({"type": "http.response.body", "body": END, "more_body": False})
