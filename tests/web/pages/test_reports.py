"""« Ce n’est pas normal »: the form, the report and its answer, in the person's log."""

import httpx
import pytest

from tests.fixtures import MakeOrganisation, MakePerson, MakeWorker, Served, SomePerson
from tests.steps import ask, deposit, granted, log_of
from tests.vault.decoding import corpus
from tests.web.pages.test_pages import browser_of
from vault.access_log import reports
from web.pages import forms


async def line_of(client: httpx.AsyncClient, person: SomePerson, action: str) -> str:
    """The address of the form for the newest line of an action."""
    lines = await log_of(client, person)
    return f"/access-log/{next(one['id'] for one in lines if one['action'] == action)}/report"


async def test_a_line_is_reported_and_its_answer_read_there(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    address = await line_of(client, person, "sign_in.success")
    async with browser_of(served, person) as browser:
        assert address in (await browser.get("/access-log")).text
        form = (await browser.get(address)).text
        assert "Vous avez ouvert vos papiers avec un code" in form
        assert "L’équipe de ce site, où sont gardés vos papiers." in form
        assert "nous lui disons" not in form
        assert "vous répond dans 7 jours au plus" in form
        assert "ne lit pas ce que vous écrivez" not in form, "nobody else did it"
        token = await forms.token_for(served.services, person.token)
        sent = await browser.post(address, data={"form": token, "text": "<b>Ce n’est pas moi</b>"})
        assert (sent.status_code, sent.headers["location"]) == (303, f"{address}?done=reported")
        shown = (await browser.get(sent.headers["location"])).text
        assert "C’est envoyé" in shown
        assert "&lt;b&gt;Ce n’est pas moi&lt;/b&gt;" in shown
        assert "L’équipe répond ici, au plus tard le " in shown
        assert '<form method="post" action="/access-log' not in shown
        (made,) = [
            one["report"] for one in await log_of(client, person) if one["report"] is not None
        ]
        await reports.answer_report(served.services, made["id"], "Nous l’avons vu.")
        listed = (await browser.get("/access-log")).text
        assert '<blockquote class="said" dir="auto">Nous l’avons vu.' in listed
        assert address not in listed, "a line is reported once"


@pytest.mark.parametrize("contact", ["contact@ccas.example", "03 20 00 00 00"])
async def test_who_will_know_is_said_before_and_what_she_sees_is_stopped_after(
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    make_organisation: MakeOrganisation,
    contact: str,
) -> None:
    person = await make_person()
    worker = await make_worker(await make_organisation("CCAS de Lys", contact))
    await deposit(client, person, corpus.pdf())
    grant = await granted(client, person, worker.headers, "income_tax_notice")
    await client.get(f"/v1/grants/{grant}/documents", headers=worker.headers)
    stop = f"/grants/{grant}/stop"
    async with browser_of(served, person) as browser:
        address = await line_of(client, person, "document.list")
        form = (await browser.get(address)).text.replace("\u00a0", " ")
        # The paper is named, as the log names it.
        assert "Papier des impôts" in form.split("<form method", 3)[2]
        mailed = "@" in contact
        assert ("CCAS de Lys : nous lui disons qui a regardé" in form) == mailed
        assert ("CCAS de Lys : nous ne lui disons rien." in form) == (not mailed)
        asked = (await browser.get(await line_of(client, person, "consent.request"))).text
        assert "nous lui disons" not in asked.replace("\u00a0", " ")
        assert "Camille Moreau ne lit pas ce que vous écrivez." in form
        assert stop in form
        assert "Vous aviez donné votre accord à Camille Moreau le " in form
        token = await forms.token_for(served.services, person.token)
        sent = await browser.post(address, data={"form": token})
        thanked = (await browser.get(sent.headers["location"])).text.replace("\u00a0", " ")
        assert ("L’équipe de ce site et la structure sont prévenues." in thanked) == mailed
        assert stop in thanked
        assert address.replace("/report", "/receipt") in thanked
        assert f'href="/access-log#line-{address.split("/")[2]}"' in thanked
        listed = (await browser.get("/access-log")).text
        assert listed.count(f'id="line-{address.split("/")[2]}"') == 1
        # What was stopped is offered no more; what she still asks is told, with the way to answer.
        request = await ask(client, worker.headers, person.phone, "payslip")
        stopped = await browser.post(stop, data={"form": token})
        assert request in (await browser.get(stopped.headers["location"])).text
        assert request not in (await browser.get("/grants")).text
        assert stop not in (await browser.get(address)).text


async def test_an_answer_that_is_late_is_said_and_whom_to_ask(
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By the day that was said then, whatever the operator says now."""
    person = await make_person()
    await deposit(client, person, corpus.pdf(1), type_="payslip")
    settings = vars(served.services.settings)
    async with browser_of(served, person) as browser:
        token = await forms.token_for(served.services, person.token)
        for days, action, late in ((1, "sign_in.success", False), (0, "document.deposit", True)):
            monkeypatch.setitem(settings, "report_answer_days", days)
            address = await line_of(client, person, action)
            sent = await browser.post(address, data={"form": token})
            monkeypatch.setitem(settings, "report_answer_days", 0)
            for at in (sent.headers["location"], "/access-log"):
                shown = (await browser.get(at)).text.replace("\u00a0", " ")
                assert ("La réponse est en retard" in shown) == late
                assert (settings["operator_email"] in shown) == late
                assert ("www.cnil.fr" in shown) == late
        made = [one["report"] for one in await log_of(client, person) if one["report"]]
        (due,) = [one for one in made if one["answer_by"] == one["reported_at"]]
        await reports.answer_report(served.services, due["id"], "Nous l’avons vu.")
        assert "en retard" not in (await browser.get(address)).text


async def test_too_long_a_text_is_kept_and_said(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    address = await line_of(client, person, "sign_in.success")
    async with browser_of(served, person) as browser:
        token = await forms.token_for(served.services, person.token)
        answer = await browser.post(address, data={"form": token, "text": "long " * 120})
        assert answer.status_code == 422
        assert "long long" in answer.text
        assert 'role="alert"' in answer.text


async def test_another_s_line_and_no_form_of_ours(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person, stranger = await make_person(), await make_person()
    address = await line_of(client, person, "sign_in.success")
    async with browser_of(served, stranger) as browser:
        token = await forms.token_for(served.services, stranger.token)
        assert (await browser.get(address)).status_code == 404
        assert (await browser.post(address, data={"form": token})).status_code == 404
    async with browser_of(served, person) as browser:
        assert (await browser.post(address, data={"text": "x"})).status_code == 403
    assert "log.report" not in [one["action"] for one in await log_of(client, person)]
