"""Choosing a language leads back to where one was, also from a page that answers a form."""

import re
from uuid import uuid4

import httpx
import pytest

from tests.fixtures import MakePerson, MakeWorker, Served
from tests.web.pages.test_pages import browser_of
from web.pages import cookies, forms


def offered_from(page: str) -> str:
    """Where « Langue » leads."""
    found = re.search(r'href="(/language[^"]*)"', page)
    assert found
    return found[1].replace("&amp;", "&")


async def test_from_an_error_it_leads_back_to_the_page_of_the_form(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        token = await forms.token_for(served.services, person.token)
        sent = {"form": token, "type": "", "title": "Ma carte"}
        answer = await browser.post(
            "/documents/add",
            files={"nothing": ("", b"")},
            data=sent,
            headers={"Referer": f"{served.base_url}/documents/add?type=payslip&done=added"},
        )
        assert answer.status_code >= 400
        languages = await browser.get(offered_from(answer.text))
        back = re.search(r'href="(/language/en\?back=[^"]*)"', languages.text)
        assert back
        chosen = await browser.get(back[1].replace("&amp;", "&"))
        assert chosen.headers["location"] == "/documents/add?type=payslip"


async def test_a_choice_of_many_papers_is_kept(served: Served, make_person: MakePerson) -> None:
    person = await make_person()
    ticks = "&".join(f"document={uuid4()}" for _ in range(20))
    back = f"/requests/{uuid4()}/until?{ticks}"
    async with browser_of(served, person) as browser:
        chosen = await browser.get("/language/en", params={"back": back})
    assert chosen.headers["location"] == back


@pytest.mark.parametrize(
    "sender", ["", "https://elsewhere.example/x", "http://[", "not an address", "//"]
)
async def test_what_another_site_or_nobody_sent_leads_to_no_page_of_theirs(
    served: Served, make_worker: MakeWorker, sender: str
) -> None:
    worker = await make_worker()
    name = cookies.name_of(served.services.settings, "worker")
    async with httpx.AsyncClient(base_url=served.base_url, cookies={name: worker.token}) as browser:
        token = await forms.token_for(served.services, worker.token)
        answer = await browser.post(
            "/pro/requests/new", data={"form": token}, headers={"Referer": sender}
        )
        assert answer.status_code == 422
        assert offered_from(answer.text) == "/language"


async def test_a_request_needs_a_reason_that_was_chosen(
    served: Served, make_worker: MakeWorker
) -> None:
    """The first of the list was sent when nobody looked at it, and the person read it."""
    worker = await make_worker()
    name = cookies.name_of(served.services.settings, "worker")
    async with httpx.AsyncClient(base_url=served.base_url, cookies={name: worker.token}) as browser:
        page = (await browser.get("/pro/requests/new")).text
        assert '<option value="">' in page.split('name="purpose_code"')[1].split("</select>")[0]
        token = await forms.token_for(served.services, worker.token)
        sent = {
            "form": token, "phone": "06 12 34 56 78", "type": "payslip", "action": "read",
            "purpose": "Votre aide", "purpose_code": "", "duration": "P1M",
        }  # fmt: skip
        answer = await browser.post("/pro/requests/new", data=sent)
        assert answer.status_code == 422
        assert "Vous n’avez pas choisi de raison" in answer.text
        assert 'id="purpose_code" name="purpose_code" required aria-describedby' in answer.text
