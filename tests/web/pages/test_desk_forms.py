"""A form of the desk that is sent again, once the card that it made was ended: no second vault."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text

from auth import administration, cleanup, desk_vaults, pin_hashes
from tests.auth.means_steps import bearer, enter
from tests.fixtures import MakeWorker, MoveClock, Served, SomeWorker
from tests.web.api.test_printed_cards import code_on
from tests.web.pages.answers import Pairs, send, yes_of
from tests.web.pages.test_desk_vaults import AT, PIN, walk
from tests.web.pages.test_own_means import said
from tests.web.pages.test_pages import browser_of
from vault.services import Services
from web.pages import desk_visits


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a PIN costs to guess is not tested here."""
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


@pytest.fixture
async def worker(services: Services, make_worker: MakeWorker) -> SomeWorker:
    """Of a structure that opens vaults."""
    made = await make_worker()
    await administration.let_open_vaults(services, made.organisation_id, allowed=True)
    return made


async def vaults(services: Services) -> int:
    async with services.database.transaction() as tx:
        return int((await tx.execute(text("SELECT count(*) FROM unefois.person"))).scalar_one())


async def tags_of_forms(services: Services) -> set[bytes]:
    async with services.database.transaction() as tx:
        found = await tx.execute(text("SELECT form_tag FROM unefois.desk_form"))
        return {row.form_tag for row in found}


async def end_card(client: httpx.AsyncClient, code: str) -> None:
    """Its person replaces it."""
    person = bearer(await enter(client, code, PIN))
    (card,) = (await client.get("/v1/me/means", headers=person)).json()["items"]
    proof = {"card": code, "pin": PIN}
    body = {"pin": PIN, "again": PIN, "replaces": card["id"], "proof": proof}
    assert (await client.post("/v1/me/cards", headers=person, json=body)).status_code == 201


async def opened(at_work: httpx.AsyncClient) -> tuple[Pairs, str]:
    """A vault is opened and its card printed: the form that did it, and the code."""
    pages = await walk(at_work, "sheet.pdf")
    asked = next(page for page in pages if f'action="{AT}/open"' in page.text)
    form = [*yes_of(asked.text, f"{AT}/open"), ("pin", PIN), ("again", PIN)]
    return form, code_on(pages[-1].content)


async def test_it_opens_nothing_and_says_so(
    served: Served,
    client: httpx.AsyncClient,
    services: Services,
    worker: SomeWorker,
    moved_clock: MoveClock,
) -> None:
    async with browser_of(served, worker) as at_work:
        form, code = await opened(at_work)
        before = await vaults(services)
        again = await send(at_work, f"{AT}/open", form)
        assert "Votre code secret était déjà choisi" in said(again), "the card is still there"
        await end_card(client, code)
        # Whatever is swept meanwhile: half an hour is not over.
        await cleanup.delete_expired(services)
        moved_clock(desk_visits.LIFE - timedelta(minutes=1))
        await cleanup.delete_expired(services)
        for _ in range(2):
            refused = await send(at_work, f"{AT}/open", form)
            assert refused.status_code == 409
            assert "Elle a ouvert un endroit, et sa carte a été arrêtée depuis" in said(refused)
            assert "Recommencez avec la personne" in said(refused)
        assert await vaults(services) == before
        assert (await enter(client, code, PIN)).status_code == 401
        # Another visit opens another vault.
        assert (await walk(at_work, "print"))[-1].status_code == 200
        assert await vaults(services) == before + 1


async def test_of_two_at_once_neither_opens_another(
    served: Served, client: httpx.AsyncClient, services: Services, worker: SomeWorker
) -> None:
    async with browser_of(served, worker) as at_work, browser_of(served, worker) as beside:
        form, code = await opened(at_work)
        await end_card(client, code)
        before = await vaults(services)
        # A browser each: of two windows of one, what went wrong is said in the first that asks.
        both = await asyncio.gather(*(send(at, f"{AT}/open", form) for at in (at_work, beside)))
        assert [one.status_code for one in both] == [409, 409]
        assert await vaults(services) == before


async def test_one_that_is_sent_while_the_first_opens_finds_what_it_made(
    served: Served,
    client: httpx.AsyncClient,
    services: Services,
    worker: SomeWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both passed the first look; between them the card was ended: the lock decides."""
    looked = desk_vaults._made
    looks: list[str | None] = []

    async def as_before(*args: object) -> object:
        looks.append(None)
        return None if len(looks) == 1 else await looked(*args)  # type: ignore[arg-type]

    async with browser_of(served, worker) as at_work:
        form, code = await opened(at_work)
        await end_card(client, code)
        before = await vaults(services)
        monkeypatch.setattr(desk_vaults, "_made", as_before)
        assert (await send(at_work, f"{AT}/open", form)).status_code == 409
        assert len(looks) == 2
        assert await vaults(services) == before


async def test_what_a_refused_pin_sent_is_no_form_that_opened(
    served: Served, worker: SomeWorker
) -> None:
    async with browser_of(served, worker) as at_work:
        asked = (await walk(at_work, "pin"))[-1]
        fields = yes_of(asked.text, f"{AT}/open")
        weak = [*fields, ("pin", "123456"), ("again", "123456")]
        assert (await send(at_work, f"{AT}/open", weak)).status_code == 422
        good = [*fields, ("pin", PIN), ("again", PIN)]
        assert (await send(at_work, f"{AT}/open", good)).status_code == 200


async def test_what_is_kept_says_nothing_and_goes(
    served: Served,
    client: httpx.AsyncClient,
    services: Services,
    worker: SomeWorker,
    moved_clock: MoveClock,
) -> None:
    before = await tags_of_forms(services)
    async with browser_of(served, worker) as at_work:
        await opened(at_work)
    (tag,) = await tags_of_forms(services) - before
    async with services.database.transaction() as tx:
        (row, *_) = (await tx.execute(text("SELECT * FROM unefois.desk_form"))).all()
        cards = (await tx.execute(text("SELECT code_tag, secret_tag FROM unefois.card"))).all()
    assert {*row._fields} == {"form_tag", "sent_at"}
    assert tag not in {one for card in cards for one in card}
    assert desk_vaults.FORMS_KEPT > desk_visits.LIFE, "as long as it can be sent"
    moved_clock(desk_vaults.FORMS_KEPT + timedelta(minutes=1))
    assert (await cleanup.delete_expired(services))["desk_forms"] >= 1
    assert tag not in await tags_of_forms(services)
