"""SMS by an HTTP gateway: `POST {"to", "text"}` with a bearer token; any 2xx means accepted."""

from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr

from auth.messengers import NotSent, Outgoing, Undeliverable

TIMEOUT_SECONDS = 15.0
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_ABOUT_THE_MESSAGE = {400, 413, 422}
"""Statuses that are final for one message. Any other says something of the gateway, of our account
there or of its address, and the message waits for the operator: 401, 402, 403, 404, 429, 5xx."""


class SmsGateway:
    """Sends each SMS by one request. Follows no redirect, ignores the environment's proxies."""

    keeps = False

    def __init__(self, url: str, token: SecretStr | None) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise ValueError("an SMS gateway beyond this machine is reached by https")
        self._url = url
        self._token = token

    async def send(self, message: Outgoing) -> None:
        if message.channel != "sms":
            raise Undeliverable("the gateway sends SMS only")
        headers = {}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token.get_secret_value()}"
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False) as http:
                answer = await http.post(
                    self._url, json={"to": message.to, "text": message.text}, headers=headers
                )
        except httpx.HTTPError as error:
            raise NotSent(f"sms gateway: {type(error).__name__}") from None
        if answer.is_success:
            return
        reason = f"sms gateway: {answer.status_code}"
        if answer.status_code in _ABOUT_THE_MESSAGE:
            raise Undeliverable(reason)
        raise NotSent(reason)
