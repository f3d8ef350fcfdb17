"""Stopping one of several agreements: what stops, what goes on; and what a request asks for."""

import httpx
import pytest

from tests.fixtures import MakePerson, MakeWorker, Served
from tests.steps import ask, granted
from tests.web.pages.test_pages import browser_of
from web.pages import forms

NOTHING_LEFT = "ne pourra plus rien voir"


async def test_one_of_two_stops_and_the_other_is_named(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker, colleague = await make_person(), await make_worker(), await make_worker()
    first = await granted(client, person, worker.headers, "payslip")
    second = await granted(client, person, worker.headers, "rent_receipt")
    await granted(client, person, colleague.headers, "passport")
    async with browser_of(served, person) as browser:
        page = (await browser.get(f"/grants/{first}/stop")).text
        stops, goes_on = page.split("Ce qui continue")
        assert "fiche de paie" in stops
        assert "quittance" in goes_on
        assert "asseport" not in page, "somebody else's"
        assert NOTHING_LEFT not in page
        token = await forms.token_for(served.services, person.token)
        stopped = await browser.post(f"/grants/{first}/stop", data={"form": token})
        said = (await browser.get(stopped.headers["location"])).text
        assert "a encore un accord" in said
        assert "plus rien voir" not in said
        # The last one: now it is true.
        page = (await browser.get(f"/grants/{second}/stop")).text
        assert NOTHING_LEFT in page
        _, goes_on = page.split("Ce qui continue")
        assert "rien ne change" in goes_on, "for the other person"
        assert "quittance" not in goes_on
        stopped = await browser.post(f"/grants/{second}/stop", data={"form": token})
        assert "plus rien voir" in (await browser.get(stopped.headers["location"])).text


async def test_the_agreements_of_one_person_stand_together_each_with_its_own_stop(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker, colleague = await make_person(), await make_worker(), await make_worker()
    mine = [
        await granted(client, person, worker.headers, "payslip"),
        await granted(client, person, worker.headers, "passport", actions=["attest"]),
        await granted(client, person, worker.headers, actions=["deposit"]),
    ]
    other = await granted(client, person, colleague.headers, "passport", actions=["attest"])
    async with browser_of(served, person) as browser:
        page = (await browser.get("/grants")).text
    cards = [card.split("</section>")[0] for card in page.split('<section class="card">')[1:]]
    assert len(cards) == 2, "one box a person"
    theirs, others = cards
    assert all(f'href="/grants/{grant}/stop"' in theirs for grant in mine)
    assert theirs.count('<li class="one">') == len(mine)
    assert "Tout ce que Camille Moreau peut voir ou faire est ici." in theirs
    assert "accords" not in theirs, "papers are spoken of, not how many times one said yes"
    assert "Peut seulement savoir" in theirs
    assert theirs.index(mine[0]) < theirs.index(mine[1]) < theirs.index(mine[2])
    assert f'href="/grants/{other}/stop"' in others
    assert "Tout ce que" not in others
    # What a person has most of is the heading that they stand under.
    assert page.index("Peut voir") < page.index(mine[0]) < page.index(other)


@pytest.mark.parametrize(
    ("action", "asked", "ended"),
    [
        ("read", "Ne plus rien montrer à Camille Moreau", "ne peut plus rien voir"),
        ("attest", "Ne plus rien confirmer à Camille Moreau", "Nous ne confirmons plus rien à"),
        ("deposit", "Ne plus laisser Camille Moreau ajouter", "ne peut plus ajouter de papiers"),
    ],
)
async def test_what_stops_is_said_as_what_it_was_and_what_waits_is_not_forgotten(
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    action: str,
    asked: str,
    ended: str,
) -> None:
    person, worker, colleague = await make_person(), await make_worker(), await make_worker()
    types = [] if action == "deposit" else ["payslip"]
    grants = [
        await granted(client, person, one.headers, *types, actions=[action])
        for one in (worker, colleague)
    ]
    token = await forms.token_for(served.services, person.token)
    nothing, theirs, another = (
        "Vous n’avez rien d’autre à faire.",
        "Mais une demande de Camille Moreau attend encore votre réponse.",
        "Une autre demande attend encore votre réponse.",
    )

    async def said(browser: httpx.AsyncClient, address: str) -> list[str]:
        page = (await browser.get(address)).text.replace("\xa0", " ")
        assert ended in page
        return [words for words in (nothing, theirs, another) if words in page]

    async with browser_of(served, person) as browser:
        first, second = grants
        assert asked in (await browser.get(f"/grants/{first}/stop")).text.replace("\xa0", " ")
        stopped = await browser.post(f"/grants/{first}/stop", data={"form": token})
        done = stopped.headers["location"]
        assert await said(browser, done) == [nothing]
        await ask(client, worker.headers, person.phone, "passport")
        assert await said(browser, done) == [theirs]
        stopped = await browser.post(f"/grants/{second}/stop", data={"form": token})
        assert await said(browser, stopped.headers["location"]) == [another]


async def test_two_that_go_on_are_not_called_one(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    first = await granted(client, person, worker.headers, "payslip")
    for type_ in ("rent_receipt", "income_tax_notice"):
        await granted(client, person, worker.headers, type_)
    async with browser_of(served, person) as browser:
        page = (await browser.get(f"/grants/{first}/stop")).text
    assert "a aussi d’autres accords. Ils ne s’arrêtent pas." in page
    assert "un autre accord" not in page


async def test_a_request_to_know_does_not_read_as_one_to_see(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    asked = {
        "read": "demande à voir des papiers",
        "attest": "demande si vous avez des papiers, sans les voir",
        "deposit": "demande à ajouter des papiers",
    }
    worker = await make_worker()
    for action, words in asked.items():
        person = await make_person()
        await ask(client, worker.headers, person.phone, "payslip", actions=[action])
        async with browser_of(served, person) as browser:
            for address in ("/documents", "/requests"):
                text = (await browser.get(address)).text
                assert [one for one in asked.values() if one in text] == [words]


async def test_a_link_to_the_quick_exit_leads_elsewhere_and_ends_nothing(
    served: Served, make_person: MakePerson
) -> None:
    async with browser_of(served, await make_person()) as browser:
        left = await browser.get("/quick-exit")
        assert left.headers["location"] == served.services.settings.quick_exit_url
        assert left.headers["referrer-policy"] == "no-referrer"
        assert "set-cookie" not in left.headers
        assert (await browser.get("/documents")).status_code == 200


async def test_a_page_that_is_not_there_has_a_heading(client: httpx.AsyncClient) -> None:
    page = await client.get("/nowhere")
    assert page.text.count("<h1>") == 1
    assert "Page introuvable</h1>" in page.text
