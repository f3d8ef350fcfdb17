"""E-mails to a real SMTP listener over STARTTLS, SMS to a real HTTP server."""

import asyncio
import datetime
import ipaddress
import json
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import SecretStr

from auth.messengers import Messenger, NotSent, Outgoing, Undeliverable
from auth.messengers.console import ConsoleMessenger
from auth.messengers.inbox import InboxMessenger
from auth.messengers.selection import messenger_of
from auth.messengers.sms import SmsGateway
from auth.messengers.smtp import SmtpMessenger
from base.settings import Settings

EMAIL = Outgoing("email", "nadia@structure.example", "Votre code", "Votre code : 123456. À bientôt")
SMS = Outgoing("sms", "+33612345678", "", "Votre code : 123456. À bientôt")


class Mailbox:
    """The accepted messages; refuses addresses that begin with `refused` or `later`."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []

    async def handle_RCPT(  # noqa: N802  (aiosmtpd's name)
        self, _1: Any, _2: Session, envelope: Envelope, address: str, _3: list[str]
    ) -> str:
        if address.startswith("refused"):
            return "550 no such user " + address
        if address.startswith("later"):
            return "451 try again " + address
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _1: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802  (idem)
        assert session.ssl, "the message was not encrypted"
        self.taken.append(envelope)
        return "250 OK"


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    (folder / "c.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / "k.pem").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return folder / "c.pem", folder / "k.pem"


class Listener:
    """A real SMTP server that accepts nothing before STARTTLS and a login."""

    def __init__(self, folder: Path) -> None:
        self.certificate, key = certificate(folder)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.certificate, key)
        self.mailbox = Mailbox()
        self.port = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._session, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def _session(self) -> SMTP:
        return SMTP(
            self.mailbox,
            hostname="127.0.0.1",
            tls_context=self._context,
            require_starttls=True,
            auth_required=True,
            auth_exclude_mechanism=["LOGIN"],
            authenticator=_authenticate,
        )

    def settings(self, **changes: Any) -> Settings:
        fields = {
            "mode": "demo",
            "messenger": "smtp",
            "smtp_port": self.port,
            "smtp_user": "unefois",
            "smtp_password": SecretStr("sesame"),
            "mail_from": "ne-pas-repondre@unefois.example",
        }
        return Settings(**(fields | changes))

    def messenger(self, **changes: Any) -> SmtpMessenger:
        trusting = ssl.create_default_context(cafile=str(self.certificate))
        return SmtpMessenger(self.settings(**changes), trusting)


def _authenticate(_1: Any, _2: Any, _3: Any, _4: str, given: Any) -> AuthResult:
    assert isinstance(given, LoginPassword)
    known = (given.login, given.password) == (b"unefois", b"sesame")
    return AuthResult(success=known, handled=False)


@pytest.fixture
async def smtp(tmp_path: Path) -> AsyncIterator[Listener]:
    listener = Listener(tmp_path)
    await listener.start()
    yield listener
    await listener.stop()


async def test_an_email_arrives_over_tls_as_it_was_written(smtp: Listener) -> None:
    await smtp.messenger().send(EMAIL)
    [envelope] = smtp.mailbox.taken
    assert envelope.rcpt_tos == ["nadia@structure.example"]
    assert isinstance(envelope.content, bytes)
    mail = message_from_bytes(envelope.content, policy=policy.default)
    assert mail["Subject"] == "Votre code"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().strip() == EMAIL.text


async def test_a_server_that_nobody_vouches_for_gets_nothing(smtp: Listener) -> None:
    with pytest.raises(NotSent):
        await SmtpMessenger(smtp.settings()).send(EMAIL)
    assert smtp.mailbox.taken == []


async def test_a_wrong_password_is_not_the_messages_fault(smtp: Listener) -> None:
    with pytest.raises(NotSent):
        await smtp.messenger(smtp_password=SecretStr("guess")).send(EMAIL)


@pytest.mark.parametrize(("to", "kind"), [("refused", Undeliverable), ("later", NotSent)])
async def test_a_refused_recipient_and_one_to_try_again(
    smtp: Listener, to: str, kind: type[Exception]
) -> None:
    message = Outgoing("email", f"{to}@structure.example", "Votre code", "x")
    with pytest.raises(kind) as caught:
        await smtp.messenger().send(message)
    assert "structure" not in str(caught.value)


async def test_no_smtp_server_is_worth_another_try(smtp: Listener) -> None:
    await smtp.stop()
    with pytest.raises(NotSent):
        await smtp.messenger().send(EMAIL)


class Gateway(BaseHTTPRequestHandler):
    """A gateway that sends the answer set by the test, and keeps the requests it got."""

    status: ClassVar[int] = 202
    seen: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.seen.append(
            {"path": self.path, "by": self.headers["authorization"], "body": json.loads(body)}
        )
        self.send_response(self.status)
        if self.status == 307:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def gateway() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Gateway)
    Gateway.seen.clear()
    Gateway.status = 202
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/send"
    server.shutdown()
    thread.join()
    server.server_close()


async def test_an_sms_reaches_the_gateway_with_its_token(gateway: str) -> None:
    await SmsGateway(gateway, SecretStr("sesame")).send(SMS)
    assert Gateway.seen == [
        {"path": "/send", "by": "Bearer sesame", "body": {"to": SMS.to, "text": SMS.text}}
    ]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Undeliverable),
        (422, Undeliverable),
        (401, NotSent),
        (402, NotSent),
        (404, NotSent),
        (429, NotSent),
        (503, NotSent),
        (307, NotSent),
    ],
)
async def test_a_gateway_that_does_not_take_it(
    gateway: str, status: int, kind: type[Exception]
) -> None:
    Gateway.status = status
    with pytest.raises(kind) as caught:
        await SmsGateway(gateway, None).send(SMS)
    assert len(Gateway.seen) == 1, "a redirect is not followed"
    assert SMS.to not in str(caught.value)


async def test_no_gateway_is_worth_another_try() -> None:
    with pytest.raises(NotSent):
        await SmsGateway("http://127.0.0.1:9/send", None).send(SMS)


def test_a_gateway_beyond_this_machine_is_reached_by_https() -> None:
    with pytest.raises(ValueError, match="https"):
        SmsGateway("http://sms.example/send", None)
    assert SmsGateway("https://sms.example/send", None)


@pytest.mark.parametrize(
    ("name", "kind"), [("console", ConsoleMessenger), ("inbox", InboxMessenger)]
)
def test_the_settings_choose(name: str, kind: type[Messenger]) -> None:
    assert isinstance(messenger_of(Settings(mode="demo", messenger=name)), kind)  # type: ignore[arg-type]  # a literal


async def test_each_channel_goes_its_way(gateway: str) -> None:
    settings = Settings(
        mode="demo", messenger="smtp", smtp_port=9, smtp_start_tls=False, sms_gateway_url=gateway
    )
    messenger = messenger_of(settings)
    await messenger.send(SMS)
    assert len(Gateway.seen) == 1
    with pytest.raises(NotSent):
        await messenger.send(EMAIL)


async def test_without_a_gateway_an_sms_waits() -> None:
    with pytest.raises(NotSent):
        await messenger_of(Settings(mode="demo", messenger="smtp")).send(SMS)


async def test_the_console_prints(capsys: pytest.CaptureFixture[str]) -> None:
    await ConsoleMessenger().send(SMS)
    assert "123456" in capsys.readouterr().out


def test_nothing_of_a_message_is_printed_by_accident() -> None:
    assert repr(SMS) == "Outgoing(channel='sms')"
