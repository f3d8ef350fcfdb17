"""Every name that is stored, sent, or agreed on between processes and releases, word for word.

The code may rename anything else; these stay. A name that was changed or removed: the code must
change back: a database, a backup, a dashboard or a browser holds it. One that you added: add it.
What derives keys is in `test_key_derivations.py`; the HTTP contract is in `openapi/v1.json`.
"""

import argparse
import base64
import inspect
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action, Actor, ActorKind, Event, Outcome, as_values
from audit.tlog import records as log_records
from audit.tlog import store
from audit.tlog.tiles import Tile
from auth import messages, sessions
from auth.oauth import clients, signing_keys
from base import locks
from base.embedded.server import Addresses
from base.locks import hold_vault
from base.settings import Settings
from migrations import tables
from storage import keys
from tests.fixtures import MakeClient, MakePerson
from tests.steps import blobs, deposit
from tests.stored_names import ACTIONS, COMMANDS, REASONS, SETTINGS, TABLES
from tests.vault.decoding import corpus
from vault import revocations
from vault.maintenance.job_runner import job_app
from vault.rules import GrantAction, Reason
from vault.services import Services
from web.cli.main import parser
from web.http.metrics import Metrics
from web.pages import cookies

API_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "geolocation=(), microphone=(), payment=(), usb=()",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
    "x-request-id": "given-by-the-caller",
}


def words(listed: str) -> list[str]:
    """The words, sorted."""
    return sorted(listed.split())


def test_locks_of_the_database() -> None:
    assert {
        "migrations": locks.MIGRATIONS,
        "root versions": locks.ROOT_VERSIONS,
        "key rotation": locks.KEY_ROTATION,
        "blobs": locks.BLOBS,
        "sequencer": locks.SEQUENCER,
        "publisher": locks.PUBLISHER,
        "signing keys": locks.SIGNING_KEYS,
        "receipt keys": locks.RECEIPT_KEYS,
        "closing": locks.CLOSING,
    } == {
        "migrations": 0x756E65666F6973,
        "root versions": 0x756E65666F697301,
        "key rotation": 0x756E65666F697302,
        "blobs": 0x756E65666F697303,
        "sequencer": 0x756E65666F697304,
        "publisher": 0x756E65666F697305,
        "signing keys": b"unefois signing keys",
        "receipt keys": b"unefois receipt keys",
        "closing": b"unefois closing",
    }


async def locked(tx: AsyncConnection) -> list[tuple[int, int]]:
    """The numbers of the advisory locks that a connection holds, as two halves."""
    held = await tx.execute(
        text(
            "SELECT classid, objid FROM pg_locks WHERE locktype = 'advisory'"
            " AND pid = pg_backend_pid()"
        )
    )
    return [tuple(row) for row in held]


async def test_locks_named_by_bytes(services: Services) -> None:
    tag, person = b"\xff\x01\x02\x03\x04\x05\x06\x07 and the rest", UUID(int=(5 << 32) + 6)
    async with services.database.transaction() as tx:
        await locks.hold_tag(tx, tag)
        assert await locked(tx) == [(0xFF010203, 0x04050607)]
    async with services.database.transaction() as tx:
        await hold_vault(tx, person)
        assert await locked(tx) == [(5, 6)]


def test_channels_of_the_database() -> None:
    assert (keys.CHANNEL, messages.CHANNEL, revocations.CHANNEL, log_records.CHANNEL) == (
        "unefois_keys", "unefois_messages", "unefois_revoked", "unefois_event",
    )  # fmt: skip
    assert sessions.CHANNEL == "unefois_sessions"  # fmt: skip


async def test_what_the_database_holds(services: Services) -> None:
    async def found(query: str) -> list[str]:
        async with services.database.transaction() as tx:
            return sorted((await tx.execute(text(query))).scalars())

    assert await found(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'unefois'"
    ) == words(TABLES)
    assert sorted(
        table.name for table in tables.metadata.sorted_tables if table.schema == "unefois"
    ) == sorted({*TABLES.split()} - {"alembic_version"})
    assert await found(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'unefois'::regnamespace"
    ) == ["now", "refuse_change", "wake_sequencer"]
    assert await found(
        "SELECT tgname || ' ' || relname FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid"
        " WHERE NOT tgisinternal AND relnamespace = 'unefois'::regnamespace"
    ) == [
        "only_grows access_event", "only_grows access_outcome", "only_grows log_checkpoint",
        "only_grows log_key", "only_grows log_leaf", "wake_sequencer access_event",
    ]  # fmt: skip
    woken = "SELECT prosrc FROM pg_proc WHERE proname = 'wake_sequencer'"
    assert "pg_notify('unefois_event', '')" in (await found(woken))[0]
    assert await found("SELECT rolname FROM pg_roles WHERE rolname LIKE 'unefois%'") == [
        "unefois_owner", "unefois_service", "unefois_service_login",
    ]  # fmt: skip


