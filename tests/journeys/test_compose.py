"""The shipped compose file, each of its services started by hand: a person signs in through TLS
with the code that the SMS gateway got, and keeps a paper; a worker signs in by e-mail."""

import shutil
import ssl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

import boto3
import httpx
import pytest
from botocore.config import Config

from tests.fixtures import code_in, new_phone
from tests.journeys.old_home import ok, until
from tests.servers.ceph import Ceph
from tests.servers.clamd import clamd, missing_clamd
from tests.servers.compose import Machine, missing, postgres, services_of
from tests.servers.messaging import (
    HOST,
    Certificate,
    Taken,
    make_certificate,
    sms_gateway,
    smtp_server,
)
from tests.servers.ports import free_ports
from tests.servers.postgres import missing_postgres15
from tests.vault.decoding import corpus

pytestmark = [
    pytest.mark.ceph,
    pytest.mark.slow,
    pytest.mark.skipif(missing_postgres15(), reason="no PostgreSQL 15: apt install postgresql-15"),
    pytest.mark.skipif(missing_clamd(), reason="no clamd here: apt install clamav-daemon"),
    pytest.mark.skipif(bool(missing()), reason="no docker-compose, caddy or curl: make packages"),
]

SMS_TOKEN, SMTP_USER, SMTP_PASSWORD = token_hex(16), "unefois", token_hex(16)
WORKER = "nadia@lys.example"
OURS = ("api", "jobs")
CHECKED_HERE = ("postgres", *OURS, "caddy")
CHECKED_IN_THEIR_IMAGES = {"garage", "clamd"}
"""Their health checks are programs that only their images hold."""


@dataclass
class Installation:
    """What runs, and what people's phones and mailboxes got."""

    machine: Machine
    url: str
    trust: ssl.SSLContext
    phones: Taken
    mailboxes: Taken

    def visitor(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, verify=self.trust, trust_env=False, timeout=60)


def variables(
    url: str, certificate: Certificate, ceph: Ceph, phones: Taken, mailboxes: Taken
) -> dict[str, str]:
    """The .env file of the runbook, as an operator fills it in."""
    made = {name: token_hex(32) for name in ("POSTGRES_PASSWORD", "OWNER_PASSWORD")}
    return made | {
        "PUBLIC_HOST": url.removeprefix("https://"),
        "PROXY_TLS": f"tls {certificate.file} {certificate.key}",
        "SERVICE_PASSWORD": token_hex(32),
        "GARAGE_RPC_SECRET": token_hex(32),
        "S3_ACCESS_KEY": ceph.access_key,
        "S3_SECRET_KEY": ceph.secret_key,
        "SMS_GATEWAY_URL": f"http://127.0.0.1:{phones.port}/send",
        "SMS_GATEWAY_TOKEN": SMS_TOKEN,
        "SMTP_HOST": HOST,
        "SMTP_PORT": str(mailboxes.port),
        "SMTP_USER": SMTP_USER,
        "SMTP_PASSWORD": SMTP_PASSWORD,
        "MAIL_FROM": "ne-pas-repondre@coffre.example",
        "OPERATOR_EMAIL": "equipe@coffre.example",
    }


def make_bucket(ceph: Ceph, name: str) -> None:
    """As `garage bucket create` would."""
    s3 = boto3.client(
        "s3",
        endpoint_url=ceph.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=ceph.access_key,
        aws_secret_access_key=ceph.secret_key,
        config=Config(s3={"addressing_style": "path"}),
    )
    s3.create_bucket(Bucket=name)
    s3.close()


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Private, short enough for a socket, in memory where there is room."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 512 * 1024 * 1024
    made = Path(tempfile.mkdtemp(prefix="uf-compose-", dir=memory if roomy else None))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def installation(folder: Path, ceph: Ceph) -> Iterator[Installation]:
    """All of the file, in the order in which its conditions let it start."""
    certificate = make_certificate(folder)
    port, http_port = free_ports(2)
    url = f"https://{HOST}:{port}"
    with ExitStack() as opened:
        phones = opened.enter_context(sms_gateway(SMS_TOKEN))
        mailboxes = opened.enter_context(smtp_server(certificate, SMTP_USER, SMTP_PASSWORD))
        given = variables(url, certificate, ceph, phones, mailboxes)
        machine = Machine(folder, services_of(given), certificate.file)
        opened.enter_context(postgres(machine))
        machine.reached["http://garage:3900"] = ceph.endpoint_url
        machine.reached["clamd:3310"] = opened.enter_context(clamd(folder))
        make_bucket(ceph, machine.services["api"]["environment"]["UNEFOIS_S3_BUCKET"])
        opened.callback(machine.stop)
        machine.wait_for("postgres")
        machine.run("migrate")
        for service in OURS:
            machine.start(service)
        machine.wait_for(*OURS)
        machine.start_caddy(http_port)
        machine.wait_for("caddy")
        trust = ssl.create_default_context(cafile=str(certificate.file))
        yield Installation(machine, url, trust, phones, mailboxes)


