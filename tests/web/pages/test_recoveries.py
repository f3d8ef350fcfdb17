"""A vault opened again at the desk, page by page, without script: two agents who see the person,
and pages that tell neither of them whether anything was found."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import httpx
import pytest

from auth import pin_hashes
from base.database import Database
from tests.auth.means_steps import bearer, enter
from tests.fixtures import MakePerson, MakeWorker, Served, SomeWorker
from tests.recoveries import ReadPaper, agent, recoveries, some_paper, with_anchor
from tests.web.api.test_printed_cards import code_on
from tests.web.pages.answers import Pairs, send, yes_of
from tests.web.pages.test_desk_vaults import title_of
from tests.web.pages.test_pages import browser_of
from tests.web.printouts.reading import text_of
from vault.recovery.recovery_rules import SENIORITY
from vault.services import Services

Pair = tuple[str, str]
PIN = "482693"
AT = "/pro/desk/recovery"
_SEALED = re.compile(
    r'name="asked-[^"]*"|name="(?:form|visit)" value="[^"]*"|of=[0-9a-f-]+|\d+ h \d+'
)


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a PIN costs to guess is not tested here."""
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


@pytest.fixture
async def first(services: Services, as_owner: Database, make_worker: MakeWorker) -> SomeWorker:
    return await agent(services, as_owner, make_worker, "Camille Moreau")


@pytest.fixture
async def other(services: Services, as_owner: Database, make_worker: MakeWorker) -> SomeWorker:
    return await agent(services, as_owner, make_worker, "Sacha Petit")


def typed(paper: ReadPaper) -> Pairs:
    return [*paper.items(), ("compared", "yes")]


async def follow(
    at_work: httpx.AsyncClient, page: httpx.Response, step: str, *more: tuple[str, str]
) -> httpx.Response:
    """Send the form of a page that leads to that step."""
    address = f"{AT}/{step}"
    return await send(at_work, address, [*yes_of(page.text, address), *more])


async def begun(
    at_work: httpx.AsyncClient, paper: ReadPaper, *, language: str = "fr", left: Sequence[Pair] = ()
) -> dict[str, httpx.Response]:
    """Every page of the first agent's, by its step."""
    pages = {"language": await at_work.get(f"{AT}/language")}
    pages["left"] = await follow(at_work, pages["language"], "language", ("language", language))
    pages["who"] = await follow(at_work, pages["left"], "left", *left)
    pages["agree"] = await follow(at_work, pages["who"], "who", *typed(paper))
    pages["turn"] = await follow(at_work, pages["agree"], "turn")
    pages["pin"] = await follow(at_work, pages["turn"], "pin")
    chosen = (("pin", PIN), ("again", PIN))
    pages["opened"] = await follow(at_work, pages["pin"], "open", *chosen)
    pages["print"] = await follow(at_work, pages["opened"], "print")
    for step in ("sheet.pdf", "slip.pdf", "end"):
        pages[step] = await follow(at_work, pages["print"], step)
    assert {page.status_code for page in pages.values()} == {200}
    return pages


async def seconded(
    at_work: httpx.AsyncClient, code: str, paper: ReadPaper
) -> tuple[httpx.Response, httpx.Response]:
    """The page of the paper, and what it is answered."""
    asked = await at_work.get(f"{AT}/second")
    left = await follow(at_work, asked, "second", ("code", code))
    if left.status_code != 200:
        return left, left
    who = await follow(at_work, left, "left")
    return who, await follow(at_work, who, "who", *typed(paper))


def slip_code(pdf: bytes) -> str:
    found = re.search(r"\d{3}\s\d{3}\s\d{4}", text_of(pdf))
    assert found
    return found[0]


async def count(services: Services) -> int:
    return len(await recoveries(services))


def words(page: httpx.Response) -> str:
    return _SEALED.sub("", page.text.split("<main")[1].replace("\xa0", " "))


