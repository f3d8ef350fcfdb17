"""A home of release 0.1.0, left half-way by a kill: this tree starts it, ends what was begun, and
reads, proves and refuses as the release that made it did.

`tests/data/home_0_1_0/home.tar.xz` is the home as it lay on the disk: PostgreSQL's data folder, the
blobs, the keyring, the passwords. Everyone in it is invented. It was left with a preview to draw,
events without a leaf, and a rotation killed at its middle. `expected.json` is what its release
answered then. Neither is ever made again: what an installation has on its disk does not change
because the code did.

Nothing of this tree is imported, so that no new name of a module can hide a change in the data. The
database's clock is set back to the moment at which the home was left.
"""

import io
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
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data" / "home_0_1_0"
LIMIT = 60.0

Json = dict[str, Any]


def command() -> list[str]:
    """`unefois`, as this tree declares it, whatever is installed."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]["unefois"]
    module, function = declared.split(":")
    return [sys.executable, "-c", f"import sys, {module}; sys.exit({module}.{function}())"]


def until(true: Callable[[], Any], what: str, seconds: float = LIMIT) -> Any:
    """What a condition comes to, asked again and again with a bound."""
    limit = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < limit, what
        time.sleep(0.1)
    return found


def ok(answer: httpx.Response, status: int = 200) -> httpx.Response:
    assert answer.status_code == status, answer.text
    return answer


def hashed(answer: httpx.Response) -> str:
    return sha256(ok(answer).content).hexdigest()


class Home:
    """The home, unpacked, and the processes of this tree that live in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.output = folder / "output"
        self.known: Json = json.loads((DATA / "expected.json").read_text(encoding="utf-8"))
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
            # PostgreSQL refuses root: the service runs it as whoever owns its data.
            other = pwd.getpwnam("nobody")
            data = self.home / "postgres"
            for path in [data, *data.rglob("*")]:
                os.chown(path, other.pw_uid, other.pw_gid)

    # Processes

    def run(self, *arguments: str) -> str:
        """One command, to its end, which is good."""
        done = subprocess.run(
            [*command(), *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, name: str, **settings: str) -> None:
        """`serve` or `work`, in the background."""
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
        assert process.poll() is None, self.said()

    def _answers(self) -> bool:
        with suppress(httpx.TransportError):
            return self.http.get("/v1/document-types").status_code == 200
        return False

    def stop(self) -> None:
        """All of them, in order; the last one stops PostgreSQL."""
        for process in self.running:
            process.send_signal(signal.SIGTERM)
        assert [process.wait(LIMIT) for process in self.running] == [0] * len(self.running)
        self.running.clear()
        assert not (self.home / "postgres" / "postmaster.pid").exists()

    def clear(self) -> None:
        """Whatever happened, nothing of ours runs on."""
        self.http.close()
        if self.output.exists():
            print(self.said())  # pytest shows it beside a failure
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

    def said(self) -> str:
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
        """To a second after the home was left: sessions, grants and requests live as they did."""
        left = datetime.fromisoformat(self.known["left_at"])
        ago = self.sql("SELECT extract(epoch FROM statement_timestamp() - %s) - 1", left)[0][0]
        self.sql(
            "CREATE OR REPLACE FUNCTION unefois.now() RETURNS timestamptz LANGUAGE sql"
            " STABLE PARALLEL SAFE"
            f" AS $$SELECT statement_timestamp() - interval '{ago:f} seconds'$$"
        )

    def roots(self) -> dict[str, int]:
        """How many keys are under each root version."""
        return dict(self.sql("SELECT root_version, count(*) FROM unefois.wrapped_key GROUP BY 1"))

    def without_leaf(self) -> int:
        found = self.sql(
            "SELECT count(*) FROM unefois.access_event e WHERE NOT EXISTS"
            " (SELECT FROM unefois.log_leaf l WHERE l.event_id = e.id)"
        )
        return int(found[0][0])

    # What callers do

    def of(self, who: str) -> dict[str, str]:
        """The headers of a person or a worker, by the session that they had."""
        known = self.known["people"] | self.known["workers"]
        return bearer(known[who]["token"])

    def document(self, name: str, path: str = "", **query: int) -> httpx.Response:
        """A document, or something of it, as its owner sees it."""
        known = self.known["documents"][name]
        path = f"/v1/documents/{known['id']}{path}"
        return self.http.get(path, params=query, headers=self.of(known["owner"]))

    def under(self, grant: str, name: str, headers: dict[str, str]) -> httpx.Response:
        """A document's content under a grant."""
        document = self.known["documents"][name]["id"]
        return self.http.get(f"/v1/grants/{grant}/documents/{document}/content", headers=headers)

    def sign_in(self, address: dict[str, str]) -> dict[str, str]:
        """Anew, by the code that is printed."""
        (to,) = address.values()
        code = re.compile(re.escape(to) + r": [^\[]*?\b(\d{6})\b")
        already = len(code.findall(self.said()))
        started = ok(self.http.post("/v1/sign-ins", json=address), 202).json()["id"]
        found = until(lambda: code.findall(self.said())[already:], "no code comes")
        opened = self.http.post(f"/v1/sign-ins/{started}", json={"code": found[0]})
        return bearer(ok(opened, 201).json()["token"])

    def client_token(self) -> dict[str, str]:
        """The administration signs in anew, with the key that it had (RFC 7523)."""
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


@pytest.fixture
def before(home: Path) -> Iterator[Home]:
    """In the short folder of this test process: PostgreSQL's socket lies in it."""
    folder = home.parent / f"before-{secrets.token_hex(3)}"
    folder.mkdir(mode=0o700)
    unpacked = Home(folder)
    try:
        unpacked.unpack()
        yield unpacked
    finally:
        unpacked.clear()


@pytest.mark.slow
@pytest.mark.timeout(480)
def test_a_home_of_before_goes_on(before: Home) -> None:
    roots = before.known["roots"]
    # 1. Migrated and served, with nothing yet that would end what was left half-way.
    before.run("migrate")
    before.start("serve", UNEFOIS_JOBS_IN_PROCESS="no", UNEFOIS_SEQUENCER_IN_PROCESS="no")
    before.set_the_clock_back()
    assert before.roots() == {
        roots["former"]: roots["under_former"],
        roots["active"]: roots["under_active"],
    }
    assert before.without_leaf() == before.known["log"]["without_leaf"] > 0
    undrawn = before.known["undrawn"]
    assert before.document(undrawn, "/preview").json()["code"] == "no_preview"
    # 2. The tokens of before still open what they opened, and nothing else.
    reads_back(before)
    keeps_consents(before, bearer(before.known["client"]["access_token"]))
    keeps_the_log(before)
    # 3. The jobs: the preview that was queued is drawn, a code leaves for who signs in anew.
    before.start("work")
    until(lambda: before.document(undrawn).json()["file"]["preview"], "no preview is drawn")
    drawn = ok(before.document(undrawn, "/preview"))
    assert Image.open(io.BytesIO(drawn.content)).format == "JPEG"
    signs_in_anew(before)
    # 4. The rotation goes on from where it was killed, under the root that it had made.
    said = before.run("keys", "rotate")
    done = f"root version {roots['active']}: {roots['under_former']} keys re-wrapped, 0 broken"
    assert done in said
    assert list(before.roots()) == [roots["active"]]
    # 5. The log goes on from its last checkpoint, and holds what was proved then.
    proves(before)
    # 6. By a process that starts on what is there now, all of it once more.
    before.stop()
    before.start("serve")
    reads_back(before)
    keeps_the_log(before)
    before.stop()
    # 7. Every event, leaf, tile and checkpoint, with nobody else in the home.
    said = before.run("audit", "reconcile", "--open")
    found = re.search(r"(\d+) leaves, \d+ checkpoints: (\d+) faults", said)
    assert found, said
    assert int(found[1]) > before.known["log"]["events"]
    assert found[2] == "0"
    opened = re.search(r"(\d+) events opened, (\d+) whose key is destroyed", said)
    assert opened, said
    assert int(opened[1]) > 0
    assert int(opened[2]) > 0  # one of the people was erased
    assert "Traceback" not in before.said()


def reads_back(before: Home) -> None:
    """Each document, with what was said of it, and each of its files, byte for byte."""
    documents = before.known["documents"]
    for who in before.known["people"]:
        listed = ok(before.http.get("/v1/documents", headers=before.of(who))).json()["items"]
        theirs = {one["id"] for one in documents.values() if one["owner"] == who}
        assert {one["id"] for one in listed} == theirs
    for name, known in documents.items():
        told = ok(before.document(name)).json()
        assert {field: told[field] for field in known["shown"]} == known["shown"]
        assert told["version"]["number"] == known["version"]
        parts = range(1, len(known["parts"]) + 1)
        found = [hashed(before.document(name, "/content", part=part)) for part in parts]
        assert found == known["parts"], name
        if name != before.known["undrawn"]:
            assert told["file"]["preview"]
            assert ok(before.document(name, "/preview")).content.startswith(b"\xff\xd8")
    # The same bytes are known again, by a hash under their owner's key.
    pay = before.document("pay", "/content").content
    owner = before.of(documents["pay"]["owner"])
    again = before.http.post(
        "/v1/documents", headers=owner, files={"file": ("b.pdf", pay)}, data={"type": "payslip"}
    )
    assert ok(again).json()["id"] == documents["pay"]["id"]


def keeps_consents(before: Home, administration: dict[str, str]) -> None:
    """The grant that lives, the one that was taken back, the one to attest, the one asked for."""
    http, grants = before.http, before.known["grants"]
    camille, sacha = before.of("camille"), before.of("sacha")
    living = grants["living"]
    for name, expected in living["covers"].items():
        assert hashed(before.under(living["id"], name, camille)) == expected, name
    ok(before.under(living["id"], "tax", sacha), 404)
    ok(before.under(living["id"], "pay", camille), 404)
    revoked = grants["revoked"]
    refused = ok(before.under(revoked["id"], revoked["document"], camille), 403)
    assert refused.json()["code"] == "grant_revoked"

    attested = grants["attested"]
    asked = {"type": attested["evidence"]["type"]}
    path = f"/v1/grants/{attested['id']}/evidence"
    for headers in (administration, before.client_token()):
        told = ok(http.get(path, params=asked, headers=headers)).json()
        assert {field: told[field] for field in attested["evidence"]} == attested["evidence"]
    ok(before.under(attested["id"], "pay", administration), 403)

    # Asked again by the same key it is the same request; approved, it opens.
    waiting = before.known["waiting"]
    key = {"Idempotency-Key": waiting["idempotency_key"]}
    again = http.post("/v1/consent-requests", headers=camille | key, json=waiting["body"])
    assert ok(again, 202).json()["id"] == waiting["id"]
    path = f"/v1/consent-requests/{waiting['id']}"
    assert ok(http.get(path, headers=before.of("amina"))).json()["state"] == "waiting"
    grant = ok(http.post(f"{path}/approve", headers=before.of("amina")), 201).json()["id"]
    document = waiting["document"]
    expected = before.known["documents"][document]["parts"][0]
    assert hashed(before.under(grant, document, camille)) == expected


def keeps_the_log(before: Home) -> None:
    """Each line of before reads as it did; its proof is of the same event, at the same place."""
    for who, lines in before.known["log"]["lines"].items():
        for line in lines:
            path = f"/v1/access-log/{line['id']}"
            told = ok(before.http.get(path, headers=before.of(who))).json()
            assert told.pop("sentence")
            assert told == line
    for known in before.known["log"]["receipts"]:
        path = f"/v1/access-log/{known['line']}/proof"
        told = ok(before.http.get(path, headers=before.of(known["owner"]))).json()
        for field in ("event", "k_event", "commitment", "sealed_sha256", "index"):
            assert told[field] == known["receipt"][field]


def signs_in_anew(before: Home) -> None:
    """By the addresses of before, into the accounts of before."""
    amina = before.sign_in({"phone": before.known["people"]["amina"]["phone"]})
    held = ok(before.http.get("/v1/documents", headers=amina)).json()["items"]
    assert before.known["documents"]["tax"]["id"] in {one["id"] for one in held}
    camille = before.sign_in({"email": before.known["workers"]["camille"]["email"]})
    living = before.known["grants"]["living"]
    assert hashed(before.under(living["id"], "tax", camille)) == living["covers"]["tax"]


def proves(before: Home) -> None:
    """`unefois verify`, from outside, with what one kept of before: key, checkpoint, receipts."""
    log = before.known["log"]
    assert ok(before.http.get("/log/vkey")).text.strip() == log["vkey"]
    until(lambda: not before.without_leaf(), "events stay without a leaf")

    def published() -> bool:
        note = before.http.get("/log/checkpoint").text
        return int(note.splitlines()[1]) > log["events"]

    until(published, "no newer checkpoint is published")
    remembered, receipt = before.folder / "checkpoint", before.folder / "receipt.json"
    size = log["checkpoint"].splitlines()[1]
    for known in log["receipts"]:
        remembered.write_text(log["checkpoint"])
        receipt.write_text(json.dumps(known["receipt"]))
        entry = f"the receipt's event is entry {known['receipt']['index']}"
        kept = ["verify", "--vkey", log["vkey"], "--receipt", str(receipt)]
        assert entry in before.run(*kept)
        url = f"http://127.0.0.1:{before.port}/log"
        said = before.run(*kept, "--url", url, "--remember", str(remembered), "--whole")
        assert f"continues the remembered tree of {size} entries" in said
        assert f"{entry} of the published tree" in said
        assert "verified: all" in said
