"""All that somebody has is taken from one installation and brought to another, which has its own
database, keys and store: papers come in as their own word, old receipts are verified with the key
alone, and what stays there opens nothing here."""

import io
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pikepdf
import pytest
from pydantic import SecretStr

from audit.tlog.notes import Verifier
from audit.verify import NotVerified, check_receipt
from auth import sessions
from auth.subjects import Person
from base.embedded.server import EmbeddedPostgres
from base.settings import Settings
from migrations.run import upgrade
from storage.key_rotation import initialise
from tests.audit.tlog.logs import EAGER
from tests.fixtures import (
    MakePerson,
    MakeWorker,
    Served,
    SomePerson,
    new_phone,
    sign_in,
)
from tests.steps import deposit, granted, log_of, until
from tests.vault.decoding import corpus
from tests.vault.exports.import_steps import brought, papers_of
from tests.vault.exports.steps import made, taken
from vault.consent.signed_receipts import NotGenuine, verified
from web.app import create_app
from web.process.sequencer import run_sequencer
from web.process.server import listen, run_server, server_for, url_of
from web.process.services import open_services


@asynccontextmanager
async def another(base: Settings) -> AsyncIterator[Served]:
    """Another installation in this process, with a home and a PostgreSQL of its own."""
    home = Path(tempfile.mkdtemp(prefix="unefois-", dir=base.home.parent.parent))
    postgres = EmbeddedPostgres(home / "home")
    try:
        addresses = postgres.start()
        upgrade(SecretStr(addresses.owner_url))
        async with AsyncExitStack() as opened:
            listener = opened.enter_context(listen("127.0.0.1", 0))
            settings = base.model_copy(
                update={
                    "home": home / "home",
                    "database_url": SecretStr(addresses.service_url),
                    "migrations_database_url": SecretStr(addresses.owner_url),
                    "public_url": url_of(listener),
                }
            )
            services = await opened.enter_async_context(open_services(settings))
            await initialise(services.database, services.storage.keys.provider)
            app = create_app(services)
            await opened.enter_async_context(run_server(server_for(app), listener))
            yield Served(services, app, settings.public_url, "")
    finally:
        postgres.stop()
        shutil.rmtree(home, ignore_errors=True)


async def settled(served: Served) -> SomePerson:
    """Somebody with a vault there."""
    phone = new_phone()
    token = await sign_in(served.services, phone=phone)
    async with served.services.database.transaction() as tx:
        subject = await sessions.subject_of(served.services, tx, token)
    assert isinstance(subject, Person)
    return SomePerson(subject.id, phone, token, subject, served.services)


@pytest.mark.timeout(180)
async def test_taken_from_one_and_brought_to_another(
    base_settings: Settings,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
) -> None:
    person, worker = await make_person(), await make_worker()
    photo = corpus.phone_jpeg()
    await deposit(client, person, corpus.pdf(), title="Mon avis", issued_on="2026-01-05")
    await deposit(client, person, photo, type_="payslip", title="Mai")
    grant = await granted(client, person, worker.headers, "payslip")
    await proved(client, person)
    export = await made(client, person)
    keys, vkey = [(await client.get(path)).content for path in ("/v1/receipt-keys", "/log/vkey")]
    data = (await taken(client, person, export["id"])).content
    origin = person.services.settings.public_url

    async with (
        another(base_settings) as there,
        httpx.AsyncClient(base_url=there.base_url, timeout=30, trust_env=False) as speaking,
    ):
        moved = await settled(there)
        done = await brought(speaking, moved, data)
        assert (done["state"], done["added"], done["not_taken"]) == ("done", 3, 0)
        assert done["summary"]["origin"] == origin != there.base_url
        papers = {one["title"]: one for one in await papers_of(speaking, moved)}
        assert papers["Mon avis"]["issued_on"] == "2026-01-05"
        for one in papers.values():
            assert one["deposited_by"] == {"kind": "owner", "imported_from": origin}
        assert await content_of(speaking, moved, papers["Mai"]) == photo
        kept = await content_of(speaking, moved, papers["Ce que j’avais donné ailleurs"])
        await check_receipts(speaking, kept, grant, keys, vkey.decode())
        await check_nothing_opened(speaking, moved, grant)
        again = await brought(speaking, moved, data)
        assert (again["added"], again["held"]) == (0, 3)


async def proved(client: httpx.AsyncClient, person: SomePerson) -> None:
    """What was recorded so far is in a signed tree."""
    line = (await log_of(client, person))[-1]["id"]

    async def is_proved() -> bool:
        path = f"/v1/access-log/{line}/proof"
        return (await client.get(path, headers=person.headers)).status_code == 200

    async with run_sequencer(person.services, EAGER):
        await until(is_proved, 20)


async def content_of(client: httpx.AsyncClient, person: SomePerson, paper: dict[str, Any]) -> bytes:
    path = f"/v1/documents/{paper['id']}/content"
    return (await client.get(path, headers=person.headers)).content


async def check_receipts(
    client: httpx.AsyncClient, kept: bytes, grant: str, keys: bytes, vkey: str
) -> None:
    """The keys of where they come from verify them, without anybody; those of here do not."""
    with pikepdf.open(io.BytesIO(kept)) as printed:
        files = printed.attachments.items()
        inside = {name: one.get_file().read_bytes() for name, one in files}
    assert verified(inside[f"{grant}.json"], keys)["dct:identifier"] == grant
    with pytest.raises(NotGenuine):
        verified(inside[f"{grant}.json"], (await client.get("/v1/receipt-keys")).content)
    lines = [raw for raw in inside["journal-events.ndjson"].splitlines() if b"inclusion" in raw]
    assert lines
    for raw in lines:
        check_receipt(raw, Verifier.parse(vkey.strip()))
    here = (await client.get("/log/vkey")).text
    with pytest.raises(NotVerified):
        check_receipt(lines[0], Verifier.parse(here.strip()))


async def check_nothing_opened(client: httpx.AsyncClient, person: SomePerson, grant: str) -> None:
    """What was given there is given to nobody here; its lines are those of papers that come in."""
    assert (await client.get("/v1/grants", headers=person.headers)).json()["items"] == []
    unknown = await client.get(f"/v1/grants/{grant}/receipt", headers=person.headers)
    assert unknown.status_code == 404
    lines = [one["action"] for one in await log_of(client, person)]
    assert (lines.count("vault.import"), lines.count("document.deposit")) == (1, 3)