async def test_two_agents_open_it_again_and_the_card_opens_a_place_at_once(
    served: Served,
    client: httpx.AsyncClient,
    services: Services,
    make_person: MakePerson,
    first: SomeWorker,
    other: SomeWorker,
) -> None:
    person, paper = await make_person(), some_paper()
    await with_anchor(services, person, paper)
    async with browser_of(served, first) as at_work:
        assert f'href="{AT}"' in (await at_work.get("/pro/desk")).text
        assert f'href="{AT}/language"' in (await at_work.get(AT)).text
        pages = await begun(at_work, paper)
    assert [title_of(pages[step]) for step in pages if not step.endswith("pdf")] == [
        "Quelle langue lit la personne ?",
        "Qu’est-ce que la personne a encore ?",
        "Sa pièce d’identité",
        "Rouvrir vos papiers : ce qui va se passer",
        "C’est à la personne : donnez-lui l’appareil",
        "Choisissez votre code secret",
        "Rendez l’appareil",
        "Reprenez l’appareil : imprimez la carte",
        "Cinq choses à savoir",
    ]
    assert {page.headers["cache-control"] for page in pages.values()} == {"no-store"}
    entered = bearer(await enter(client, code_on(pages["sheet.pdf"].content), PIN))
    assert (await client.get("/v1/documents", headers=entered)).json()["items"] == []
    slip = pages["slip.pdf"].content
    assert "Camille Moreau" in text_of(slip)
    assert paper["family_name"] not in text_of(slip)
    async with browser_of(served, other) as at_work:
        _, noted = await seconded(at_work, slip_code(slip), paper)
    assert title_of(noted) == "C’est noté"
    row = (await recoveries(services))[0]
    assert (row.former_id, row.complete_at is None) == (person.id, False)


async def test_neither_agent_reads_whether_something_was_found(
    served: Served,
    services: Services,
    make_person: MakePerson,
    first: SomeWorker,
    other: SomeWorker,
) -> None:
    person, paper = await make_person(), some_paper()
    await with_anchor(services, person, paper)
    read: list[list[str]] = []
    for shown in (paper, some_paper(given_name="Zahra")):
        async with browser_of(served, first) as at_work:
            pages = await begun(at_work, shown)
        async with browser_of(served, other) as at_work:
            who, noted = await seconded(at_work, slip_code(pages["slip.pdf"].content), shown)
        said = [words(page) for step, page in pages.items() if not step.endswith("pdf")]
        read.append([*said, words(who), re.sub(r"\d+", "", words(noted))])
    assert read[0] == read[1]
    found = [row.former_id for row in (await recoveries(services))[:2]]
    assert found == [None, person.id]


async def test_what_was_typed_of_the_paper_and_the_pin_stand_on_no_later_page(
    served: Served, first: SomeWorker
) -> None:
    paper = some_paper(given_name="Zulaykha", document_end="Q7ZX")
    async with browser_of(served, first) as at_work:
        pages = await begun(at_work, paper)
    for step, page in pages.items():
        text = text_of(page.content) if step.endswith("pdf") else page.text
        for secret in (paper["family_name"], "Zulaykha", "Q7ZX", PIN):
            assert secret not in text, step


async def test_a_wrong_paper_is_corrected_where_it_was_typed(
    served: Served, services: Services, first: SomeWorker
) -> None:
    paper, before = some_paper(), await count(services)
    async with browser_of(served, first) as at_work:
        page = await at_work.get(f"{AT}/language")
        left = await follow(at_work, page, "language", ("language", "fr"))
        who = await follow(at_work, left, "left")
        for wrong, field in (
            (paper | {"family_name": ""}, "family_name"),
            (paper | {"birth_date": "32/13/1980"}, "birth_date"),
            (paper | {"document_end": "1"}, "document_end"),
            (paper | {"kind": "library_card"}, "kind"),
        ):
            refused = await follow(at_work, who, "who", *typed(wrong))
            assert refused.status_code == 422
            assert f'id="{field}-wrong"' in refused.text, field
            kept = paper["given_name"] if field != "given_name" else paper["family_name"]
            assert f'value="{kept}"' in refused.text, "nothing is typed twice"
        # Nobody goes on who does not say that it is the person's own.
        refused = await follow(at_work, who, "who", *paper.items())
        assert (refused.status_code, 'id="compared-wrong"' in refused.text) == (422, True)
    assert await count(services) == before


