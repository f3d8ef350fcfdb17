"""The real nginx and Caddy on loopback, from the sample files that we ship, over TLS, as a user who
may nothing else; and a watch on every file that they hold.

What a sample needs changed is changed as an operator would: addresses, paths, the certificate.
"""

import contextlib
import os
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.servers.networks import Network

SAMPLES = Path(__file__).resolve().parents[2] / "docs" / "runbooks" / "proxy"
PROGRAMS = {"nginx": "nginx", "caddy": "caddy", "stock nginx": "nginx", "deaf nginx": "nginx"}
_NOBODY = 65534
_AS_NOBODY = ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"]
_DEADLINE = 20.0

_STOCK = """
worker_processes 1;
pid nginx.pid;
events {}
http {
  server {
    listen 443 ssl;
    ssl_certificate /etc/unefois/tls/cert.pem;
    ssl_certificate_key /etc/unefois/tls/key.pem;
    location / {
      proxy_pass http://127.0.0.1:8000;
    }
  }
}
"""
"""What one writes without reading about it: papers lie on its disk, and 1 MB is the most."""


@dataclass
class Proxy:
    """A running proxy: its address, its folder, its first process, its address without TLS."""

    name: str
    base_url: str
    folder: Path
    pid: int
    plain_url: str

    @property
    def certificate(self) -> Path:
        return self.folder / "cert.pem"

    @property
    def trust(self) -> ssl.SSLContext:
        """What a client needs to believe this proxy and no other."""
        return ssl.create_default_context(cafile=str(self.certificate))


def missing_proxy(name: str) -> bool:
    """Whether apt's program is not installed."""
    return shutil.which(PROGRAMS[name]) is None


@contextlib.contextmanager
def proxy(name: str, upstream: str, within: Network | None = None) -> Iterator[Proxy]:
    """A proxy before the server at `upstream` (`host:port`) for the length of the block.

    `nginx` and `caddy` run our samples; `stock nginx` a `proxy_pass` and nothing else; `deaf nginx`
    the same, ignoring what the service asks for by `X-Accel-Buffering`.
    """
    folder = Path(tempfile.mkdtemp(prefix="uf-proxy-"))
    port, plain_port = _free_ports()
    try:
        _certificate(folder)
        if name == "caddy":
            command, environment = _caddy(folder, upstream, port, plain_port)
        else:
            command, environment = _nginx(name, folder, upstream, port, plain_port)
        _give(folder)
        if within is not None:
            command = within.prefix + _AS_NOBODY + command
        process = _start(command, environment, folder, as_root=within is not None)
        try:
            plain_url = f"http://localhost:{plain_port}"
            running = Proxy(name, f"https://localhost:{port}", folder, process.pid, plain_url)
            _wait(process, folder, lambda: _connect(port, within))
            yield running
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    finally:
        shutil.rmtree(folder)


def _nginx(
    name: str, folder: Path, upstream: str, port: int, plain_port: int
) -> tuple[list[str], dict[str, str]]:
    text = (SAMPLES / "nginx.conf").read_text() if name == "nginx" else _STOCK
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"  {kind}_temp_path {folder}/temp-{kind};\n" for kind in kinds)
    for line in ("body;", "proxy;"):
        text = "".join(
            one for one in text.splitlines(keepends=True) if f"/var/lib/nginx/{line}" not in one
        )
    changes = {
        "http {\n": "http {\n" + temporary,
        "listen 443 ": f"listen 127.0.0.1:{port} ",
        "listen 80;": f"listen 127.0.0.1:{plain_port};",
        "vault.example": "localhost",
        "/etc/unefois/tls": str(folder),
        "127.0.0.1:8000": upstream,
        "pid /run/nginx.pid;": "pid nginx.pid;",
        "/var/log/nginx/error.log": "error.log",
    }
    if name == "deaf nginx":
        changes["location / {\n"] = "location / {\n proxy_ignore_headers X-Accel-Buffering;\n"
    if name != "nginx":
        changes["http {\n"] += "  access_log off;\n"
    for before, after in changes.items():
        text = text.replace(before, after)
    (folder / "nginx.conf").write_text(text)
    command = ["nginx", "-p", str(folder), "-c", "nginx.conf", "-e", "error.log"]
    return [*command, "-g", "daemon off;"], {}