def sign_in(
    visitor: httpx.Client, address: dict[str, str], texts: Callable[[], list[str]]
) -> dict[str, str]:
    """Sign in with the code that was sent; the header of the session."""
    before = len(texts())
    started = ok(visitor.post("/v1/sign-ins", json=address), 202).json()
    until(lambda: len(texts()) > before, "no code was sent")
    body = {"code": code_in(texts()[before]), "secret": started["secret"]}
    opened = visitor.post(f"/v1/sign-ins/{started['id']}", json=body)
    assert opened.status_code in {200, 201}, opened.text
    return {"Authorization": f"Bearer {opened.json()['token']}"}


def test_from_nothing_to_a_paper_kept(installation: Installation) -> None:
    phone, paper = new_phone(), corpus.pdf(2)
    with installation.visitor() as visitor:
        headers = sign_in(visitor, {"phone": phone}, lambda: installation.phones.sent_to(phone))
        kept = visitor.post(
            "/v1/documents",
            headers=headers,
            files={"file": ("avis.pdf", paper)},
            data={"type": "income_tax_notice"},
        )
        path = f"/v1/documents/{ok(kept, 201).json()['id']}"
        assert ok(visitor.get(f"{path}/content", headers=headers)).content == paper
        # The jobs scan it, with the clamd of the file.
        assert until(lambda: _scan_of(visitor, path, headers), "it is not scanned") == "clean"


def test_a_worker_signs_in_by_e_mail(installation: Installation) -> None:
    """Added with the command of the runbook, in a container of the same settings."""
    machine = installation.machine
    name = ["--name", "CCAS de Lys", "--contact", "03 20 00 00 00"]
    organisation = machine.run("api", "organisation", "add", *name).strip()
    worker = ["--organisation", organisation, "--name", "Nadia Benali", "--email", WORKER]
    machine.run("api", "worker", "add", *worker, "--job", "assistante sociale")
    with installation.visitor() as visitor:
        mails = lambda: installation.mailboxes.sent_to(WORKER)  # noqa: E731  (looked up each time)
        headers = sign_in(visitor, {"email": WORKER}, mails)
        assert ok(visitor.get("/v1/grants", headers=headers)).json()["items"] == []


@pytest.mark.parametrize("path", ["/metrics", "/readyz"])
def test_what_the_operator_reads_is_not_reachable_by_people(
    installation: Installation, path: str
) -> None:
    machine = installation.machine
    direct = machine.here("caddy", "http://api:8000")
    # As a container beside: not at the address of the proxy.
    way = httpx.HTTPTransport(local_address="127.0.0.2")
    with installation.visitor() as visitor, httpx.Client(transport=way) as neighbour:
        assert visitor.get("/healthz").status_code == 200
        for answer in (visitor.get(path), neighbour.get(f"{direct}{path}")):
            assert answer.status_code == 404
            assert "unefois_" not in answer.text
            assert "database" not in answer.text
        for service in OURS:
            own = machine.here(service, f"http://127.0.0.1:9000{path}/").rstrip("/")
            assert neighbour.get(own).status_code == 200


def test_the_proxy_is_the_one_that_is_listed(installation: Installation) -> None:
    """The file tells api the address of caddy: else each request would warn of it."""
    with installation.visitor() as visitor:
        ok(visitor.get("/pro", headers={"X-Forwarded-For": "10.0.0.1", "X-Real-IP": "10.0.0.1"}))
    written = installation.machine.log("api")
    assert "forwarding_header" not in written
    # The service asked itself, through that address and the shipped Caddyfile.
    assert until(lambda: "proxy_passes_bodies_on" in installation.machine.log("api"), written)


@pytest.mark.parametrize("service", CHECKED_HERE)
def test_the_health_checks_of_the_file_pass(installation: Installation, service: str) -> None:
    assert installation.machine.is_healthy(service)


def test_they_fail_when_the_service_is_not_there(installation: Installation) -> None:
    """Checked on another machine of the same file, where nothing was started."""
    services = installation.machine.services
    checks = {name: one.get("healthcheck", {}) for name, one in services.items()}
    checked = {name for name, check in checks.items() if check.get("test", ["NONE"]) != ["NONE"]}
    assert checked == {*CHECKED_HERE, *CHECKED_IN_THEIR_IMAGES}
    (closed,) = map(str, free_ports(1))
    nowhere = Machine(Path(tempfile.mkdtemp()), services, installation.machine.trusted)
    nowhere.reached["pgport"] = closed
    nowhere.reached[":" + installation.url.rpartition(":")[2]] = f":{closed}"
    nowhere.reached["::127.0.0.1:"] = f"::127.0.0.1:{closed}"
    assert [name for name in CHECKED_HERE if nowhere.is_healthy(name)] == []
    shutil.rmtree(nowhere.folder)


def test_they_stop_when_they_are_told(installation: Installation) -> None:
    """Within their grace, and as a program that was asked to. The last of these tests."""
    written = installation.machine.log("api") + installation.machine.log("jobs")
    assert installation.machine.stop() == {"caddy": 0, "jobs": 0, "api": 0}
    assert "Traceback" not in written
    for secret in (SMS_TOKEN, SMTP_PASSWORD, WORKER):
        assert secret not in written


def _scan_of(visitor: httpx.Client, path: str, headers: dict[str, str]) -> str | None:
    """What clamd found; None while it was not asked."""
    found: str = ok(visitor.get(path, headers=headers)).json()["file"]["scan"]
    return None if found == "waiting" else found
