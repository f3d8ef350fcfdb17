"""What carries messages out of an installation: an SMS gateway and an SMTP server, both stubs that
keep what they are given; and the certificate of this machine, for what speaks TLS."""

import contextlib
import datetime
import ipaddress
import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.servers.ports import free_ports

HOST = "localhost"


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate of this machine: who trusts the file trusts nothing else."""

    file: Path
    key: Path


def make_certificate(folder: Path) -> Certificate:
    """One for `localhost` and 127.0.0.1, good for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    today = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName(HOST), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(hours=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate = Certificate(folder / "cert.pem", folder / "key.pem")
    certificate.file.write_bytes(made.public_bytes(Encoding.PEM))
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    certificate.key.write_bytes(pem)
    return certificate


@dataclass
class Taken:
    """A server, and the messages that it took: `(to, text)`."""

    port: int = 0
    messages: list[tuple[str, str]] = field(default_factory=list)

    def sent_to(self, address: str) -> list[str]:
        """The texts for one address, oldest first."""
        return [text for to, text in list(self.messages) if to == address]


@contextlib.contextmanager
def sms_gateway(token: str) -> Iterator[Taken]:
    """An HTTP gateway at `/send` that takes messages with this bearer token."""
    taken = Taken()

    class Gateway(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            known = self.headers["authorization"] == f"Bearer {token}" and self.path == "/send"
            if known:
                taken.messages.append((body["to"], body["text"]))
            self.send_response(202 if known else 401)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    taken.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield taken
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def smtp_server(certificate: Certificate, user: str, password: str) -> Iterator[Taken]:
    """An SMTP server that takes nothing before STARTTLS and a login."""
    (port,) = free_ports(1)
    taken = Taken(port)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.file, certificate.key)

    class Mailbox:
        async def handle_DATA(self, _: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802  (aiosmtpd's name)
            assert session.ssl, "the message was not encrypted"
            assert isinstance(envelope.content, bytes)
            mail = message_from_bytes(envelope.content, policy=policy.default)
            text = mail.get_content()  # type: ignore[attr-defined]  # of the default policy's class
            taken.messages.extend((to, text) for to in envelope.rcpt_tos)
            return "250 OK"

    def authenticate(_1: Any, _2: Any, _3: Any, _4: str, given: Any) -> AuthResult:
        assert isinstance(given, LoginPassword)
        known = (given.login, given.password) == (user.encode(), password.encode())
        return AuthResult(success=known, handled=False)

    server = Controller(
        Mailbox(),
        hostname="127.0.0.1",
        port=port,
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        auth_exclude_mechanism=["LOGIN"],
        authenticator=authenticate,
    )
    server.start()
    try:
        yield taken
    finally:
        server.stop()
