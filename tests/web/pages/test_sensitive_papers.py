"""A paper is called sensitive on its own page, and stays unticked on the page of a request."""

import re

from tests.fixtures import MakePerson, MakeWorker, Served
from tests.steps import ask, deposit
from tests.vault.decoding import corpus
from tests.web.pages.answers import say_yes
from tests.web.pages.test_pages import browser_of
from web.pages import forms


async def test_a_paper_called_sensitive_is_left_unticked(
    served: Served, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    async with browser_of(served, person) as browser:
        mine = await deposit(browser, person, corpus.pdf(1), type_="payslip")
        plain = await deposit(browser, person, corpus.pdf(2), type_="payslip")
        address = f"/documents/{mine['id']}"
        assert "Dire que ce papier est délicat" in (await browser.get(address)).text
        # 1. Ticked on its form, said on its page, and ticked again when the form comes back.
        form = await browser.get(f"{address}/correct")
        assert "il ne peut être montré que si je le choisis moi-même" in form.text
        assert not _is_checked(form.text, "sensitive", "yes")
        token = await forms.token_for(served.services, person.token)
        fields = {"form": token, "type": "payslip", "sensitive": "yes"}
        assert (await browser.post(f"{address}/correct", data=fields)).status_code == 303
        page = await browser.get(address)
        assert "Il est montré seulement si vous le choisissez vous-même." in page.text
        assert "Dire que ce papier est délicat" not in page.text
        assert _is_checked((await browser.get(f"{address}/correct")).text, "sensitive", "yes")
        # 2. On a request for its type, nothing is ticked, and this one says why.
        request = await ask(browser, worker.headers, person.phone, "payslip")
        shown = (await browser.get(f"/requests/{request}/papers")).text
        assert not _is_checked(shown, "document", plain["id"])
        assert not _is_checked(shown, "document", mine["id"])
        assert "il n’est montré que si vous le cochez" in shown
        # 3. A yes to the other gives the type, without this paper.
        await say_yes(browser, request, ("document", plain["id"]))
        grants = (await browser.get("/v1/grants", headers=person.headers)).json()["items"]
        assert grants[0]["scope"]["document_types"] == ["payslip"]
        under = f"/v1/grants/{grants[0]['id']}/documents"
        listed = (await browser.get(under, headers=worker.headers)).json()["items"]
        assert [one["id"] for one in listed] == [plain["id"]]


async def test_a_grant_of_chosen_papers_names_them(
    served: Served, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    async with browser_of(served, person) as browser:
        chosen, other = [
            await deposit(browser, person, corpus.pdf(n), type_="bank_statement", title=title)
            for n, title in ((1, "Relevé de mai"), (2, "Relevé de juin"))
        ]
        request = await ask(browser, worker.headers, person.phone, "bank_statement")
        await say_yes(browser, request, ("document", chosen["id"]))
        shown = (await browser.get("/grants")).text
    assert "Relevé de mai" in shown
    assert "Relevé de juin" not in shown, other["id"]


def _is_checked(page: str, name: str, value: str) -> bool:
    box = re.search(f'<input type="checkbox" name="{name}" value="{value}"([^>]*)>', page)
    assert box, (name, value)
    return "checked" in box[1]