async def test_a_form_that_is_sent_twice_begins_one(
    served: Served, services: Services, first: SomeWorker
) -> None:
    before = await count(services)
    async with browser_of(served, first) as at_work:
        pages = await begun(at_work, some_paper())
        chosen = (("pin", "739158"), ("again", "739158"))
        again = await follow(at_work, pages["pin"], "open", *chosen)
        printed = await follow(at_work, await follow(at_work, again, "print"), "slip.pdf")
    assert "c’est le premier que vous avez écrit" in again.text
    assert slip_code(printed.content) == slip_code(pages["slip.pdf"].content)
    assert await count(services) == before + 1


async def test_a_pin_that_is_refused_begins_nothing(
    served: Served, services: Services, first: SomeWorker
) -> None:
    before = await count(services)
    async with browser_of(served, first) as at_work:
        page = await at_work.get(f"{AT}/language")
        left = await follow(at_work, page, "language", ("language", "ar"))
        who = await follow(at_work, left, "left")
        agree = await follow(at_work, who, "who", *typed(some_paper()))
        assert 'lang="ar" dir="rtl"' in agree.text
        pin = await follow(at_work, await follow(at_work, agree, "turn"), "pin")
        assert 'nav class="tabs"' not in pin.text
        refused = await follow(at_work, pin, "open", ("pin", PIN), ("again", "482694"))
        assert refused.status_code == 422
        assert 'id="again-wrong"' in refused.text
        assert await count(services) == before
        opened = await follow(at_work, refused, "open", ("pin", PIN), ("again", PIN))
        assert opened.status_code == 200
    assert await count(services) == before + 1


async def test_the_second_one_is_somebody_else_with_a_slip_that_serves(
    served: Served, services: Services, first: SomeWorker, other: SomeWorker
) -> None:
    paper, before = some_paper(), await count(services)
    async with browser_of(served, first) as at_work:
        pages = await begun(at_work, paper)
        code = slip_code(pages["slip.pdf"].content)
        _, same = await seconded(at_work, code, paper)
        assert (same.status_code, "Il faut une deuxième personne" in same.text) == (409, True)
    async with browser_of(served, other) as at_work:
        _, wrong = await seconded(at_work, "0000000000", paper)
        assert wrong.status_code == 403
        assert 'id="code-wrong"' in wrong.text
        assert "0000000000" not in wrong.text
        _, noted = await seconded(at_work, code, paper)
        _, again = await seconded(at_work, code, paper)
        assert words(noted) == words(again)
    assert await count(services) == before + 1


@pytest.mark.parametrize("what", ["structure", "days"])
async def test_who_may_not_is_told_before_they_begin(
    served: Served,
    services: Services,
    as_owner: Database,
    make_worker: MakeWorker,
    what: str,
) -> None:
    new = SENIORITY / timedelta(days=1) - 1
    made: Any = (
        make_worker()
        if what == "structure"
        else agent(services, as_owner, make_worker, "A", days=new)
    )
    async with browser_of(served, await made) as at_work:
        assert (await at_work.get(f"{AT}/language")).headers["location"] == AT
        shown = await at_work.get(AT)
    said = {"structure": "Demandez ce droit", "days": "plus de 90 jours"}[what]
    assert said in shown.text.replace("\xa0", " ")
    assert f'href="{AT}/language"' not in shown.text


async def test_no_step_is_reached_by_its_address_nor_by_another_session(
    served: Served, first: SomeWorker, other: SomeWorker
) -> None:
    async with browser_of(served, first) as at_work:
        pages = await begun(at_work, some_paper())
        for step in (
            "agree",
            "left",
            "noted",
            "phone",
            "opened",
            "pin",
            "print",
            "turn",
            "who",
            "x",
        ):
            assert (await at_work.get(f"{AT}/{step}")).headers["location"] == AT
    stolen = dict(yes_of(pages["opened"].text, f"{AT}/print"))["visit"]
    async with browser_of(served, other) as at_work:
        page = await at_work.get(f"{AT}/second")
        form = dict(yes_of(page.text, f"{AT}/second"))["form"]
        for step in (
            "left",
            "phone",
            "who",
            "turn",
            "pin",
            "open",
            "print",
            "sheet.pdf",
            "slip.pdf",
            "end",
        ):
            for visit in (stolen, "", "x"):
                sent = await send(at_work, f"{AT}/{step}", [("form", form), ("visit", visit)])
                assert sent.status_code == 403, step