async def test_jobs(services: Services) -> None:
    app = job_app(services)
    ours = {name: task for name, task in app.tasks.items() if "builtin" not in name}
    found = {
        name: (task.queue, task.queueing_lock, *inspect.signature(task.func).parameters)
        for name, task in ours.items()
    }
    assert found == {
        "preview": ("vault", None, "owner_id", "version_id"),
        "scan": ("vault", None, "owner_id", "version_id"),
        "content_tag": ("vault", None, "owner_id", "version_id"),
        "export": ("vault", None, "person_id", "archive_id"),
        "import": ("vault", None, "person_id", "archive_id"),
        "sweep": ("vault", "sweep", "timestamp"),
        "narrowing": ("vault", "narrowing", "timestamp"),
        "rates": ("vault", "rates", "timestamp"),
        "stalled": ("vault", "stalled", "timestamp"),
        "purge": ("vault", "purge", "timestamp"),
        "notices": ("vault", "notices", "timestamp"),
        "retention": ("vault", "retention", "timestamp"),
        "closing": ("vault", "closing", "timestamp"),
    }
    periodic = app.periodic_registry.periodic_tasks.values()
    assert {(one.task.name, one.cron, one.periodic_id) for one in periodic} == {
        ("sweep", "17 * * * *", ""),
        ("narrowing", "*/10 * * * *", ""),
        ("rates", "*/5 * * * *", ""),
        ("stalled", "*/2 * * * *", ""),
        ("purge", "41 3 * * *", ""),
        ("notices", "5 8 * * *", ""),
        ("retention", "35 9 * * *", ""),
        ("closing", "20 * * * *", ""),
    }


def https(settings: Settings) -> Settings:
    return settings.model_copy(update={"public_url": "https://unefois.example"})


def test_cookies(base_settings: Settings) -> None:
    kinds = get_args(cookies.CookieKind)
    assert kinds == (
        "person", "worker", "visit", "browser", "language", "second", "next", "discreet",
        "told", "desk", "card", "aside", "left", "own",
    )  # fmt: skip
    assert [cookies.name_of(base_settings, kind) for kind in kinds] == [
        "unefois-person", "unefois-worker", "unefois-visit", "unefois-browser",
        "unefois-language", "unefois-second", "unefois-next", "unefois-discreet", "unefois-told",
        "unefois-desk", "unefois-card", "unefois-aside", "unefois-left", "unefois-own",
    ]  # fmt: skip
    assert [cookies.name_of(https(base_settings), kind) for kind in kinds] == [
        f"__Host-unefois-{kind}" for kind in kinds
    ]


def test_metrics() -> None:
    found = {one.name: one for one in Metrics().registry.collect()}
    assert {name: one.type for name, one in found.items()} == {
        "unefois_http_answers": "counter",
        "unefois_http_seconds": "histogram",
        "unefois_ready": "gauge",
        "unefois_failing": "gauge",
        "unefois_log_size": "gauge",
        "unefois_log_lag_seconds": "gauge",
    }


async def test_metrics_as_they_are_scraped(
    client: httpx.AsyncClient, management: httpx.AsyncClient
) -> None:
    await client.get("/v1/document-types")
    await management.get("/readyz")
    scraped = (await management.get("/metrics")).text
    names = re.findall(r"^([a-z_]+)(?:\{(.*)\})? ", scraped, flags=re.MULTILINE)
    assert {(name, *re.findall(r'([a-z]+)="', labels)) for name, labels in names} == {
        ("unefois_http_answers_total", "method", "route", "status"),
        ("unefois_http_answers_created", "method", "route", "status"),
        ("unefois_http_seconds_bucket", "le", "method", "route"),
        ("unefois_http_seconds_count", "method", "route"),
        ("unefois_http_seconds_sum", "method", "route"),
        ("unefois_http_seconds_created", "method", "route"),
        ("unefois_ready", "part"),
        ("unefois_failing", "part"),
        ("unefois_log_size",),
        ("unefois_log_lag_seconds",),
    }
    assert set(re.findall(r'unefois_ready\{part="([a-z]+)"', scraped)) == {
        "database", "log", "store", "keys", "decoder", "revocations",
    }  # fmt: skip


