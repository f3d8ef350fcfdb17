"""What people who had never seen these pages stumbled over: each page says where one is, what is
asked for, and what becomes of it."""

import re

import httpx
import pytest

from tests.fixtures import MakePerson, MakeWorker, Served
from tests.steps import ask, deposit, granted
from tests.vault.decoding import corpus
from tests.web.pages.draft_steps import draft_of, say, send
from tests.web.pages.test_pages import a_photo, browser_of


def plain(answer: httpx.Response) -> str:
    """The page, with plain spaces."""
    return answer.text.replace("\u00a0", " ").replace("\u202f", " ")


async def test_every_step_of_a_request_can_be_refused_and_says_what_it_is_for(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    paper = await deposit(client, person, corpus.pdf(1), type_="payslip")
    first = await ask(client, worker.headers, person.phone, "payslip")
    await ask(client, worker.headers, person.phone, "rent_receipt")
    async with browser_of(served, person) as browser:
        # No is offered from the first step on, with who does not learn of it.
        begun = plain(await browser.get(f"/requests/{first}"))
        assert f'action="/requests/{first}/not-me"' in begun
        assert f'action="/requests/{first}/refuse"' in begun
        assert "Si vous dites non, Camille Moreau ne le saura pas." in begun
        asked = plain(await browser.get(f"/requests/{first}/why"))
        assert asked.index("fiche de paie") < asked.index("Non, je ne montre rien")
        for step in ("why", "papers", f"until?document={paper['id']}"):
            page = plain(await browser.get(f"/requests/{first}/{step}"))
            assert f'action="/requests/{first}/refuse"' in page
            assert "Non, je ne montre rien" in page
        # Nothing ticked: one sentence, and what to do.
        wrong = plain(await browser.get(f"/requests/{first}/until"))
        assert "Vous n’avez choisi aucun papier." in wrong
        assert "Cochez au moins un papier." in wrong
        assert "ou vous ne permettez rien" not in wrong
        # Two requests of one person are told apart where they are listed.
        for address in ("/documents", "/requests"):
            listed = plain(await browser.get(address))
            boxes = re.findall(r'<section class="waiting".*?</section>', listed, re.DOTALL)
            words = {re.sub(r"<[^>]+>|\s+", " ", box) for box in boxes}
            assert len(boxes) == len(words) == 2
            # A list, and a button each: not one long sentence.
            assert all("<li>" in box and '<a class="button main"' in box for box in boxes)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (("", "10", ""), "Il manque l’année"),
        (("3", "", "2026"), "Il manque le mois"),
        (("3", "10", ""), "Il manque l’année"),
        (("3", "", ""), "Il manque le mois"),
    ],
)
async def test_a_date_is_whole_or_nothing_and_the_picture_stands_beside(
    served: Served, make_person: MakePerson, typed: tuple[str, str, str], words: str
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        sent = await send(served, person, browser, "/documents/add?type=payslip", a_photo("white"))
        draft = draft_of(sent)
        parts = {f"issued_on_{part}": value for part, value in zip(PARTS, typed, strict=True)}
        answer = await say(served, person, browser, f"{draft}/details", **parts)
        assert answer.status_code == 422
        page = plain(answer)
        assert words in page
        assert 'href="#issued_on"' in page
        assert "Écrivez le jour, le mois et l’année. Ou n’écrivez rien." in page
        assert f'<img src="{draft}/pictures/' in page
        nothing = await say(served, person, browser, f"{draft}/details")
        assert nothing.headers["location"] == f"{draft}/check"


PARTS = ("day", "month", "year")


async def test_a_photo_is_kept_not_sent_and_the_second_is_no_first_step(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        first = plain(await browser.get("/documents/add"))
        assert "C’est la bonne photo" in first
        assert "Personne d’autre ne voit cette photo." in first
        assert "Étape 1 sur 4" in first
        titles = {
            "national_identity_card": "Le dos du papier (verso)",
            "payslip": "Ajouter une autre photo",
        }
        for type_, title in titles.items():
            sent = await send(
                served, person, browser, f"/documents/add?type={type_}", a_photo("white")
            )
            draft = draft_of(sent)
            more = plain(await browser.get(f"{draft}/pictures"))
            assert f'<h2 id="more">{title}</h2>' in more
            assert "Étape" not in more
            assert f'<img src="{draft}/pictures/' in more


async def test_a_card_has_two_sides_from_the_first_page_on(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    missing = "Il manque la photo du dos (verso)."
    async with browser_of(served, person) as browser:
        for type_, two in (("national_identity_card", True), ("payslip", False)):
            address = f"/documents/add?type={type_}"
            asked = plain(await browser.get(address))
            assert ("Prenez le devant (recto)" in asked) is two
            draft = draft_of(await send(served, person, browser, address, a_photo("white")))
            for step in ("details", "check"):
                page = plain(await browser.get(f"{draft}/{step}"))
                assert (missing in page) is two
                if step == "check":
                    assert ("Ajouter une autre photo" in page) is not two
            # With the back, nothing is missing any more.
            await send(served, person, browser, f"{draft}/pictures", a_photo("red"))
            for step in ("details", "check"):
                assert missing not in plain(await browser.get(f"{draft}/{step}"))
        # The sort is said after the photo: then the back is asked for.
        draft = draft_of(await send(served, person, browser, "/documents/add", a_photo("blue")))
        assert missing not in plain(await browser.get(f"{draft}/type"))
        said = await say(served, person, browser, f"{draft}/type", type="vitale_card")
        details = plain(await browser.get(said.headers["location"]))
    assert missing in details
    assert 'form="details" name="act" value="more"' in details


async def test_two_papers_of_one_sort_are_told_apart_by_their_own_date(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    for pages, day in ((1, "2026-09-30"), (2, "2026-10-31")):
        await deposit(client, person, corpus.pdf(pages), type_="payslip", issued_on=day)
    request = await ask(client, worker.headers, person.phone, "payslip")
    async with browser_of(served, person) as browser:
        for address in ("/documents", f"/requests/{request}/papers"):
            page = plain(await browser.get(address))
            assert "Papier du 30 septembre 2026" in page
            assert "Papier du 31 octobre 2026" in page


async def test_who_only_knows_comes_after_who_sees(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person = await make_person()
    sees, knows = await make_worker(name="Inès Martin"), await make_worker(name="Paul Petit")
    await deposit(client, person, corpus.pdf(1), type_="payslip")
    await granted(client, person, sees.headers, "payslip")
    await granted(client, person, knows.headers, "payslip", actions=["attest"])
    async with browser_of(served, person) as browser:
        page = plain(await browser.get("/grants"))
    places = [page.index(words) for words in ("Peut voir<", "Inès", "Peut seulement", "Paul")]
    assert places == sorted(places)


async def test_that_a_translation_is_unread_is_said_once_where_one_begins(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        # Spanish, with French under it.
        browser.cookies.set("unefois-language", "es")
        paths = ("/language", "/documents", "/grants", "/access-log")
        said = {path: UNREAD in (await browser.get(path)).text for path in paths}
    assert said == {"/language": True, "/documents": False, "/grants": False, "/access-log": False}


UNREAD = "Cette traduction n’a pas encore été relue"


async def test_cacher_says_what_it_does_where_one_enters(served: Served) -> None:
    cookies = {"unefois-language": "fr"}
    async with httpx.AsyncClient(base_url=served.base_url, cookies=cookies) as browser:
        page = plain(await browser.get("/"))
    assert "« Cacher » ferme ici et ouvre une autre page." in page
