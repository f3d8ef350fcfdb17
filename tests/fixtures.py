"""One real migrated PostgreSQL for each test process, services on it, a real HTTP server, people.

`services` and `client` use a directory store; with `@pytest.mark.parametrize("store", STORES,
indirect=True)` a test also runs on a real Ceph gateway. Tests share the database: each makes its
own people.
"""

import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from secrets import choice, randbelow, token_hex
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from fastapi import FastAPI
from joserfc.jwk import ECKey
from pydantic import SecretStr

from auth import administration, one_time_codes, sessions
from auth.message_delivery import inbox
from auth.oauth import clients
from auth.records.people import person as person_row
from auth.services import CoreServices
from auth.subjects import Person, Worker
from base import clock
from base.database import Database
from base.embedded.server import Addresses, EmbeddedPostgres
from base.settings import Settings
from migrations.run import upgrade
from storage.backends import blob_store
from storage.blobs.s3 import S3Store
from storage.key_rotation import initialise
from vault.consent.request_transfer import adopt_requests
from vault.services import Services
from web.app import create_app
from web.process.management import run_management
from web.process.server import listen, run_server, server_for, url_of
from web.process.services import open_services

CEPH = pytest.param("ceph", marks=pytest.mark.ceph)
OPERATOR_EMAIL = "equipe@service.example"
STORES = ["directory", CEPH]


@dataclass(frozen=True, slots=True)
class SomePerson:
    """Someone with a vault and a session."""

    id: UUID
    phone: str
    token: str = field(repr=False)
    subject: Person
    services: Services = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True, slots=True)
class SomeWorker:
    """A professional with a session."""

    id: UUID
    organisation_id: UUID
    email: str
    token: str = field(repr=False)
    subject: Worker

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True, slots=True)
class SomeClient:
    """An administration's system, with its private key."""

    client_id: str
    organisation_id: UUID
    kid: str
    private_key_pem: str = field(repr=False)
    jwk: ECKey = field(repr=False)


MakePerson = Callable[..., Awaitable[SomePerson]]
MakeWorker = Callable[..., Awaitable[SomeWorker]]
MakeOrganisation = Callable[..., Awaitable[UUID]]
MakeClient = Callable[..., Awaitable[SomeClient]]
MoveClock = Callable[[timedelta], None]


