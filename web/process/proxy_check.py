"""Whether the proxy in front of this service passes bodies on as they arrive, asked once at start
through the public address. A proxy that stores them has papers in clear on its disk, and goes on
sending a download that was revoked ADR: docs/adr/0027-proxy-check.md.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import structlog

from base import clock, key_names
from base.tasks import end
from vault.services import Services
from web.http.proxy_check import END, GAP_DIGITS, HALF, HEADER, PATH, PAUSE_SECONDS, ProxyCheck

REQUESTS = "proxy_buffers_requests"
ANSWERS = "proxy_buffers_answers"
RUNBOOK = "docs/runbooks/proxy.md"
_BEFORE_EACH_TRY = (0.0, 2.0, 10.0, 60.0, 300.0)
"""Seconds: a proxy may start after the service, and certificates may take a minute."""
_TIMEOUT_SECONDS = 10.0
_ENOUGH = PAUSE_SECONDS / 2

_log = structlog.get_logger()


class NotAnswered(Exception):
    """What answered at the public address is not this service; the message is a status."""


@asynccontextmanager
async def check_proxy(services: Services, check: ProxyCheck) -> AsyncIterator[None]:
    """Ask in the background for the length of the block. It delays nothing and fails nothing.

    Only where the public address is https: the service speaks no TLS, so a proxy is there.
    """
    if not services.settings.public_url.startswith("https://"):
        yield
        return
    task = asyncio.create_task(_until_answered(services, check), name="proxy check")
    try:
        yield
    finally:
        await end(task)


async def _until_answered(services: Services, check: ProxyCheck) -> None:
    reason = ""
    for pause in _BEFORE_EACH_TRY:
        await asyncio.sleep(pause)
        try:
            check.found = await _ask(services, check)
        except Exception as error:  # noqa: BLE001  (nothing here may end the process)
            reason = str(error) if isinstance(error, NotAnswered) else type(error).__name__
            continue
        for code in check.found:
            _log.warning(code, what_to_do=RUNBOOK)
        if not check.found:
            _log.info("proxy_passes_bodies_on")
        return
    _log.info("proxy_not_checked", reason=reason, what_to_do=RUNBOOK)


async def _ask(services: Services, check: ProxyCheck) -> list[str]:
    # The same in every process of the installation: a proxy may hand the question to another one.
    tag = await services.field_encryption.tag(key_names.PROXY_CHECK, "")
    check.secret = tag.hex().encode()
    return await buffered_by(services.settings.public_url, check.secret)


async def buffered_by(public_url: str, secret: bytes) -> list[str]:
    """The codes of what the proxy at an address buffers; empty when it passes both ways on.

    The certificate is verified as usual (`SSL_CERT_FILE` names another authority). Raises
    `NotAnswered`, `httpx.HTTPError`, `OSError` and `TimeoutError`.
    """
    url = public_url.rstrip("/") + PATH
    headers = {HEADER: secret.decode(), "Accept-Encoding": "identity"}
    client = httpx.AsyncClient(
        timeout=_TIMEOUT_SECONDS, trust_env=False, verify=ssl.create_default_context()
    )
    async with (
        asyncio.timeout(3 * _TIMEOUT_SECONDS),
        client as http,
        http.stream("POST", url, headers=headers, content=_halves()) as answer,
    ):
        if answer.status_code != 200:
            raise NotAnswered(str(answer.status_code))
        return await _judge(answer)


async def _halves() -> AsyncIterator[bytes]:
    # Without a length: a proxy that speaks HTTP/1.0 to the service stores just these.
    yield HALF
    await asyncio.sleep(PAUSE_SECONDS)
    yield HALF


async def _judge(answer: httpx.Response) -> list[str]:
    body, first_at = b"", None
    async for piece in answer.aiter_raw():
        body += piece
        if first_at is None and len(body) >= GAP_DIGITS:
            first_at = clock.monotonic()
        if len(body) >= GAP_DIGITS + len(END):
            break
    if first_at is None or body[GAP_DIGITS:] != END or not body[:GAP_DIGITS].isdigit():
        raise NotAnswered("another answer")
    received_apart = int(body[:GAP_DIGITS]) / 1000
    sent_apart = clock.monotonic() - first_at
    found = {REQUESTS: received_apart, ANSWERS: sent_apart}
    return [code for code, apart in found.items() if apart < _ENOUGH]
