"""Of whom a worker only asked whether a paper exists: each page says that, and shows no paper."""

import re

import httpx
import pytest
from sqlalchemy import text

from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson, SomeWorker
from tests.steps import approve, ask, deposit, granted
from tests.vault.decoding import corpus
from tests.web.pages.test_pages import browser_of
from tests.web.pages.test_worker_pages import adding, known_of, words
from web.pages import forms, worker_people

NOTICE = "income_tax_notice"
PRESS = "Savoir si le papier existe"
KITCHEN = {"code": "benefits", "text": "Pour la cantine"}

Two = tuple[SomePerson, SomeWorker]


@pytest.fixture
async def two(client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker) -> Two:
    """A person who has a tax notice and a pay slip, and a worker."""
    person, worker = await make_person(), await make_worker()
    await deposit(client, person, corpus.pdf(1), type_=NOTICE, issued_on="2026-05-01")
    await deposit(client, person, corpus.pdf(2), type_="payslip")
    return person, worker


async def test_an_address_does_not_say_that_an_access_was_given_back(
    served: Served, client: httpx.AsyncClient, two: Two
) -> None:
    person, worker = two
    grant = await granted(client, person, worker.headers, NOTICE)
    async with browser_of(served, worker) as browser:
        for of in ("", f"&of={grant}"):
            told = words(await browser.get(f"/pro/people?done=given_back{of}"))
            assert "L’accès est rendu" not in told, of


async def given_back(served: Served, worker: SomeWorker, grant: str) -> tuple[str, str]:
    """The page that asks whether to, and the one after it."""
    address = f"/pro/grants/{grant}/give-back"
    token = await forms.token_for(served.services, worker.token)
    async with browser_of(served, worker) as browser:
        before = await browser.get(address)
        done = await browser.post(address, data={"form": token})
        assert done.status_code == 303
        after = await browser.get(done.headers["location"])
    return words(before), words(after)


def main_of(page: httpx.Response) -> str:
    return page.text.partition("<main")[2].partition("</main>")[0]


@pytest.mark.parametrize(
    ("action", "will", "does"),
    [
        ("attest", "Vous ne pourrez plus savoir", "Vous ne pouvez plus savoir"),
        ("read", "Vous ne verrez plus ces papiers.", "Vous ne voyez plus ces papiers."),
        ("deposit", "Vous ne pourrez plus ajouter", "Vous ne pouvez plus ajouter"),
    ],
)
async def test_what_stops_with_an_access_is_said_by_what_it_allowed(
    served: Served, client: httpx.AsyncClient, two: Two, action: str, will: str, does: str
) -> None:
    person, worker = two
    grant = await granted(client, person, worker.headers, NOTICE, actions=[action])
    both = ["read", "deposit"]
    await granted(client, person, worker.headers, "payslip", purpose=KITCHEN, actions=both)
    before, after = await given_back(served, worker, grant)
    assert will in before
    assert does in after
    assert "L’accès est rendu." in after
    for page in (before, after):
        assert "Un autre accord continue" not in page
        assert ("ces papiers existent" in page) is (action == "attest")
        assert ("voyez plus" in page or "verrez plus" in page) is (action == "read")


@pytest.mark.parametrize(
    ("action", "others", "said"),
    [
        ("read", ["read"], "Il peut montrer les mêmes papiers"),
        ("attest", ["read"], "Il peut dire si les mêmes papiers existent"),
        ("attest", ["attest"], "Il peut dire si les mêmes papiers existent"),
        ("deposit", ["deposit"], "Vous pouvez encore ajouter des papiers"),
    ],
)
async def test_another_agreement_that_goes_on_is_named_with_its_end(
    served: Served,
    client: httpx.AsyncClient,
    two: Two,
    action: str,
    others: list[str],
    said: str,
) -> None:
    person, worker = two
    grant = await granted(client, person, worker.headers, NOTICE, actions=[action])
    await granted(client, person, worker.headers, NOTICE, purpose=KITCHEN, actions=others)
    for page in await given_back(served, worker, grant):
        assert re.search(rf"{said} : .*Pour la cantine.*?, jusqu’au \d", page), page
        assert "ne voyez plus" not in page
        assert "ne verrez plus" not in page
        assert "plus savoir" not in page


