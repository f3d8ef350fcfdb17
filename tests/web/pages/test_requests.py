"""Answering a request, one thing a page: nothing is ticked, and the yes is to what was read."""

import re
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

import httpx
import pytest

from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson, SomeWorker
from tests.steps import ask, deposit, granted
from tests.vault.decoding import corpus
from tests.web.pages.answers import Pairs, say_yes, send, summary, yes_of
from tests.web.pages.draft_steps import keep_for
from tests.web.pages.test_pages import a_photo, browser_of


@pytest.fixture
async def two(make_person: MakePerson, make_worker: MakeWorker) -> tuple[SomePerson, SomeWorker]:
    return await make_person(), await make_worker()


async def a_payslip_asked_for(
    browser: httpx.AsyncClient, two: tuple[SomePerson, SomeWorker], **wanted: object
) -> tuple[dict[str, Any], str]:
    """The paper that the person has, and the request of the worker."""
    person, worker = two
    paper = await deposit(browser, person, corpus.pdf(1), type_="payslip")
    return paper, await ask(browser, worker.headers, person.phone, "payslip", **wanted)


async def grants_of(browser: httpx.AsyncClient, person: SomePerson) -> list[dict[str, Any]]:
    items = (await browser.get("/v1/grants", headers=person.headers)).json()["items"]
    return list(items)


