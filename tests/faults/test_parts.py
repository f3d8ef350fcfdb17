"""What the service depends on, each part taken away under load: databases, stores, keys, messages.

Real: PostgreSQL 15, Ceph, clamd, an SMTP listener, two instances and a worker. moto, a mock, stands
for AWS KMS, and a stub for the telephone operator's gateway.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer
from pydantic import SecretStr

from storage.blobs.s3 import S3Settings, S3Store
from tests.faults.installation import Installation, environment_of, populate
from tests.faults.load import Load
from tests.faults.losses import late_emails, nothing_lost
from tests.faults.messages import Mailbox, SmsGateway
from tests.faults.outage import UNHEARD, check, fill, take_away
from tests.faults.table import Row
from tests.servers.ceph import Ceph
from tests.servers.clamd import clamd, missing_clamd
from tests.servers.forwarder import Forwarder
from tests.servers.postgres import Postgres15, missing_postgres15

pytestmark = [pytest.mark.slow, pytest.mark.ceph, pytest.mark.clamd, pytest.mark.timeout(240)]

BUCKET = "faults"
API = ("api-1", "api-2")


@dataclass
class Site:
    """The installation, its load, its PostgreSQL, and the ways to its other parts."""

    installation: Installation
    load: Load
    postgres: Postgres15
    ways: dict[str, Forwarder]


@pytest.fixture(scope="module")
async def site(folder: Path, ceph: Ceph) -> AsyncIterator[Site]:
    """Two instances and a worker over S3, KMS, clamd, SMTP and an SMS gateway."""
    if missing_postgres15() or missing_clamd():
        pytest.skip("no PostgreSQL 15 or no clamd here: as root, make packages")
    async with AsyncExitStack() as opened:
        postgres = Postgres15(folder)
        postgres.start()
        opened.callback(postgres.stop)
        mailbox, gateway = Mailbox(), SmsGateway()
        await mailbox.start()
        opened.push_async_callback(mailbox.stop)
        gateway.start()
        opened.callback(gateway.stop)
        logging.getLogger("werkzeug").setLevel(logging.WARNING)  # a line for each call of moto's
        kms = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        kms.start()
        opened.callback(kms.stop)
        scanner = opened.enter_context(clamd(folder))
        ports = {
            "s3": int(ceph.endpoint_url.rpartition(":")[2]),
            "kms": kms.get_host_and_port()[1],
            "clamd": int(scanner.rpartition(":")[2]),
            "smtp": mailbox.port,
            "sms": gateway.port,
        }
        ways = {name: Forwarder(port) for name, port in ports.items()}
        for way in ways.values():
            await way.start()
            opened.push_async_callback(way.stop)
        await _make_bucket(ceph)
        kms_key = await asyncio.to_thread(_make_kms_key, ways["kms"].port)
        environment = _environment(folder, postgres, ceph, ways, kms_key)
        installation = Installation(
            folder / "home", environment, postgres.owner_url, mailbox, gateway
        )
        for name in API:
            installation.instance(name)
        installation.worker("work")
        opened.callback(installation.stop)
        await installation.start()
        load = await populate(installation, people=2)
        yield Site(installation, load, postgres, ways)


def _environment(
    folder: Path, postgres: Postgres15, ceph: Ceph, ways: dict[str, Forwarder], kms_key: str
) -> dict[str, str]:
    return environment_of(
        folder / "home",
        ways["smtp"].port,
        ways["sms"].port,
        DATABASE_URL=postgres.service_url,
        MIGRATIONS_DATABASE_URL=postgres.owner_url,
        blob_store="s3",
        s3_endpoint_url=f"http://127.0.0.1:{ways['s3'].port}",
        s3_bucket=BUCKET,
        s3_region="us-east-1",
        s3_access_key=ceph.access_key,
        s3_secret_key=ceph.secret_key,
        key_provider="aws-kms",
        kms_key_id=kms_key,
        kms_endpoint_url=f"http://127.0.0.1:{ways['kms'].port}",
        AWS_ACCESS_KEY_ID="testing",
        AWS_SECRET_ACCESS_KEY="testing",
        clamd_address=f"127.0.0.1:{ways['clamd'].port}",
    )


def _make_kms_key(port: int) -> str:
    """The key that the operator makes; its ARN."""
    client = boto3.client(
        "kms",
        region_name="eu-west-3",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    arn = client.create_key(KeyUsage="ENCRYPT_DECRYPT", KeySpec="SYMMETRIC_DEFAULT")["KeyMetadata"][
        "Arn"
    ]
    client.close()
    return arn


async def _make_bucket(ceph: Ceph) -> None:
    secret = SecretStr(ceph.secret_key)
    settings = S3Settings(BUCKET, "us-east-1", ceph.endpoint_url, ceph.access_key, secret)
    store = S3Store(settings)
    await store.make_bucket()
    await store.close()


@pytest.mark.fault(1, "PostgreSQL, killed and started again")
async def test_postgresql(site: Site, row: Row) -> None:
    """Callers are asked to come back, and nothing that was acknowledged before is lost."""

    async def start() -> None:
        await asyncio.to_thread(site.postgres.start)

    seen = await take_away(site.installation, site.load, site.postgres.kill, start)
    fill(row, seen)
    row.kept = await nothing_lost(site.installation, site.load)
    check(seen, callers=UNHEARD, part="database", telling=API)


@pytest.mark.fault(2, "the store: S3 refuses connections")
async def test_store_refused(site: Site, row: Row) -> None:
    """What needs no stored file goes on; deposits and reads are asked to come back."""
    way = site.ways["s3"]
    seen = await take_away(site.installation, site.load, way.stop, way.start)
    fill(row, seen)
    row.kept = await nothing_lost(site.installation, site.load)
    check(seen, part="store", telling=API)


@pytest.mark.fault(3, "the store: S3 accepts and never answers")
async def test_store_hung(site: Site, row: Row) -> None:
    """The same, each within 15 s."""
    way = site.ways["s3"]
    seen = await take_away(site.installation, site.load, way.hang, way.resume, seconds=14)
    fill(row, seen)
    row.kept = await nothing_lost(site.installation, site.load)
    check(seen, part="store", telling=API)


@pytest.mark.fault(4, "KMS (a mock: moto)")
async def test_kms(site: Site, row: Row) -> None:
    """Whoever's keys are in memory goes on; others are asked to come back."""
    way = site.ways["kms"]
    seen = await take_away(site.installation, site.load, way.stop, way.start)
    fill(row, seen)
    row.kept = await nothing_lost(site.installation, site.load)
    check(seen, part="keys", telling=API)


