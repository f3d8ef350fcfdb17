"""The form in which a worker asks: its order, what it begins with, what is said before it goes."""

import re

import httpx
import pytest
from sqlalchemy import text

from tests.assisted import gift
from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson, SomeWorker
from tests.steps import approve, ask, deposit, granted
from tests.vault.decoding import corpus
from tests.web.pages.answers import send, yes_of
from tests.web.pages.test_pages import browser_of
from tests.web.pages.test_worker_forms import asked
from tests.web.pages.test_worker_pages import adding, known_of, words

KITCHEN = {"code": "benefits", "text": "Pour la cantine"}
ALREADY = "vous a déjà dit oui"
NUMBER = "06 12 34 56 78"
Two = tuple[SomePerson, SomeWorker]


async def test_a_request_is_asked_in_the_order_in_which_one_thinks_and_for_the_least(
    served: Served, make_worker: MakeWorker
) -> None:
    worker = await make_worker()
    every = ["attest", "read", "deposit"]
    async with browser_of(served, worker) as browser:
        page = (await browser.get("/pro/requests/new")).text
        least = await asked(served, worker, browser, phone=NUMBER, action="attest")
        more = await asked(served, worker, browser, phone=NUMBER, action=every)
        more_first = (await browser.get("/pro/requests/new?action=read")).text
    assert "Le moins est déjà coché" in page
    assert "Le moins est déjà coché" not in more_first
    form = page[page.index('action="/pro/requests/new"') :]
    names = dict.fromkeys(re.findall(r'<(?:input|select|textarea)[^>]* name="([a-z_]+)"', form))
    wanted = ["phone", "purpose_code", "purpose", "type", "action", "duration", "may_store"]
    assert [name for name in names if name in wanted] == wanted
    assert re.findall(r'name="action" value="(\w+)"( checked)?', form) == [
        ("attest", " checked"), ("read", ""), ("deposit", "")
    ]  # fmt: skip
    # To see is to know: whoever ticks more leaves nobody a choice between two words for one thing.
    knows, sees = "savoir si vous avez ces papiers", "voir ces papiers"
    assert knows in least.text
    assert sees not in least.text
    warned = "Vous ne pourrez pas ouvrir ces papiers"
    assert least.text.index(warned) < least.text.index("Envoyer la demande"), "beside the button"
    assert warned not in more.text
    assert knows not in more.text
    assert sees in more.text
    assert "ajouter des papiers pour vous" in more.text


@pytest.fixture
async def two(make_person: MakePerson, make_worker: MakeWorker) -> Two:
    return await make_person(), await make_worker()


@pytest.mark.parametrize(
    ("has", "wanted", "said"),
    [
        (["read"], "read", "Voir les papiers : Bulletin de salaire"),
        (["read"], "attest", "Voir les papiers : Bulletin de salaire"),
        (["attest"], "attest", "sans les voir : Bulletin de salaire"),
        (["deposit"], "deposit", "Ajouter des papiers pour la personne : Bulletin de salaire"),
        (["attest"], "read", ""),
        (["deposit"], "read", ""),
        (["read"], "deposit", ""),
    ],
)
async def test_an_agreement_that_already_allows_it_is_named_before_a_request_goes(
    served: Served, client: httpx.AsyncClient, two: Two, has: list[str], wanted: str, said: str
) -> None:
    """With its end, and the way to it: by the person's page, or by the number alone."""
    person, worker = two
    grant = await granted(
        client, person, worker.headers, "payslip", "lease", actions=has, purpose=KITCHEN
    )
    shown = await known_of(client, worker)
    async with browser_of(served, worker) as browser:
        for known in (shown, None):
            page = await asked(
                served, worker, browser, phone=person.phone, person=known, action=wanted
            )
            told = words(page).split("Ce que la personne lira")[0]
            assert (ALREADY in told) is bool(said)
            assert re.search(rf"Pour la cantine.* {said} .*?Jusqu’au \d", told) or not said
            assert "Bail" not in told
            assert (f'href="/pro/grants/{grant}' in page.text) is bool(said)
    if said:
        async with browser_of(served, worker) as browser:
            (link,) = re.findall(rf'href="(/pro/grants/{grant}[^"]*)"', page.text)
            assert (await browser.get(link)).status_code == 200


async def test_of_papers_that_were_picked_only_what_was_asked_is_said(
    served: Served, client: httpx.AsyncClient, two: Two
) -> None:
    """Which kinds they are is told where it is recorded, not here: the person picked a lease."""
    person, worker = two
    slip = await deposit(client, person, corpus.pdf(1), type_="payslip")
    request = await ask(client, worker.headers, person.phone, "payslip", "lease")
    await approve(
        client, person, request, scope={"document_types": [], "document_ids": [slip["id"]]}
    )
    before = await client.get("/v1/access-log", headers=person.headers)
    async with browser_of(served, worker) as browser:
        told = {
            code: words(await asked(served, worker, browser, phone=person.phone, type=code))
            for code in ("payslip", "lease", "rent_receipt")
        }
    for code in ("payslip", "lease"):
        assert "La personne a choisi les papiers un par un : regardez lesquels." in told[code]
    assert ALREADY not in told["rent_receipt"]
    # Nothing was looked at, and nothing is recorded.
    after = await client.get("/v1/access-log", headers=person.headers)
    assert len(after.json()["items"]) == len(before.json()["items"])