async def test_headers_of_every_answer(client: httpx.AsyncClient) -> None:
    asked = {"X-Request-ID": "given-by-the-caller"}
    answer = await client.get("/v1/documents", headers=asked)
    own = {"date", "content-length", "content-type", "content-language", "www-authenticate"}
    assert {name: value for name, value in answer.headers.items() if name not in own} == API_HEADERS
    public = await client.get("/v1/document-types", headers=asked)
    own |= {"etag", "vary", "content-encoding"}
    kept = {name: value for name, value in public.headers.items() if name not in own}
    expected = API_HEADERS | {"cache-control": "public, max-age=600"}
    # A proxy may store it.
    del expected["x-accel-buffering"]
    assert kept == expected
    page = await client.get("/pro", headers=asked)
    own |= {"content-security-policy", "referrer-policy", "content-language", "set-cookie"}
    common = {name: value for name, value in page.headers.items() if name not in own}
    assert common == {name: value for name, value in API_HEADERS.items() if name not in own}
    assert page.headers["content-language"] == "fr"
    assert page.headers["set-cookie"].startswith("unefois-visit=")


async def test_keys_of_the_object_store(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    before = await blobs(services)
    await deposit(client, await make_person(), corpus.pdf())
    made = await blobs(services) - before
    assert len(made) == 4  # the original, what is sent, the preview, the thumbnail
    assert all(re.fullmatch(r"files/[0-9a-f]{32}", key) for key in made)
    assert [store.tile_key(Tile(*one)) for one in ((-1, 0), (0, 1234), (1, 5, 17))] == [
        "log/tile/entries/tile-000", "log/tile/0/x001/tile-234", "log/tile/1/005.p/tile-17",
    ]  # fmt: skip
    written: list[str] = []

    class Blobs:
        async def put(self, key: str, _: bytes) -> None:
            written.append(key)

        async def put_if_absent(self, key: str, _: bytes) -> bool:
            written.append(key)
            return True

    there: Any = Blobs()
    await store.LogStore(there).publish(b"")
    await store.LogStore(there).write_public([(Tile(0, 0, 3), b"")])
    assert written == ["log/checkpoint", "log/public/tile/0/000.p/tile-3"]


async def test_tokens_and_scopes(
    services: Services, make_person: MakePerson, make_client: MakeClient
) -> None:
    assert re.fullmatch(r"uf_[A-Za-z0-9_-]{43}", (await make_person()).token)
    assert re.fullmatch(r"client-[0-9a-f]{16}", (await make_client()).client_id)
    assert clients.SCOPES == ("consent_requests", "evidence", "documents", "deposits")
    tokens = await signing_keys.access_tokens(services)
    issued = tokens.issue("a-client", "deposits", datetime.now(UTC))
    head, body = (
        json.loads(base64.urlsafe_b64decode(part + "==")) for part in issued.token.split(".")[:2]
    )
    assert (set(head), head["alg"], head["typ"]) == ({"alg", "typ", "kid"}, "ES256", "at+jwt")
    assert set(body) == {"aud", "client_id", "exp", "iat", "iss", "jti", "scope", "sub"}


def test_settings() -> None:
    prefix = Settings.model_config["env_prefix"]
    names = [
        str(declared.validation_alias or (prefix + name).upper())
        for name, declared in Settings.model_fields.items()
    ]
    assert sorted(names) == words(SETTINGS)


def test_a_home(home: Path, postgres: Addresses, services: Services) -> None:
    there = {str(one.relative_to(home)) for one in (*home.glob("*"), *home.glob("[!p]*/*"))}
    assert there >= {
        "blobs", "blobs/blobs", "blobs/tmp", "keys", "keys/keyring.json", "locks",
        "locks/postgres-attached", "locks/postgres-life", "postgres", "secrets",
        "secrets/postgres.json",
    }  # fmt: skip


def test_commands() -> None:
    def named(one: argparse.ArgumentParser, before: str = "") -> list[str]:
        below = [each for each in one._actions if isinstance(each, argparse._SubParsersAction)]
        return [before.strip()] * ("command" in one._defaults) + [
            name
            for group in below
            for word, sub in group.choices.items()
            for name in named(sub, f"{before} {word}")
        ]

    assert sorted(named(parser())) == COMMANDS.strip().splitlines()


def test_words_of_the_log() -> None:
    assert sorted(Action) == words(ACTIONS)
    assert sorted(Reason) == words(REASONS)
    assert list(Outcome) == ["allowed", "refused"]
    kinds = "owner worker client operator service anonymous representative"
    assert " ".join(ActorKind) == kinds
    assert list(GrantAction) == ["attest", "read", "deposit"]
    one = UUID(int=1)
    actor = Actor(ActorKind.WORKER, one, "n", "j", "o", one, "c")
    event = Event(
        one, datetime(2026, 1, 2, tzinfo=UTC), Action.READ, Outcome.REFUSED, actor, one,
        "r", one, one, (one,), "pc", "p", {"d": 1},
    )  # fmt: skip
    values = as_values(event)
    assert list(values) == [
        "v", "id", "at", "action", "outcome", "actor", "person", "reason", "grant", "request",
        "documents", "purpose_code", "purpose", "details",
    ]  # fmt: skip
    assert " ".join(values["actor"]) == "kind id name job organisation organisation_id contact"