@pytest.mark.fault(6, "clamd")
async def test_clamd(site: Site, row: Row) -> None:
    """Callers notice nothing; what waited for its scan is scanned afterwards."""
    way = site.ways["clamd"]
    seen = await take_away(site.installation, site.load, way.stop, way.start)
    fill(row, seen)
    row.kept = await nothing_lost(site.installation, site.load)
    row.kept += f", {await _scanned(site)} scanned"
    check(seen, callers=(), part="antivirus", telling=("work",))


async def _scanned(site: Site) -> int:
    """How many deposits were scanned: all of them, in a minute."""
    deadline = time.monotonic() + 60
    address = site.installation.addresses[API[0]]
    async with httpx.AsyncClient(base_url=address, timeout=30, trust_env=False) as http:
        for vault in site.load.vaults:
            for document in vault.deposited:
                while True:
                    path = f"/v1/documents/{document}"
                    found = (await http.get(path, headers=vault.headers)).json()
                    scan = found["file"]["scan"]
                    if scan == "clean":
                        break
                    assert time.monotonic() < deadline, f"a document is {scan}"
                    await asyncio.sleep(0.2)
    return sum(len(vault.deposited) for vault in site.load.vaults)


@pytest.mark.fault(7, "SMTP")
async def test_smtp(site: Site, row: Row) -> None:
    """Callers notice nothing, SMS go on, and the e-mails arrive afterwards."""
    way = site.ways["smtp"]
    seen = await take_away(site.installation, site.load, way.stop, way.start)
    fill(row, seen)
    row.kept = await nothing_lost(site.installation, site.load)
    check(seen, callers=(), part="email", telling=("work",))


@pytest.mark.fault(8, "SMS: the gateway accepts and never answers")
async def test_sms_hung(site: Site, row: Row) -> None:
    """Callers notice nothing, no e-mail waits for an SMS, and the SMS arrive afterwards."""
    way = site.ways["sms"]
    before = site.load.acknowledged.emails.total()
    late: list[int] = []

    def resume() -> None:
        late.append(len(late_emails(site.installation, site.load)))
        way.resume()

    seen = await take_away(site.installation, site.load, way.hang, resume, seconds=20)
    fill(row, seen)
    row.kept = await nothing_lost(site.installation, site.load)
    sent = site.load.acknowledged.emails.total() - before
    row.kept += f", {late[0]} of {sent} e-mails waited"
    check(seen, callers=(), part="sms", telling=("work",))
    assert late[0] <= 2, f"{late[0]} e-mails waited for the SMS gateway"