# PostgreSQL


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """A private folder with a short path, for a socket; in memory where there is room."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 512 * 1024 * 1024
    folder = Path(tempfile.mkdtemp(prefix="unefois-", dir=memory if roomy else None))
    yield folder / "home"
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(home: Path) -> Iterator[Addresses]:
    """The embedded PostgreSQL of this test process, migrated."""
    server = EmbeddedPostgres(home)
    addresses = server.start()
    upgrade(SecretStr(addresses.owner_url))
    yield addresses
    server.stop()


@pytest.fixture(scope="session")
def base_settings(home: Path, postgres: Addresses) -> Settings:
    """Demo settings on that PostgreSQL, with a directory store."""
    return Settings(
        mode="demo",
        home=home,
        database_url=SecretStr(postgres.service_url),
        migrations_database_url=SecretStr(postgres.owner_url),
        database_pool=10,
        messenger="inbox",
        operator_email=OPERATOR_EMAIL,
        key_provider="local",
        blob_store="directory",
        sign_ins_per_hour_from_one_address=1_000_000,
        failures_at_once=1_000_000,
    )


@pytest.fixture
async def as_owner(postgres: Addresses) -> AsyncIterator[Database]:
    """The tables' owner: for what the service's role may not do, as an attacker or time would."""
    opened = Database(SecretStr(postgres.owner_url), pool=2)
    yield opened
    await opened.close()


# Services, one for each store


@dataclass(frozen=True, slots=True)
class Served:
    """Services, the application on them, and the address of its real server."""

    services: Services
    app: FastAPI
    base_url: str
    management_url: str


class _ServicesPool:
    """The services of this test process, opened at first use."""

    def __init__(self) -> None:
        self._opened = AsyncExitStack()
        self._served: dict[str, Served] = {}

    async def at(self, name: str, settings: Settings) -> Served:
        if name not in self._served:
            listener = self._opened.enter_context(listen("127.0.0.1", 0))
            management = self._opened.enter_context(listen("127.0.0.1", 0))
            base_url = url_of(listener)
            settings = settings.model_copy(update={"public_url": base_url})
            services = await self._opened.enter_async_context(open_services(settings))
            await initialise(services.database, services.storage.keys.provider)
            app = create_app(services)
            await self._opened.enter_async_context(run_server(server_for(app), listener))
            await self._opened.enter_async_context(
                run_management(services, app.state.metrics, management)
            )
            self._served[name] = Served(services, app, base_url, url_of(management))
        return self._served[name]

    async def close(self) -> None:
        await self._opened.aclose()


@pytest.fixture(scope="session")
async def services_pool(postgres: Addresses) -> AsyncIterator[_ServicesPool]:
    # Closed before the PostgreSQL that its services use.
    services_pool = _ServicesPool()
    yield services_pool
    await services_pool.close()


@pytest.fixture
def store(request: pytest.FixtureRequest) -> str:
    """The store that the test uses: `directory`, or `ceph` when parametrised so."""
    return str(getattr(request, "param", "directory"))


@pytest.fixture
async def served(
    store: str,
    services_pool: _ServicesPool,
    base_settings: Settings,
    request: pytest.FixtureRequest,
) -> Served:
    """The services of the store, and their server."""
    settings = base_settings
    if store == "ceph":
        gateway = request.getfixturevalue("ceph")
        settings = settings.model_copy(
            update={
                "blob_store": "s3",
                "s3_endpoint_url": gateway.endpoint_url,
                "s3_region": "us-east-1",
                "s3_bucket": "unefois",
                "s3_access_key": gateway.access_key,
                "s3_secret_key": SecretStr(gateway.secret_key),
            }
        )
        await _make_bucket(settings)
    return await services_pool.at(store, settings)


@pytest.fixture
def services(served: Served) -> Services:
    """What use cases are given, all of it real."""
    return served.services


@pytest.fixture
def settings(services: Services) -> Settings:
    """The settings of those services."""
    return services.settings


@pytest.fixture
async def client(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    """Calls the real server over a socket, as a caller would."""
    async with httpx.AsyncClient(base_url=served.base_url, timeout=30, trust_env=False) as speaking:
        yield speaking


async def _make_bucket(settings: Settings) -> None:
    store = blob_store(settings)
    assert isinstance(store, S3Store)
    await store.make_bucket()
    await store.close()


# Time


@pytest.fixture
def moved_clock(postgres: Addresses, monkeypatch: pytest.MonkeyPatch) -> Iterator[MoveClock]:
    """Move the database's clock: `moved_clock(timedelta(days=8))` from the real time, not from the
    last move. Put back at the end of the test. Ids keep to the real time: rows of the future would
    stand before those of all the tests that follow."""
    monkeypatch.setattr(clock, "learn", lambda *_: None)
    address = postgres.owner_url.replace("+psycopg", "")

    def move(by: timedelta) -> None:
        moved = f"statement_timestamp() + interval '{by.total_seconds():f} seconds'"
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(
                "CREATE OR REPLACE FUNCTION unefois.now() RETURNS timestamptz"  # type: ignore[arg-type]  # composed of a number
                f" LANGUAGE sql STABLE PARALLEL SAFE AS $$SELECT {moved}$$"
            )

    yield move
    move(timedelta())


# People


def new_phone() -> str:
    """A mobile number of mainland France (those with 3 or 9 there may be overseas)."""
    return f"+336{choice('1245678')}{randbelow(10**7):07}"


@pytest.fixture
def make_person(services: Services) -> MakePerson:
    """Open a vault with a code, as its owner would: `await make_person()`."""

    async def make(phone: str | None = None, language: str = "fr") -> SomePerson:
        number = phone or new_phone()
        token = await sign_in(services, phone=number, language=language)
        async with services.database.transaction() as tx:
            subject = await sessions.subject_of(services, tx, token)
            assert isinstance(subject, Person)
            macs = await services.field_encryption.row_macs()
            assert await person_row(tx, macs, subject.id) is not None
        return SomePerson(subject.id, number, token, subject, services)

    return make


@pytest.fixture
def make_organisation(services: CoreServices) -> MakeOrganisation:
    """A structure: `await make_organisation("CCAS de Lille")`."""

    async def make(name: str = "", contact: str = "03 20 00 00 00") -> UUID:
        name = name or f"Structure {token_hex(4)}"
        return await administration.add_organisation(services, name=name, contact=contact)

    return make


@pytest.fixture
def make_worker(services: CoreServices, make_organisation: MakeOrganisation) -> MakeWorker:
    """A professional with a session: `await make_worker(organisation_id)`."""

    async def make(organisation: UUID | None = None, **fields: str) -> SomeWorker:
        organisation_id = organisation or await make_organisation()
        email = fields.pop("email", f"m{token_hex(6)}@structure.example")
        known = {
            "name": "Camille Moreau",
            "job": "Assistante sociale",
            "phone": "03 20 00 00 01",
            "hours": "9 h - 17 h",
        }
        worker_id = await administration.add_worker(
            services, organisation_id=organisation_id, email=email, **(known | fields)
        )
        async with services.database.transaction() as tx:
            token = (
                await sessions.open_session(services, tx, kind="worker", subject_id=worker_id)
            ).token
            subject = await sessions.subject_of(services, tx, token)
        assert isinstance(subject, Worker)
        return SomeWorker(worker_id, organisation_id, email, token, subject)

    return make


@pytest.fixture
def make_client(services: CoreServices, make_organisation: MakeOrganisation) -> MakeClient:
    """An administration's system with a new ES256 key: `await make_client()`."""

    async def make(
        organisation: UUID | None = None, scope: str = " ".join(clients.SCOPES), name: str = "API"
    ) -> SomeClient:
        organisation_id = organisation or await make_organisation("CAF du Nord")
        pem = new_private_key_pem()
        jwk = ECKey.import_key(pem)
        kid = jwk.thumbprint()
        public: dict[str, Any] = {**jwk.as_dict(private=False), "kid": kid, "alg": "ES256"}
        client_id = await administration.add_client(
            services,
            organisation_id=organisation_id,
            name=name,
            jwks={"keys": [public]},
            scope=scope,
        )
        return SomeClient(client_id, organisation_id, kid, pem, jwk)

    return make


def new_private_key_pem() -> str:
    """A new P-256 key, PKCS#8."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


async def sign_in(services: Services, *, phone: str, language: str = "fr") -> str:
    """Sign in with the code that was sent; returns the token. The first time opens the vault."""
    started = await one_time_codes.send_code(services, phone=phone, language=language)
    code = await last_code(services, phone)

    opened = await one_time_codes.redeem_code(
        services,
        started.id,
        secret=started.secret,
        code=code,
        language=language,
        on_vault_opened=adopt_requests,
    )
    return opened.token


async def last_code(services: Services, address: str) -> str:
    """The digits last sent to a phone or an e-mail, as its holder reads them."""
    messages = await inbox(services, to=address)
    return code_in(next(one.text for one in messages if _CODE.search(one.text)))


def code_in(message: str) -> str:
    """The code of a message: six digits, or more in fours."""
    return re.sub(r"\D", "", _CODE.findall(message)[0])


_CODE = re.compile(r"\b\d{6}\b|\b\d{4}(?:\s\d{2,4}){1,3}\b")