def _caddy(
    folder: Path, upstream: str, port: int, plain_port: int
) -> tuple[list[str], dict[str, str]]:
    text = (SAMPLES / "Caddyfile").read_text()
    (folder / "Caddyfile").write_text(
        text.replace("\tadmin off\n", "\tadmin off\n\tdefault_bind 127.0.0.1\n")
    )
    environment = {
        "PROXY_SITE": f"https://localhost:{port}",
        "PROXY_UPSTREAM": upstream,
        "PROXY_TLS": f"tls {folder}/cert.pem {folder}/key.pem",
        "PROXY_HTTP_PORT": str(plain_port),
    }
    return ["caddy", "run", "--config", "Caddyfile", "--adapter", "caddyfile"], environment


def _start(
    command: list[str], environment: dict[str, str], folder: Path, *, as_root: bool
) -> "subprocess.Popen[bytes]":
    as_nobody = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
    with (folder / "output.log").open("wb") as output:
        return subprocess.Popen(
            command,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            **(as_nobody if os.geteuid() == 0 and not as_root else {}),  # type: ignore[arg-type]  # names of Popen
        )


def _connect(port: int, within: Network | None) -> None:
    with within.connection() if within else socket.socket() as one:
        one.settimeout(1)
        one.connect(("127.0.0.1", port))


def _wait(process: "subprocess.Popen[bytes]", folder: Path, connect: Callable[[], None]) -> None:
    deadline = time.monotonic() + _DEADLINE
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError):
            connect()
            return
        time.sleep(0.02)
    raise RuntimeError(f"the proxy does not answer: {(folder / 'output.log').read_text()[-2000:]}")


def _give(folder: Path) -> None:
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, _NOBODY, _NOBODY)


def _free_ports() -> tuple[int, int]:
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as other,
    ):
        return one.getsockname()[1], other.getsockname()[1]


def _certificate(folder: Path) -> None:
    """A certificate for `localhost` that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(certificate.public_bytes(pem))
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)


@dataclass
class FileWatch:
    """What was seen of a proxy's files: `temporary` names each that is not its configuration, log
    or certificate, unlinked ones too; `readable` those in which the marker was found."""

    proxy: Proxy
    marker: bytes
    looks: int = 0
    temporary: set[str] = field(default_factory=set)
    readable: set[str] = field(default_factory=set)

    def look(self) -> None:
        """Look at its folder, and at each descriptor of each of its processes."""
        self.looks += 1
        for path in self.proxy.folder.rglob("*"):
            self._judge(path, str(path))
        for pid in _family(self.proxy.pid):
            for descriptor in _listed(Path(f"/proc/{pid}/fd")):
                with contextlib.suppress(OSError):
                    self._judge(descriptor, str(descriptor.readlink()))

    def _judge(self, path: Path, name: str) -> None:
        with contextlib.suppress(OSError):
            found = path.stat()
            if not stat.S_ISREG(found.st_mode) or not found.st_size:
                return
            if self.marker in path.read_bytes():
                self.readable.add(name)
            if not name.endswith(_EXPECTED):
                self.temporary.add(name)


_EXPECTED = (
    "/nginx.conf", "/Caddyfile", "/cert.pem", "/key.pem", "/output.log", "/error.log", "/nginx.pid",
    "/autosave.json", "/instance.uuid", "/last_clean.json", "/bin/caddy", "/sbin/nginx",
)  # fmt: skip


@contextlib.contextmanager
def watched_files(running: Proxy, marker: bytes) -> Iterator[FileWatch]:
    """Look again and again, from another thread, for the length of the block."""
    watch, ended = FileWatch(running, marker), threading.Event()

    def look() -> None:
        while not ended.is_set():
            watch.look()
            ended.wait(0.01)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield watch
    finally:
        ended.set()
        thread.join()


def _family(pid: int) -> list[int]:
    """A process and its children."""
    with contextlib.suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]
    return [pid]


def _listed(folder: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return list(folder.iterdir())
    return []


def client_of(running: Proxy) -> httpx.AsyncClient:
    """Calls the service through the proxy, as a person's device would."""
    return httpx.AsyncClient(
        base_url=running.base_url, timeout=60, trust_env=False, verify=running.trust
    )