async def test_a_paper_that_was_picked_may_be_of_a_kind_that_another_agreement_names(
    served: Served, client: httpx.AsyncClient, two: Two
) -> None:
    """The worker learns nothing of which papers these are: whether it is so is not said."""
    person, worker = two
    slip = await deposit(client, person, corpus.pdf(4), type_="payslip")
    request = await ask(client, worker.headers, person.phone, "payslip", purpose=KITCHEN)
    picked = {"document_types": [], "document_ids": [slip["id"]]}
    await approve(client, person, request, scope=picked)
    grant = await granted(client, person, worker.headers, NOTICE)
    for page in await given_back(served, worker, grant):
        assert re.search(r"Il peut montrer les mêmes papiers : .*Pour la cantine", page)


async def test_of_papers_that_were_picked_only_the_same_go_on(
    served: Served, client: httpx.AsyncClient, two: Two
) -> None:
    person, worker = two
    given = []
    for number, purpose in ((4, None), (5, KITCHEN)):
        slip = await deposit(client, person, corpus.pdf(number), type_="payslip")
        more = {} if purpose is None else {"purpose": purpose}
        request = await ask(client, worker.headers, person.phone, "payslip", **more)
        picked = {"document_types": [], "document_ids": [slip["id"]]}
        given.append((await approve(client, person, request, scope=picked))["id"])
    why = {"code": "housing", "text": "Pour le logement"}
    request = await ask(client, worker.headers, person.phone, "payslip", purpose=why)
    await approve(client, person, request, scope=picked)
    for page in await given_back(served, worker, given[0]):
        assert "Un autre accord continue" not in page
    for page in await given_back(served, worker, given[1]):
        assert re.search(r"Il peut montrer les mêmes papiers : .*Pour le logement", page)


