"""A yes said aloud: both languages side by side, who heard it named, never the professional."""

from typing import Any

import httpx
import pytest

from tests.fixtures import MakeClient, MakePerson, MakeWorker, Served, SomePerson, SomeWorker
from tests.steps import ask, client_headers
from tests.web.api.test_consent_evidence import rows_of
from tests.web.api.test_receipts import receipt_of
from tests.web.pages.answers import send, summary, yes_of
from tests.web.pages.test_pages import browser_of

CHOSEN = {"type": "payslip", "duration": "asked"}


@pytest.fixture
async def two(make_person: MakePerson, make_worker: MakeWorker) -> tuple[SomePerson, SomeWorker]:
    return await make_person(), await make_worker()


async def the_page(browser: httpx.AsyncClient, request: str) -> str:
    page = await browser.get(f"/requests/{request}/aloud", params=CHOSEN)
    assert page.status_code == 200, page.text
    return page.text


async def say(
    browser: httpx.AsyncClient, request: str, page: str, role: str, name: str, here: str = "yes"
) -> httpx.Response:
    address = f"/requests/{request}/approve"
    fields = [*yes_of(page, address), ("heard_role", role), ("heard_name", name)]
    return await send(browser, address, [*fields, ("worker_here", here)])


async def grants_of(browser: httpx.AsyncClient, person: SomePerson) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await browser.get("/v1/grants", headers=person.headers)).json()[
        "items"
    ]
    return found


async def test_with_an_interpreter_in_two_languages(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    person, worker = two
    async with browser_of(served, person) as browser:
        browser.cookies.set("unefois-language", "ar")
        request = await ask(browser, worker.headers, person.phone, "payslip")
        checked = await summary(browser, request, ("type", "payslip"))
        assert f"/requests/{request}/aloud?type=payslip&amp;duration=asked" in checked
        page = await the_page(browser, request)
        # Each sentence in Arabic, and in French in the element that stands beside it.
        assert 'class="together"' in page
        assert 'lang="fr" dir="ltr">La personne a dit oui' in page
        assert "Un ou une interprète" in page
        answer = await say(browser, request, page, "interpreter", "Amélie Diallo")
        assert answer.headers.get("location") == "/grants?done=approved", answer.text
        (grant,) = await grants_of(browser, person)
        (row,) = await rows_of(served.services, grant["id"])
        assert (row.kind, row.heard_by, row.worker_id) == ("spoken", "interpreter", worker.id)
        assert (row.channel, row.template) == ("pages", "pages/requests/aloud.html")
        assert row.wording_hash.hex() == dict(yes_of(page, f"/requests/{request}/approve"))["seen"]
        (evidence,) = (await receipt_of(browser, person, grant["id"]))["evidence"]
        assert evidence["heard_by"] == {"role": "interpreter", "name": "Amélie Diallo"}
        assert evidence["languages"] == ["ar", "fr"]
        paper = await browser.get(f"/grants/{grant['id']}/receipt.pdf")
        assert paper.status_code == 200


@pytest.mark.parametrize(
    ("role", "name", "said"),
    [
        ("witness", "Camille Moreau", "ne peut pas être la professionnelle"),
        ("interpreter", "moreau CAMILLE", "ne peut pas être la professionnelle"),
        ("", "Amélie Diallo", "besoin du nom de qui"),
        ("witness", " ", "besoin du nom de qui"),
        ("worker", "Amélie Diallo", "besoin du nom de qui"),
        ("witness", "x" * 130, "120 caractères"),
    ],
)
async def test_who_heard_it_is_named_and_is_not_the_worker(
    served: Served, two: tuple[SomePerson, SomeWorker], role: str, name: str, said: str
) -> None:
    person, worker = two
    async with browser_of(served, person) as browser:
        request = await ask(browser, worker.headers, person.phone, "payslip")
        page = await the_page(browser, request)
        answer = await say(browser, request, page, role, name)
        assert answer.status_code == 422
        assert said in answer.text
        # What was typed is still there, and so is the question.
        assert 'name="heard_name" value="' + name.strip() in answer.text or not name.strip()
        assert 'class="together"' in answer.text
        assert await grants_of(browser, person) == []
        again = await say(browser, request, answer.text, "witness", "Nadia Benali")
        assert again.headers.get("location") == "/grants?done=approved", again.text
        assert len(await grants_of(browser, person)) == 1


async def test_a_worker_who_is_not_there_is_beside_nobody(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    """From home a person says yes by the page of their own answer: the receipt would name beside
    them whoever asked."""
    person, worker = two
    async with browser_of(served, person) as browser:
        request = await ask(browser, worker.headers, person.phone, "payslip")
        page = await the_page(browser, request)
        answer = await say(browser, request, page, "witness", "Nadia Benali", here="")
        assert answer.status_code == 422
        assert 'id="worker_here-wrong"' in answer.text
        assert 'value="Nadia Benali"' in answer.text
        assert await grants_of(browser, person) == []


async def test_what_changed_since_it_was_read_is_read_again(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    person, worker = two
    async with browser_of(served, person) as browser:
        request = await ask(browser, worker.headers, person.phone, "payslip")
        page = (await the_page(browser, request)).replace(
            'name="seen" value="', 'name="seen" value="0'
        )
        answer = await say(browser, request, page, "witness", "Nadia Benali")
        assert answer.status_code == 422
        assert 'value="Nadia Benali"' in answer.text
        assert await grants_of(browser, person) == []


async def test_what_was_left_unsaid_is_asked_first(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    person, worker = two
    async with browser_of(served, person) as browser:
        request = await ask(browser, worker.headers, person.phone, "payslip")
        page = await browser.get(f"/requests/{request}/aloud")
        assert 'class="together"' not in page.text
        assert "/approve" not in page.text


async def test_no_program_is_beside_a_person(
    served: Served, make_person: MakePerson, make_client: MakeClient
) -> None:
    person, system = await make_person(), await make_client()
    async with browser_of(served, person) as browser:
        headers = await client_headers(browser, system)
        request = await ask(browser, headers, person.phone, "payslip", actions=["attest"])
        checked = await summary(browser, request, ("type", "payslip"))
        assert "/aloud" not in checked
        answer = await browser.get(f"/requests/{request}/aloud", params=CHOSEN)
        assert answer.status_code == 303
        fields = yes_of(checked, f"/requests/{request}/approve")
        forged = [
            *fields,
            ("aloud", "yes"),
            ("heard_role", "witness"),
            ("heard_name", "Ana B."),
            ("worker_here", "yes"),
        ]
        answer = await send(browser, f"/requests/{request}/approve", forged)
        assert answer.status_code == 422
        assert await grants_of(browser, person) == []
