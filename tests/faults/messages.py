"""Where messages go: a real SMTP listener, and the SMS gateway of the tests."""

import asyncio
import json
import re
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

_CODE = re.compile(r"\b\d{6}\b")


class Mailbox:
    """E-mails that were accepted: how many each address got, and the last text."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        self.last: dict[str, str] = {}
        self.port = 0
        self._server: asyncio.Server | None = None

    async def handle_DATA(self, _1: Any, _2: Session, envelope: Envelope) -> str:  # noqa: N802  (aiosmtpd's name)
        for address in envelope.rcpt_tos:
            self.taken[address] += 1
            content = envelope.content
            self.last[address] = content.decode() if isinstance(content, bytes) else str(content)
        return "250 OK"

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(self, hostname="127.0.0.1", enable_SMTPUTF8=True), "127.0.0.1", 0
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()


class SmsGateway:
    """A stub, since a real one is a telephone operator: `POST {"to", "text"}`, answered 202."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        self.last: dict[str, str] = {}
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                sms = json.loads(self.rfile.read(length))
                gateway.taken[sms["to"]] += 1
                gateway.last[sms["to"]] = sms["text"]
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing: the tests read the service's log."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def code_of(text: str) -> str:
    """The six digits of a message."""
    found = _CODE.search(text)
    assert found, "no code in that message"
    return found[0]