async def test_of_a_list_of_several_pages_the_papers_that_were_picked_are_counted(
    served: Served, client: httpx.AsyncClient, two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By their names, those of the other pages would be left out."""
    person, worker = two
    slips = [
        await deposit(client, person, corpus.pdf(number), type_="payslip") for number in (4, 5)
    ]
    request = await ask(client, worker.headers, person.phone, "payslip")
    picked = {"document_types": [], "document_ids": [one["id"] for one in slips]}
    await approve(client, person, request, scope=picked)
    theirs = f"/pro/people/{await known_of(client, worker)}"
    async with browser_of(served, worker) as browser:
        for limit, counted in ((50, False), (1, True)):
            monkeypatch.setattr(worker_people, "LIMIT", limit)
            page = words(await browser.get(theirs)).split("Accords en cours")[1]
            assert ("2 papiers choisis" in page) is counted


async def test_to_add_all_sorts_goes_on_where_to_add_some_ends(
    served: Served, client: httpx.AsyncClient, two: Two
) -> None:
    person, worker = two
    some = await adding(client, person, worker, NOTICE)
    every = await adding(client, person, worker)
    for page in await given_back(served, worker, some):
        assert "Vous pouvez encore ajouter des papiers" in page
    for page in await given_back(served, worker, every):
        assert "Un autre accord continue" not in page


async def test_what_only_says_that_a_paper_exists_keeps_nobody_seeing_it(
    served: Served, client: httpx.AsyncClient, two: Two, make_person: MakePerson
) -> None:
    """Nor does what somebody else gave; of an access that was not given back, nothing is said."""
    person, worker = two
    stranger = await make_person()
    grant = await granted(client, person, worker.headers, NOTICE)
    live = await granted(client, person, worker.headers, NOTICE, actions=["attest"])
    await granted(client, stranger, worker.headers, NOTICE)
    for page in await given_back(served, worker, grant):
        assert "Un autre accord continue" not in page
        assert re.search("Vous ne (voyez|verrez) plus ces papiers", page)
    async with browser_of(served, worker) as browser:
        told = words(await browser.get(f"/pro/people?done=given_back&of={live}"))
    assert "Vous ne pouvez plus" not in told


async def test_what_somebody_else_gave_is_not_opened_for_a_page(
    served: Served, client: httpx.AsyncClient, two: Two, make_person: MakePerson
) -> None:
    """A worker of years has thousands that ended; and one row that was changed without the key kept
    every page of every grant from being shown."""
    person, worker = two
    stranger = await make_person()
    grant = await granted(client, person, worker.headers, NOTICE, actions=["attest", "deposit"])
    await granted(client, person, worker.headers, NOTICE, purpose=KITCHEN)
    ended = await granted(client, stranger, worker.headers, NOTICE)
    await client.post(f"/v1/grants/{ended}/revoke", headers=stranger.headers)
    change = text('UPDATE unefois."grant" SET mac = NULL WHERE id = :id')
    async with served.services.database.transaction() as tx:
        await tx.execute(change, {"id": ended})
    async with browser_of(served, worker) as browser:
        for end in ("", "/add", f"/evidence?type={NOTICE}", "/give-back"):
            page = await browser.get(f"/pro/grants/{grant}{end}")
            assert page.status_code == 200, end
    assert "Pour la cantine" in page.text


async def test_the_page_of_an_agreement_is_called_by_what_it_allows(
    served: Served, client: httpx.AsyncClient, two: Two
) -> None:
    person, worker = two
    knows = await granted(client, person, worker.headers, NOTICE, actions=["attest"])
    sees = await granted(client, person, worker.headers, "payslip", actions=["read", "attest"])
    async with browser_of(served, worker) as browser:
        pages = [await browser.get(f"/pro/grants/{grant}") for grant in (knows, sees)]
    titles = [re.findall(r"<h1>(.*?)</h1>", page.text)[0] for page in pages]
    assert titles == [
        "Savoir si les papiers existent, et leurs dates, sans les voir", "Voir les papiers"
    ]  # fmt: skip
    main = main_of(pages[0])
    assert main.index(PRESS) < main.index("Avis d’impôt", main.index(PRESS))
    assert main.index("Jusqu’au") < main.index(PRESS)
    assert "/give-back" in main
    assert "copie" not in main
    assert "copie" in main_of(pages[1])


async def test_of_papers_that_were_picked_the_page_asks_for_the_kinds_of_its_list(
    served: Served, client: httpx.AsyncClient, two: Two
) -> None:
    person, worker = two
    notice = await deposit(client, person, corpus.pdf(3), type_=NOTICE)
    request = await ask(client, worker.headers, person.phone, NOTICE, actions=["attest"])
    picked = {"document_types": [], "document_ids": [notice["id"]]}
    grant = (await approve(client, person, request, scope=picked))["id"]
    async with browser_of(served, worker) as browser:
        asked = main_of(await browser.get(f"/pro/requests/{request}"))
        assert f'href="/pro/grants/{grant}"' in asked
        assert PRESS in asked
        page = main_of(await browser.get(f"/pro/grants/{grant}"))
        assert f'name="type" value="{NOTICE}"' in page
        answer = await browser.get(f"/pro/grants/{grant}/evidence?type={NOTICE}")
    assert "Oui, la personne a ce papier." in answer.text


async def test_after_the_yes_the_answer_is_one_press_away(
    served: Served, client: httpx.AsyncClient, two: Two
) -> None:
    """On the page of the request and on the person's: nothing to unfold, nothing to tick."""
    person, worker = two
    request = await ask(client, worker.headers, person.phone, NOTICE, actions=["attest"])
    grant = (await approve(client, person, request))["id"]
    theirs = f"/pro/people/{await known_of(client, worker)}"
    async with browser_of(served, worker) as browser:
        for address in (f"/pro/requests/{request}", theirs):
            page = main_of(await browser.get(address))
            form = page[page.index(f'action="/pro/grants/{grant}/evidence"') :]
            form = form.partition("</form>")[0]
            assert f'<input type="hidden" name="type" value="{NOTICE}">' in form
            assert "checkbox" not in form
            assert PRESS in form
            assert "<details" not in page[: page.index(form)].split("</details>")[-1]
        asked = words(await browser.get(f"/pro/requests/{request}"))
        assert "Voir ses papiers" not in asked
        assert re.search(r"Accord donné Jusqu’au \d", asked)
        await given_back(served, worker, grant)
        ended = words(await browser.get(f"/pro/requests/{request}"))
    assert "Vous avez rendu cet accès le" in ended
    assert PRESS not in ended


async def test_above_the_way_to_open_a_paper_stands_only_what_opens_it(
    served: Served, client: httpx.AsyncClient, two: Two
) -> None:
    person, worker = two
    await granted(client, person, worker.headers, NOTICE, actions=["attest"], purpose=KITCHEN)
    theirs = f"/pro/people/{await known_of(client, worker)}"
    async with browser_of(served, worker) as browser:
        alone = words(await browser.get(theirs)).split("Ses papiers")[1].split("Accords en")[0]
        why = {"code": "housing", "text": "Pour le logement"}
        await granted(client, person, worker.headers, NOTICE, purpose=why)
        both = words(await browser.get(theirs)).split("Ses papiers")[1].split("Accords en")[0]
    assert "Pour la cantine" in alone
    assert "Voir à l’écran" not in alone
    assert "Pour le logement" in both.split("Voir à l’écran")[0]
    assert "Pour la cantine" not in both


async def test_the_person_reads_beside_the_title_what_is_seen_already(
    served: Served, client: httpx.AsyncClient, two: Two
) -> None:
    person, worker = two
    why = {"code": "housing", "text": "Pour le logement"}
    await granted(client, person, worker.headers, NOTICE, purpose=why)
    request = await ask(client, worker.headers, person.phone, NOTICE, actions=["attest"])
    async with browser_of(served, person) as browser:
        covers = (await browser.get(f"/requests/{request}/papers")).text
        paper = re.findall(r'name="document" value="([^"]+)"', covers)[0]
        at = f"/requests/{request}"
        until = words(await browser.get(f"{at}/until?document={paper}"))
        check = await browser.get(f"{at}/check?document={paper}&duration=asked")
        reading = await ask(client, worker.headers, person.phone, NOTICE)
        shows = words(await browser.get(f"/requests/{reading}/until?document={paper}"))
    said = re.sub("[\u2066-\u2069]", "", words(check))
    title, already, rest = said.partition("Camille Moreau voit déjà, jusqu’au")
    assert "Avec ce oui, Camille Moreau ne le voit pas." in title
    assert already
    assert rest.index("Pour le logement") < rest.index("Cela ne change pas.") < rest.index("Qui ")
    assert "dire aussi que je les ai, sans les montrer" in until
    assert "les montrer aussi" not in until
    assert "les montrer aussi" in shows


async def test_the_answer_says_of_whom_under_which_agreement_and_what_it_is_not(
    served: Served, client: httpx.AsyncClient, two: Two
) -> None:
    person, worker = two
    grant = await granted(
        client, person, worker.headers, NOTICE, actions=["attest"], purpose=KITCHEN
    )
    body = {"label": "Madame Lune"}
    shown = await known_of(client, worker)
    await client.patch(f"/v1/people/{shown}", headers=worker.headers, json=body)
    async with browser_of(served, worker) as browser:
        page = await browser.get(f"/pro/grants/{grant}/evidence?type={NOTICE}")
    told = re.sub("[\u2066-\u2069]", "", words(page))
    assert re.search(r"La personne Madame Lune L’accord .*Pour la cantine.*, jusqu’au \d", told)
    assert "Sorte de papier Avis d’impôt" in told
    assert "Vérifié non Aucune administration ne l’a envoyé ou confirmé." in told
    assert "Il n’est pas la preuve que le papier existe." in told


@pytest.mark.parametrize("action", ["attest", "read", "deposit"])
async def test_the_line_above_a_page_says_what_one_looks_at_there(
    served: Served, client: httpx.AsyncClient, two: Two, action: str
) -> None:
    person, worker = two
    grant = await granted(client, person, worker.headers, NOTICE, actions=[action])
    seen = f"/v1/grants/{grant}/documents"
    listed = (await client.get(seen, headers=worker.headers)).json()
    papers = [f"/documents/{one['id']}" for one in listed.get("items", [])]
    assert len(papers) == (0 if action == "deposit" else 1)
    asked = [] if action == "deposit" else [f"/evidence?type={NOTICE}"]
    opened = "/add" if action == "deposit" else ""
    async with browser_of(served, worker) as browser:
        pages = {
            end: _top(await browser.get(f"/pro/grants/{grant}{end}"))
            for end in (opened, "/give-back", *papers, *asked)
        }
    reads, knows = "Vous regardez les papiers de :", "Vous regardez seulement si des papiers"
    for end, top in pages.items():
        assert (reads in top) is (action == "read" and end in {"", *papers}), end
        alone = action == "attest" and end in {"", *papers}
        assert (knows in top) is (end in asked or alone), end


def _top(page: httpx.Response) -> str:
    """The line of a page that says whose papers these are."""
    assert page.status_code == 200
    line: str = re.findall(r'<p class="whom">.*?</p>', page.text)[0]
    return line.replace("\xa0", " ")
