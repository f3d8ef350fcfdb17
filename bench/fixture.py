"""What the benchmarks run on: a new PostgreSQL that flushes, the services, a person's grants.

The same database also holds the floor's own tables: the same rows, unsealed.
"""

import asyncio
import json
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import psycopg
from pydantic import SecretStr

from auth import administration, one_time_codes, sessions
from auth.message_delivery import inbox
from auth.subjects import Person
from base.embedded.server import Addresses, EmbeddedPostgres
from base.key_names import DOCUMENT, DOCUMENT_VERSION
from base.settings import Settings
from bench import samples
from migrations.run import upgrade
from storage.key_rotation import initialise
from vault.consent import grant_issue
from vault.consent.scopes import Scope, scope_of
from vault.decoding import pdfs
from vault.decoding.media import Limits
from vault.document_view import DocumentMetadata
from vault.documents.own_deposit import deposit_own
from vault.services import Services
from web.process.services import open_services

READ = "income_tax_notice"
LISTED = "payslip"
PHONE = "+33611223344"
DEPOSITORS = 8
"""People who deposit at the same time, each in a vault of their own."""
_CONCURRENCY = 4


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes of documents in bytes; `listed` is how many a list has."""

    large: int = 10 * 1024 * 1024
    small: int = 20 * 1024
    listed: int = 200
    kept: int = 20 * 1024 * 1024
    people: int = 200


@dataclass(frozen=True, slots=True)
class Fixture:
    """Everything that a benchmark needs; made anew for each run."""

    home: Path
    addresses: Addresses
    settings: Settings
    owner: str = field(repr=False)
    depositors: tuple[str, ...] = field(repr=False)
    worker: str = field(repr=False)
    reading: UUID
    listing: UUID
    large: UUID
    small: UUID
    kept: UUID
    kept_size: int
    listed: int
    cold: tuple[tuple[UUID, UUID], ...]
    large_bytes: bytes = field(repr=False)
    small_bytes: bytes = field(repr=False)


@contextmanager
def database(folder: Path | None = None) -> Iterator[tuple[Path, Addresses]]:
    """The embedded PostgreSQL in a folder of its own on a real disk, removed at the end."""
    home = Path(tempfile.mkdtemp(prefix="unefois-bench-", dir=folder))
    server = EmbeddedPostgres(home / "home")
    try:
        addresses = server.start()
        upgrade(SecretStr(addresses.owner_url))
        yield server.home, addresses
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


def settings_of(home: Path, addresses: Addresses) -> Settings:
    """The settings of the demo, with its embedded defaults."""
    return Settings.model_validate(
        {
            "mode": "demo",
            "home": home,
            "database_url": addresses.service_url,
            "messenger": "inbox",
            "requests_per_hour": 1000,
        }
    )


def environment(settings: Settings) -> dict[str, str]:
    """The same settings as the environment of another process."""
    assert settings.database_url is not None
    values = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in settings
        if value is not None and name not in {"database_url", "migrations_database_url"}
    }
    return {
        "PATH": os.environ.get("PATH", ""),
        "DATABASE_URL": settings.database_url.get_secret_value(),
        **{f"UNEFOIS_{name.upper()}": value for name, value in values.items()},
    }


async def build(settings: Settings, addresses: Addresses, sizes: Sizes) -> Fixture:
    """People, grants and documents, through the use cases; then the floor's tables."""
    async with open_services(settings) as services:
        await initialise(services.database, services.storage.keys.provider)
        person, owner = await _person(services, PHONE)
        worker_id, worker = await _worker(services)
        large, small = samples.pdf(sizes.large), samples.pdf(sizes.small)
        reading = [await _deposit(services, person, content) for content in (large, small)]
        kept_bytes = samples.pdf(sizes.kept)
        kept = await _deposit(services, person, kept_bytes)
        limit = asyncio.Semaphore(_CONCURRENCY)

        async def deposit_listed(number: int) -> UUID:
            async with limit:
                return await _deposit(services, person, samples.pdf(2048), LISTED, f"Paie {number}")

        listed = await asyncio.gather(*(deposit_listed(number) for number in range(sizes.listed)))
        picked = scope_of((), (*reading, kept), ("read", "deposit"))
        by_type = scope_of((LISTED,), (), ("read",))

        cold = await _people(services, worker_id, sizes)
        depositors = [await _person(services, f"+336130{each:05}") for each in range(DEPOSITORS)]
        fixture = Fixture(
            home=settings.home,
            addresses=addresses,
            settings=settings,
            owner=owner,
            depositors=tuple(token for _, token in depositors),
            worker=worker,
            reading=await _give(services, person, worker_id, picked),
            listing=await _give(services, person, worker_id, by_type),
            large=reading[0],
            small=reading[1],
            kept=kept,
            kept_size=len(_as_given(kept_bytes)),
            listed=len(listed),
            cold=tuple(cold),
            small_bytes=_as_given(small),
            large_bytes=_as_given(large),
        )
        await _create_floor(services, fixture, person, listed)
    return fixture


def _as_given(data: bytes) -> bytes:
    """What recipients get of a PDF: the same input gives the same bytes."""
    return pdfs.examine(data, Limits()).cleaned