async def test_nothing_is_said_of_what_ended_nor_of_anybody_else(
    served: Served, client: httpx.AsyncClient, two: Two, make_person: MakePerson,
    make_worker: MakeWorker,
) -> None:  # fmt: skip
    """Of an agreement that was stopped, another worker's, another person's, a number of another."""
    person, worker = two
    other, colleague = await make_person(), await make_worker()
    await granted(client, person, colleague.headers, "payslip")
    await granted(client, other, worker.headers, "lease")
    ended = await granted(client, person, worker.headers, "payslip")
    shown = {one["phone"]: one["id"] for one in await _people(client, worker)}
    await client.post(f"/v1/grants/{ended}/revoke", headers=person.headers)
    async with browser_of(served, worker) as browser:

        async def told(**fields: str) -> str:
            return words(await asked(served, worker, browser, **fields))

        for known in ({}, {"person": shown[person.phone]}):
            assert ALREADY not in await told(phone=person.phone, **known)
        assert ALREADY not in await told(phone=NUMBER, type="lease")
        lease = {"type": "lease", "person": shown[other.phone]}
        assert ALREADY in await told(phone=other.phone, **lease)
        assert ALREADY not in await told(phone=person.phone, **lease)


async def test_a_row_of_somebody_else_that_was_changed_keeps_no_request_from_being_read_again(
    served: Served, client: httpx.AsyncClient, two: Two, make_person: MakePerson
) -> None:
    person, worker = two
    await granted(client, person, worker.headers, "payslip")
    shown = await known_of(client, worker)
    other = await granted(client, await make_person(), worker.headers, "payslip")
    change = text('UPDATE unefois."grant" SET mac = NULL WHERE id = :id')
    async with served.services.database.transaction() as tx:
        await tx.execute(change, {"id": other})
    async with browser_of(served, worker) as browser:
        page = await asked(served, worker, browser, phone=person.phone, person=shown)
    assert ALREADY in words(page)


async def test_to_add_every_sort_is_said_of_each_that_is_asked_for(
    served: Served, client: httpx.AsyncClient, two: Two
) -> None:
    person, worker = two
    await adding(client, person, worker)
    adds = "Ajouter des papiers pour la personne"
    async with browser_of(served, worker) as browser:
        for type_, said in (("lease", f"{adds} : Bail"), (None, f"{adds} Jusqu’au")):
            page = await asked(
                served, worker, browser, phone=person.phone, type=type_, action="deposit"
            )
            assert said in words(page).split("Ce que la personne lira")[0]


async def test_a_paper_that_was_given_with_the_right_to_add_is_no_other_one(
    served: Served, client: httpx.AsyncClient, two: Two
) -> None:
    """Whoever may see one payslip, and add any paper, sees no lease."""
    person, worker = two
    await granted(client, person, worker.headers, "rent_receipt")
    slip = await deposit(client, person, corpus.pdf(1), type_="payslip")
    one = {"document_types": [], "document_ids": [slip["id"]], "actions": ["read", "deposit"]}
    given = await client.post("/v1/grants", headers=person.headers, json=gift(worker, scope=one))
    assert given.status_code == 201, given.text
    async with browser_of(served, worker) as browser:
        page = await asked(
            served, worker, browser, phone=person.phone, type="lease", action=["read", "deposit"]
        )
    assert ALREADY not in words(page)


@pytest.mark.parametrize("way", ["/pro/requests/send", "/pro/mandates/send"])
async def test_a_page_that_something_else_was_sent_with_says_so_and_serves_the_next_time(
    served: Served, make_worker: MakeWorker, way: str
) -> None:
    """« Back » after sending, then a correction: no word of files, and no way in a circle."""
    worker = await make_worker()
    async with browser_of(served, worker) as browser:
        page = (await asked(served, worker, browser, phone=NUMBER, once="of-one-page")).text
        kept = yes_of(page, "/pro/requests/send")
        if "mandates" in way:
            gathered = await send(browser, "/pro/mandates/new", kept)
            kept = [*yes_of(gathered.text, way), ("mandate_language", "fr")]
        assert (await send(browser, way, kept)).is_redirect
        other = [(name, value.replace("payslip", "lease")) for name, value in kept]
        told = await send(browser, way, other)
        assert told.status_code == 422
        assert "Autre chose est déjà parti avec cette page." in words(told)
        assert "Choisissez son fichier" not in words(told)
        (once,) = set(re.findall(r'name="once" value="([^"]+)"', told.text))
        next_time = [(name, once if name == "once" else value) for name, value in other]
        assert (await send(browser, way, next_time)).is_redirect
        sent = (await browser.get("/v1/consent-requests", headers=worker.headers)).json()["items"]
    assert [one["scope"]["document_types"] for one in sent] == [["lease"], ["payslip"]]


async def _people(client: httpx.AsyncClient, worker: SomeWorker) -> list[dict[str, str]]:
    listed: list[dict[str, str]] = (await client.get("/v1/people", headers=worker.headers)).json()[
        "items"
    ]
    return listed