async def test_one_thing_a_page_and_nothing_ticked(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    person, worker = two
    async with browser_of(served, person) as browser:
        await deposit(browser, person, corpus.pdf(1), type_="payslip")
        wanted = {"may_store": True, "store_for": "P2Y", "actions": ["read", "attest"]}
        request = await ask(
            browser, worker.headers, person.phone, "payslip", "rent_receipt", **wanted
        )
        address = f"/requests/{request}"
        steps = ("", "/why", "/actions", "/papers?action=read")
        texts = [(await browser.get(address + step)).text for step in steps]
        texts[3] = texts[3].replace('value="read" checked', "")
        for number, text in enumerate(texts, 1):
            assert f"Étape {number} sur 7" in text
        assert all(" checked" not in text for text in texts)
        assert "Camille Moreau" in texts[0]
        assert "Demande de logement social" in texts[1]
        assert "2 ans" in texts[1].replace("\xa0", " ")
        assert "Rien n’est coché" in texts[3]
        assert "Dire que je n’ai pas ce papier" in texts[3]
        ticked = (await browser.get(f"{address}/papers?action=read&type=rent_receipt")).text
        assert "Rien n’est coché" not in ticked


@pytest.mark.parametrize(
    ("missing", "step", "words"),
    [
        ("document", "papers", "Vous n’avez choisi aucun papier"),
        ("duration", "until", "Vous n’avez pas choisi de date"),
        ("may_store", "copy", "Vous n’avez pas choisi."),
        ("action", "actions", "Vous n’avez rien coché"),
    ],
)
async def test_what_was_left_without_an_answer_is_asked_again(
    served: Served, two: tuple[SomePerson, SomeWorker], missing: str, step: str, words: str
) -> None:
    person, _ = two
    async with browser_of(served, person) as browser:
        wanted = {"may_store": True, "actions": ["read", "deposit"]}
        paper, request = await a_payslip_asked_for(browser, two, **wanted)
        said = {
            "document": paper["id"],
            "duration": "P7D",
            "may_store": "no",
            "action": "read",
        }
        del said[missing]
        page = await browser.get(f"/requests/{request}/check", params=said)
    assert page.status_code == 422
    assert words in page.text
    assert 'class="problem"' in page.text
    for name, value in said.items():
        assert f'name="{name}" value="{value}"' in page.text, "what was said is kept"
    assert f'name="{missing}"' in page.text or step == "papers"


async def test_the_summary_says_who_which_until_when_and_the_copy(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    person, worker = two
    async with browser_of(served, person) as browser:
        one, other = [
            await deposit(browser, person, corpus.pdf(n), type_="payslip", title=f"Paie {n}")
            for n in (1, 2)
        ]
        wanted = {"may_store": True, "store_for": "P2Y"}
        request = await ask(browser, worker.headers, person.phone, "payslip", **wanted)
        ticks = [("document", one["id"]), ("may_store", "yes"), ("duration", "P7D")]
        page = (await summary(browser, request, *ticks)).replace("\xa0", " ")
        heading = re.sub(
            r"\s+", " ", re.sub("<[^>]+>", "", page.split("<h1>")[1].split("</h1>")[0])
        )
        assert re.fullmatch(
            r" ?Vous allez montrer 1 papier à Camille Moreau,"
            r" jusqu’au \S+ \S+ \S+ \d{4}, à minuit\.",
            heading,
        )
        assert "Paie 1" in page
        assert "Paie 2" not in page, other["id"]
        assert "Oui, pendant 2 ans" in page
        kept = (await summary(browser, request, ticks[0], ("may_store", "no"))).replace("\xa0", " ")
        assert "pendant 2 ans" not in kept


async def test_a_request_to_confirm_reads_as_one(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    person, _ = two
    async with browser_of(served, person) as browser:
        paper, request = await a_payslip_asked_for(browser, two, actions=["attest"])
        pages = [
            (await browser.get(f"/requests/{request}{s}")).text for s in ("", "/why", "/papers")
        ]
        pages.append(await summary(browser, request, ("document", paper["id"])))
        for text in pages:
            assert "montrer" not in text.split("<main")[1]
        assert "Avec ce oui, Camille Moreau ne le voit pas." in pages[-1].replace(
            "\u2068", ""
        ).replace("\u2069", "")


async def test_a_missing_paper_is_added_and_counted_in(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    person, worker = two
    async with browser_of(served, person) as browser:
        held = await deposit(browser, person, corpus.pdf(1), type_="payslip")
        request = await ask(browser, worker.headers, person.phone, "payslip", "rent_receipt")
        ticks = {"document": held["id"], "add": "rent_receipt"}
        lead = await browser.get(f"/requests/{request}/add", params=ticks)
        fields = dict(parse_qsl(lead.headers["location"].partition("?")[2]))
        assert fields["type"] == "rent_receipt"
        added = await keep_for(served, person, browser, fields, a_photo())
        back = await browser.get(added.headers["location"])
        assert "Votre papier est gardé ici" in back.text
        assert f"/requests/{request}/until" in back.text
        assert len(re.findall(r'name="document" value="[^"]+" checked', back.text)) == 2


async def test_a_sensitive_paper_that_was_added_is_ticked_by_hand(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    person, worker = two
    async with browser_of(served, person) as browser:
        request = await ask(browser, worker.headers, person.phone, "payslip", "mdph_notification")
        then = f"/requests/{request}/papers"
        fields = {"type": "mdph_notification", "then": then}
        added = await keep_for(served, person, browser, fields, a_photo())
        assert added.headers["location"] == f"{then}?done=added"


@pytest.mark.parametrize(
    "then",
    [
        "https://elsewhere.example/",
        "//elsewhere.example",
        "/documents",
        "/requests/not-an-id/papers",
        "/requests/01890000-0000-7000-8000-000000000000/refuse",
        "/requests/01890000-0000-7000-8000-000000000000/papers/../../x",
    ],
)
async def test_adding_leads_back_to_a_request_only(
    served: Served, make_person: MakePerson, then: str
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        fields = {"type": "payslip", "then": then}
        added = await keep_for(served, person, browser, fields, a_photo())
    assert added.headers["location"].startswith("/documents/")


async def test_the_summary_says_that_later_papers_are_shown(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    person, worker = two
    async with browser_of(served, person) as browser:
        request = await ask(browser, worker.headers, person.phone, "payslip")
        page = await summary(browser, request, ("type", "payslip"), ("later", "yes"))
    heading = page.split("<h1>", 1)[1].split("</h1>", 1)[0].replace("\xa0", " ")
    assert "Vous allez montrer à Camille Moreau les papiers que vous ajouterez" in heading


async def test_an_address_that_says_too_little_asks_for_what_is_missing(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    person, worker = two
    async with browser_of(served, person) as browser:
        for types in ((), ("payslip",)):
            request = await ask(browser, worker.headers, person.phone, *types, actions=["deposit"])
            for end in ("check?duration=x", "check?duration=x&action=deposit"):
                page = await browser.get(f"/requests/{request}/{end}")
                assert page.status_code == 422, page.text


async def test_later_keeps_it_waiting(served: Served, two: tuple[SomePerson, SomeWorker]) -> None:
    person, worker = two
    async with browser_of(served, person) as browser:
        request = await ask(browser, worker.headers, person.phone, "payslip")
        page = await browser.get(f"/requests/{request}")
        assert 'href="/requests?done=later"' in page.text
        listed = (await browser.get("/requests?done=later")).text
        assert "La demande attend" in listed
        assert f'href="/requests/{request}"' in listed


async def test_two_taps_are_one_yes(served: Served, two: tuple[SomePerson, SomeWorker]) -> None:
    person, _ = two
    async with browser_of(served, person) as browser:
        paper, request = await a_payslip_asked_for(browser, two)
        address = f"/requests/{request}/approve"
        fields = yes_of(await summary(browser, request, ("document", paper["id"])), address)
        for _ in range(2):
            answer = await send(browser, address, fields)
            assert answer.headers["location"] == "/grants?done=approved"
        assert len(await grants_of(browser, person)) == 1

        # A summary that was opened on another page: its yes leads to the receipt.
        other = [(name, "another" if name == "once" else value) for name, value in fields]
        answer = await send(browser, address, other)
        assert answer.headers["location"] == f"/requests/{request}"
        page = (await browser.get(answer.headers["location"])).text
        [grant] = await grants_of(browser, person)
        assert "Vous avez déjà dit oui" in page
        assert f'href="/grants/{grant["id"]}/receipt.pdf"' in page
        assert (await browser.get(f"/grants/{grant['id']}/receipt.pdf")).status_code == 200
        # No after yes is no second tap: it is refused.
        refusal = [one for one in fields if one[0] == "form"]
        assert (await send(browser, f"/requests/{request}/refuse", refusal)).status_code == 409


@pytest.mark.parametrize(("end", "done"), [("refuse", "refused"), ("not-me", "not_me")])
async def test_two_taps_are_one_no(
    served: Served, two: tuple[SomePerson, SomeWorker], end: str, done: str
) -> None:
    person, worker = two
    async with browser_of(served, person) as browser:
        request = await ask(browser, worker.headers, person.phone, "payslip")
        page = (await browser.get(f"/requests/{request}")).text
        fields = yes_of(page, f"/requests/{request}/not-me")
        for _ in range(2):
            answer = await send(browser, f"/requests/{request}/{end}", fields)
            assert answer.headers["location"] == f"/requests?done={done}&of={request}"
        said = (await browser.get(answer.headers["location"])).text
        assert ("Vous avez dit non. Camille Moreau ne le saura pas." in said) is (done == "refused")
        # Of what was not refused, no name is said, whatever the address says.
        nobody = await browser.get(f"/requests?done=refused&of={uuid4()}")
        assert "La personne qui demande ne le saura pas." in nobody.text
        assert "Moreau ne le saura" not in nobody.text
        other = "not-me" if end == "refuse" else "refuse"
        assert (await send(browser, f"/requests/{request}/{other}", fields)).status_code == 409


@pytest.mark.parametrize(
    ("actions", "words"),
    [
        (["read"], "Camille Moreau voit déjà, jusqu’au"),
        (["attest"], "Camille Moreau sait déjà si vous avez, jusqu’au"),
        (["deposit"], "Camille Moreau peut déjà ajouter des papiers, jusqu’au"),
    ],
)
async def test_what_the_other_may_do_already_is_said_before_the_yes(
    served: Served,
    two: tuple[SomePerson, SomeWorker],
    make_worker: MakeWorker,
    actions: list[str],
    words: str,
) -> None:
    person, worker = two
    stranger = await make_worker()
    async with browser_of(served, person) as browser:
        paper, request = await a_payslip_asked_for(browser, two)
        chosen: Pairs = [("document", paper["id"]), ("duration", "P7D")]
        assert words not in await summary(browser, request, *chosen)
        types = [] if actions == ["deposit"] else ["rent_receipt"]
        await granted(browser, person, stranger.headers, *types, actions=actions)
        assert words not in await summary(browser, request, *chosen), "somebody else's"
        await granted(browser, person, worker.headers, *types, actions=actions)
        page = await summary(browser, request, *chosen)
    above = page.split("Oui, d’accord")[0]
    assert words in above
    assert "Cela ne change pas." in above
    assert ("quittance" in above) is bool(types)


async def test_papers_of_a_sensitive_sort_may_be_added_and_none_is_shown(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    person, worker = two
    async with browser_of(served, person) as browser:
        held = await deposit(browser, person, corpus.pdf(1), type_="mdph_notification")
        types, wanted = ("mdph_notification",), {"actions": ["deposit"]}
        request = await ask(browser, worker.headers, person.phone, *types, **wanted)
        page = (await browser.get(f"/requests/{request}/papers")).text
        assert "D’accord pour cette sorte de papier" in page
        assert held["id"] not in page
        text = await summary(browser, request, ("type", "mdph_notification"))
        assert "va pouvoir ajouter des papiers" in text
        assert "MDPH" in text.split("Quels papiers")[1]
        await say_yes(browser, request, ("type", "mdph_notification"))
        [grant] = await grants_of(browser, person)
        await _adds_and_sees_nothing(browser, worker, str(grant["id"]), "mdph_notification")


async def test_of_seeing_and_adding_only_adding_may_be_permitted(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    """By sorts of papers, whatever is held of them; no single paper is asked for."""
    person, worker = two
    async with browser_of(served, person) as browser:
        held = [await deposit(browser, person, corpus.pdf(one), type_="payslip") for one in (1, 2)]
        await deposit(browser, person, corpus.pdf(3), type_="mdph_notification")
        types, wanted = ("payslip", "mdph_notification"), {"actions": ["read", "deposit"]}
        request = await ask(browser, worker.headers, person.phone, *types, **wanted)
        adds = ("action", "deposit")
        page = (await browser.get(f"/requests/{request}/papers", params=[adds])).text
        assert page.count("D’accord pour cette sorte de papier") == 2
        assert 'name="document"' not in page
        until = f"/requests/{request}/until?"
        shown = "".join(f"&document={one['id']}" for one in held)
        assert 'name="later"' in (await browser.get(f"{until}action=read{shown}")).text
        assert 'name="later"' not in (await browser.get(f"{until}action=deposit&type=payslip")).text
        await say_yes(browser, request, adds, ("type", "payslip"), ("type", "mdph_notification"))
        [grant] = await grants_of(browser, person)
        assert grant["scope"] == {
            "document_types": list(types), "document_ids": [], "actions": ["deposit"]
        }  # fmt: skip
        await _adds_and_sees_nothing(browser, worker, str(grant["id"]), "payslip")


async def test_seeing_picked_papers_says_that_none_may_be_added(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    person, worker = two
    async with browser_of(served, person) as browser:
        one, _other = [
            await deposit(browser, person, corpus.pdf(n), type_="payslip") for n in (1, 2)
        ]
        wanted = {"actions": ["read", "deposit"]}
        request = await ask(browser, worker.headers, person.phone, "payslip", **wanted)
        both = (("action", "read"), ("action", "deposit"))
        text = await summary(browser, request, *both, ("document", one["id"]))
        assert "ne peut pas en ajouter" in text
        await say_yes(browser, request, *both, ("document", one["id"]))
        [grant] = await grants_of(browser, person)
        assert grant["scope"] == {
            "document_types": [], "document_ids": [one["id"]], "actions": ["read"]
        }  # fmt: skip


async def test_adding_to_papers_named_one_by_one_may_be_permitted_alone(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    person, worker = two
    async with browser_of(served, person) as browser:
        paper = await deposit(browser, person, corpus.pdf(1), type_="payslip")
        wanted = {"actions": ["read", "deposit"]}
        scope = {"document_types": [], "document_ids": [paper["id"]], **wanted}
        request = await ask(browser, worker.headers, person.phone, scope=scope)
        await say_yes(browser, request, ("action", "deposit"))
        [grant] = await grants_of(browser, person)
        assert grant["scope"] == {
            "document_types": [], "document_ids": [], "actions": ["deposit"]
        }  # fmt: skip


async def _adds_and_sees_nothing(
    browser: httpx.AsyncClient, worker: SomeWorker, grant: str, type_code: str
) -> None:
    under = f"/v1/grants/{grant}/documents"
    sent = {"files": {"file": corpus.pdf(7)}, "data": {"type": type_code}}
    added = await browser.post(under, headers=worker.headers, **sent)  # type: ignore[arg-type]
    assert added.status_code == 201
    assert (await browser.get(under, headers=worker.headers)).status_code == 403
    told = f"/v1/grants/{grant}/evidence?type={type_code}"
    assert (await browser.get(told, headers=worker.headers)).status_code == 403