async def _person(services: Services, phone: str) -> tuple[Person, str]:
    started = await one_time_codes.send_code(services, phone=phone, language="fr")
    text = (await inbox(services, to=phone))[0].text
    code = re.findall(r"\d{6}", text)[0]
    opened = await one_time_codes.redeem_code(
        services, started.id, secret=started.secret, code=code, language="fr"
    )
    async with services.database.transaction() as tx:
        person = await sessions.subject_of(services, tx, opened.token)
    assert isinstance(person, Person)
    return person, opened.token


async def _people(services: Services, worker_id: UUID, sizes: Sizes) -> Sequence[tuple[UUID, UUID]]:
    """People with one paper each: the grant that the worker has of it, and the paper."""
    limit = asyncio.Semaphore(_CONCURRENCY)

    async def with_a_paper(number: int) -> tuple[UUID, UUID]:
        async with limit:
            person, _ = await _person(services, f"+336120{number:05}")
            document = await _deposit(services, person, samples.pdf(sizes.small))
            scope = scope_of((), (document,), ("read",))
            return await _give(services, person, worker_id, scope), document

    return await asyncio.gather(*(with_a_paper(number) for number in range(sizes.people)))


async def _worker(services: Services) -> tuple[UUID, str]:
    organisation = await administration.add_organisation(
        services, name="CCAS de Lille", contact="03 20 00 00 00"
    )
    worker_id = await administration.add_worker(
        services,
        organisation_id=organisation,
        email="camille.moreau@structure.example",
        name="Camille Moreau",
        job="Assistante sociale",
        phone="03 20 00 00 01",
        hours="9 h - 17 h",
    )
    async with services.database.transaction() as tx:
        token = (
            await sessions.open_session(services, tx, kind="worker", subject_id=worker_id)
        ).token
    return worker_id, token


class _Sample:
    """A file in the form of an upload, from memory."""

    name: str | None = "paper.pdf"

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.announced = len(data)

    async def files(self) -> AsyncIterator["_Sample"]:
        yield self

    async def slices(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._data), 65536):
            yield self._data[start : start + 65536]


async def _deposit(
    services: Services, person: Person, data: bytes, type_: str = READ, title: str = "Bulletin"
) -> UUID:
    metadata = DocumentMetadata(type_, title)
    deposited = await deposit_own(services, person, _Sample(data), lambda: metadata)
    return deposited.document.id


async def _give(services: Services, person: Person, worker_id: UUID, scope: Scope) -> UUID:
    draft = grant_issue.GrantDraft(
        recipient=grant_issue.RecipientRef(worker_id=worker_id),
        scope=scope,
        purpose_code="housing",
        purpose="Demande de logement social",
        duration="P1M",
    )
    return (await grant_issue.give(services, person, draft)).id


_FLOOR = """
CREATE SCHEMA bench;
CREATE TABLE bench.document (
    id uuid PRIMARY KEY, revision uuid NOT NULL, version_id uuid NOT NULL,
    created_at timestamptz NOT NULL, deleted_at timestamptz, sealed bytea NOT NULL,
    v_id uuid NOT NULL, v_number integer NOT NULL, v_scan text NOT NULL,
    v_created_at timestamptz NOT NULL, v_sealed bytea NOT NULL,
    has_preview boolean NOT NULL, has_thumbnail boolean NOT NULL
);
CREATE TABLE bench.file (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE bench.deposit (id uuid PRIMARY KEY, hash bytea NOT NULL, dek bytea NOT NULL);
CREATE TABLE bench.event (
    id uuid PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), file_id uuid NOT NULL
);
GRANT USAGE ON SCHEMA bench TO unefois_service;
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA bench TO unefois_service;
INSERT INTO bench.document
    SELECT d.id, d.revision, v.id, d.created_at, NULL, d.sealed,
        v.id, v.number, v.scan, v.created_at, v.sealed, false, false
    FROM unefois.document d JOIN unefois.document_version v ON v.id = d.version_id;
"""


async def _create_floor(
    services: Services, fixture: Fixture, person: Person, listed: Sequence[UUID]
) -> None:
    """The same rows, unsealed: their columns named `sealed` hold the JSON in clear."""
    reader = await services.field_encryption.reader(person.id)
    address = fixture.addresses.owner_url.replace("+psycopg", "")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(_FLOOR)
        connection.execute("DELETE FROM bench.document WHERE NOT id = ANY(%s)", [list(listed)])
        rows = connection.execute(
            "SELECT id, v_id, sealed, v_sealed FROM bench.document"
        ).fetchall()
        for row_id, version_id, sealed, version_sealed in rows:
            connection.execute(
                "UPDATE bench.document SET sealed = %s, v_sealed = %s WHERE id = %s",
                [
                    json.dumps(reader.open(DOCUMENT, row_id, sealed)).encode(),
                    json.dumps(reader.open(DOCUMENT_VERSION, version_id, version_sealed)).encode(),
                    row_id,
                ],
            )
        connection.execute("INSERT INTO bench.file VALUES (%s, 'small')", [fixture.small])
        connection.execute("VACUUM ANALYZE")
