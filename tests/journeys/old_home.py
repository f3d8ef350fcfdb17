"""A home of an earlier release, unpacked, and the processes of this tree that live in it.

No module of this tree is imported, so that a renamed module cannot hide a change in the data.
"""

import json
import os
import pwd
import re
import secrets
import signal
import socket
import subprocess
import sys
import tarfile
import time
import tomllib
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import psycopg
from joserfc import jwt
from joserfc.jwk import ECKey

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data" / "home_0_1_0"
LIMIT = 60.0

Json = dict[str, Any]


def command() -> list[str]:
    """The command `unefois` as this tree declares it, not as installed."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]["unefois"]
    module, function = declared.split(":")
    return [sys.executable, "-c", f"import sys, {module}; sys.exit({module}.{function}())"]


def until(condition: Callable[[], Any], what: str, seconds: float = LIMIT) -> Any:
    """Repeat a condition until its value is true, with a time limit; returns the value."""
    limit = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < limit, what
        time.sleep(0.1)
    return found


def ok(answer: httpx.Response, status: int = 200) -> httpx.Response:
    assert answer.status_code == status, answer.text
    return answer


def hashed(answer: httpx.Response) -> str:
    return sha256(ok(answer).content).hexdigest()


# In a process of its own: this one imports nothing of the tree.
_DATABASE = """
import sys
from pathlib import Path
from base.embedded.server import EmbeddedPostgres
database = EmbeddedPostgres(Path(sys.argv[1]))
database.start()
print("started", flush=True)
sys.stdin.read()
database.stop()
"""


class Home:
    """The home, unpacked, and the processes of this tree that live in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.output = folder / "output"
        self.known: Json = json.loads((DATA / "expected.json").read_text(encoding="utf-8"))
        self.copies: dict[str, bytes] = {}
        """What recipients were given, by the name of the document."""
        self.running: list[subprocess.Popen[bytes]] = []
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            self.port = taken.getsockname()[1]
        self.http = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}", timeout=30, trust_env=False
        )
        self.environment = {
            "PATH": os.environ["PATH"],
            "UNEFOIS_MODE": "demo",
            "UNEFOIS_MESSENGER": "console",
            "UNEFOIS_HOME": str(self.home),
            "UNEFOIS_PUBLIC_URL": self.known["public_url"],
            "UNEFOIS_PORT": str(self.port),
            "UNEFOIS_LOG_LEVEL": "warning",
        }

    def unpack(self) -> None:
        with tarfile.open(DATA / "home.tar.xz") as packed:
            for member in packed:
                path = self.folder / member.name
                if member.isdir():
                    path.mkdir()
                else:
                    content = packed.extractfile(member)
                    assert content is not None
                    path.write_bytes(content.read())
                path.chmod(member.mode)
        if os.geteuid() == 0:
            # PostgreSQL refuses root: the service runs it as the owner of its data.
            other = pwd.getpwnam("nobody")
            data = self.home / "postgres"
            for path in [data, *data.rglob("*")]:
                os.chown(path, other.pw_uid, other.pw_gid)

    # Processes

    def run(self, *arguments: str, status: int = 0) -> str:
        """Run one command to its end, which must have this status; what it printed."""
        done = subprocess.run(
            [*command(), *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    def start(self, name: str, **settings: str) -> None:
        """Start `serve` or `work` in the background."""
        with self.output.open("ab") as output:
            process = subprocess.Popen(
                [*command(), name],
                cwd=ROOT,
                env=self.environment | settings,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.running.append(process)
        if name == "serve":
            until(lambda: self._answers() or process.poll() is not None, "it does not answer")
        assert process.poll() is None, self.printed()

    def _answers(self) -> bool:
        with suppress(httpx.TransportError):
            return self.http.get("/v1/document-types").status_code == 200
        return False

    def stop(self) -> None:
        """Stop all processes, in order; the last one stops PostgreSQL."""
        for process in self.running:
            process.send_signal(signal.SIGTERM)
        assert [process.wait(LIMIT) for process in self.running] == [0] * len(self.running)
        self.running.clear()
        assert not (self.home / "postgres" / "postmaster.pid").exists()

    def clear(self) -> None:
        """End every process that still runs, even after a failure."""
        self.http.close()
        if self.output.exists():
            print(self.printed())  # pytest shows it beside a failure
        for process in self.running:
            process.terminate()
        for process in self.running:
            with suppress(subprocess.TimeoutExpired):
                process.wait(LIMIT)
            process.kill()
            process.wait()
        data = self.home / "postgres"
        with suppress(OSError, ValueError, IndexError):
            pid = int((data / "postmaster.pid").read_text().splitlines()[0])
            if (Path("/proc") / str(pid) / "cwd").samefile(data):
                os.kill(pid, signal.SIGKILL)

    def printed(self) -> str:
        return self.output.read_text(errors="replace")

    # The database, as the owner of its tables

    def sql(self, query: str, *values: Any) -> list[Any]:
        passwords = json.loads((self.home / "secrets" / "postgres.json").read_text())
        with psycopg.connect(
            host=str(self.home / "postgres"),
            dbname="unefois",
            user="unefois_owner",
            password=passwords["owner"],
            autocommit=True,
        ) as connection:
            answered = connection.execute(query, values or None)  # type: ignore[arg-type]  # ours
            return answered.fetchall() if answered.description else []

    def set_the_clock_back(self) -> None:
        """A second after the home was left, while its sessions, grants and requests are valid. Its
        database runs for that alone: nothing may be written before."""
        started = subprocess.Popen(
            [sys.executable, "-c", _DATABASE, str(self.home)],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert started.stdin is not None
        assert started.stdout is not None
        with started:
            assert started.stdout.readline() == "started\n"
            self._set_the_clock_back()
            started.stdin.close()
            assert started.wait(60) == 0

    def _set_the_clock_back(self) -> None:
        left = datetime.fromisoformat(self.known["left_at"])
        ago = self.sql("SELECT extract(epoch FROM statement_timestamp() - %s) - 1", left)[0][0]
        self.sql(
            "CREATE OR REPLACE FUNCTION unefois.now() RETURNS timestamptz LANGUAGE sql"
            " STABLE PARALLEL SAFE"
            f" AS $$SELECT statement_timestamp() - interval '{ago:f} seconds'$$"
        )

    def roots(self) -> dict[str, int]:
        """The number of keys under each root version."""
        return dict(self.sql("SELECT root_version, count(*) FROM unefois.wrapped_key GROUP BY 1"))

    def without_leaf(self) -> int:
        found = self.sql(
            "SELECT count(*) FROM unefois.access_event e WHERE NOT EXISTS"
            " (SELECT FROM unefois.log_leaf l WHERE l.event_id = e.id)"
        )
        return int(found[0][0])

    # What callers do

    def of(self, who: str) -> dict[str, str]:
        """The headers of a person or a worker, with the session that they had."""
        known = self.known["people"] | self.known["workers"]
        return bearer(known[who]["token"])

    def document(self, name: str, path: str = "", **query: int) -> httpx.Response:
        """Get a document, or a part of it, as its owner."""
        known = self.known["documents"][name]
        path = f"/v1/documents/{known['id']}{path}"
        return self.http.get(path, params=query, headers=self.of(known["owner"]))

    def under(self, grant: str, name: str, headers: dict[str, str]) -> httpx.Response:
        """Get a document's content under a grant."""
        document = self.known["documents"][name]["id"]
        return self.http.get(f"/v1/grants/{grant}/documents/{document}/content", headers=headers)

    def sign_in(self, address: dict[str, str]) -> dict[str, str]:
        """Sign in again, with the code that is printed."""
        (to,) = address.values()
        code = re.compile(re.escape(to) + r": [^\[]*?\b(\d{6})\b")
        already = len(code.findall(self.printed()))
        started = ok(self.http.post("/v1/sign-ins", json=address), 202).json()
        found = until(lambda: code.findall(self.printed())[already:], "no code comes")
        body = {"secret": started["secret"], "code": found[0]}
        opened = self.http.post(f"/v1/sign-ins/{started['id']}", json=body)
        return bearer(ok(opened, 201).json()["token"])

    def client_token(self) -> dict[str, str]:
        """The administration signs in again, with the key that it had (RFC 7523)."""
        known = self.known["client"]
        at = int(self.sql("SELECT extract(epoch FROM unefois.now())")[0][0])
        claims = {"iss": known["id"], "sub": known["id"], "aud": self.known["public_url"]}
        claims |= {"iat": at, "exp": at + 60, "jti": secrets.token_urlsafe(16)}
        key = ECKey.import_key(known["key"])
        assertion = jwt.encode({"alg": "ES256", "kid": known["kid"]}, claims, key)
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion,
        }
        return bearer(ok(self.http.post("/oauth/token", data=form)).json()["access_token"])


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
