"""A worker's forms say whom they go to, and what is wrong where it is wrong."""

import re

import httpx
import pytest

from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson, SomeWorker
from tests.steps import ask, deposit, granted
from tests.vault.decoding import corpus
from tests.web.pages.test_document_list import looked_for
from tests.web.pages.test_pages import a_photo, browser_of
from tests.web.pages.test_worker_pages import adding, form_of, known_of, words
from vault.access_log.entries import list_for_person
from web.i18n.typography import national
from web.pages import forms, worker_doings

ASKED = {
    "type": "payslip",
    "action": "read",
    "purpose_code": "housing",
    "purpose": "Pour votre dossier.",
    "duration": "P1M",
    "legal_basis": "consent",
    "contact_name": "Camille Moreau",
}
Pair = tuple[SomePerson, SomeWorker]


@pytest.fixture
async def pair(client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker) -> Pair:
    """A person who gave a worker something, under the label Marie."""
    person, worker = await make_person(), await make_worker()
    await granted(client, person, worker.headers, "payslip")
    shown = await known_of(client, worker)
    body = {"label": "Marie"}
    await client.patch(f"/v1/people/{shown}", headers=worker.headers, json=body)
    return person, worker


async def asked(
    served: Served, worker: SomeWorker, browser: httpx.AsyncClient, **fields: str | list[str] | None
) -> httpx.Response:
    """`None`: the field is not sent."""
    token = await forms.token_for(served.services, worker.token)
    sent = {**ASKED, "form": token, **fields}
    data = {name: value for name, value in sent.items() if value is not None}
    return await browser.post("/pro/requests/new", data=data)


def linked(page: str) -> list[str]:
    """The fields to which the summary of errors leads."""
    summary = page[page.index('class="problem"') : page.index("<h1>")]
    return re.findall(r'href="#([^"]+)"', summary)


def tied(page: str, field: str) -> bool:
    """Whether the field exists, is said to be wrong, and is described by the message that is there:
    of a group, each control is not said so."""
    control = re.search(rf'<(?:input|select|textarea|fieldset)[^>]* id="{field}"[^>]*>', page)
    assert control is not None, field
    described = re.search(r'aria-describedby="([^"]*)"', control[0])
    assert described is not None, control[0]
    said = f"{field}-wrong"
    return said in described[1].split() and f'id="{said}"' in page and "invalid" in control[0]


async def test_a_request_to_another_number_is_not_said_to_be_for_that_person(
    served: Served, client: httpx.AsyncClient, pair: Pair, make_person: MakePerson
) -> None:
    """On the form, on what is read before it goes, and after."""
    person, worker = pair
    other = (await make_person()).phone
    shown = await known_of(client, worker)
    async with browser_of(served, worker) as browser:
        form = words(await browser.get(f"/pro/requests/new?person={shown}"))
        theirs = words(await asked(served, worker, browser, phone=person.phone, person=shown))
        preview = words(await asked(served, worker, browser, phone=other, person=shown))
        again = {"phone": other, "person": shown, "change": "yes"}
        corrected = words(await asked(served, worker, browser, **again))
        token = await forms.token_for(served.services, worker.token)
        sent = ASKED | {"form": token, "phone": other, "person": shown}
        assert (await browser.post("/pro/requests/send", data=sent)).status_code == 303
        after = words(await browser.get("/pro/requests?done=asked"))
    assert "Pour : Marie" in form
    assert "Pour : Marie, 0" in theirs
    for page in (preview, corrected):
        assert "Pour : Marie" not in page
        assert "Ce numéro n’est pas celui de : Marie" in page
    newest = after.split("La demande est partie")[1].split("Pour votre dossier.")[0]
    assert "Marie" not in newest
    assert f"0{other[3:]}" in newest.replace(" ", "")


async def test_a_person_without_a_number_is_not_said_to_have_the_one_that_is_typed(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, corpus.pdf(1), type_="payslip")
    given = {
        "recipient": {"worker_email": worker.email},
        "scope": {"document_ids": [document["id"]], "actions": ["read"]},
        "purpose": {"code": "housing", "text": "Pour le logement"},
        "duration": "P1M",
    }
    answer = await client.post("/v1/grants", headers=person.headers, json=given)
    assert answer.status_code == 201, answer.text
    shown = await known_of(client, worker)
    async with browser_of(served, worker) as browser:
        page = words(await asked(served, worker, browser, phone=person.phone, person=shown))
    assert "Nous ne savons pas si ce numéro est celui de : cette personne (n° " in page


async def test_whether_a_copy_is_kept_is_said_before_a_request_goes_and_after(
    served: Served, client: httpx.AsyncClient, pair: Pair
) -> None:
    person, worker = pair
    async with browser_of(served, worker) as browser:
        for fields, told in (({}, "Non"), ({"may_store": "yes"}, "Oui")):
            preview = words(await asked(served, worker, browser, phone=person.phone, **fields))
            assert f"Garder une copie {told}" in preview.split("Ce que la personne lira")[1]
            request = await ask(
                client, worker.headers, person.phone, "payslip", may_store=bool(fields)
            )
            sent = words(await browser.get(f"/pro/requests/{request}"))
            assert f"Garder une copie {told}" in sent


async def test_a_person_is_found_by_the_digits_that_the_list_shows(
    served: Served, client: httpx.AsyncClient, pair: Pair, make_person: MakePerson
) -> None:
    """However they are written; and by digits that stand in a label."""
    person, worker = pair
    other = await make_person()
    await granted(client, other, worker.headers, "payslip")
    file_number = person.phone[-6:]
    body = {"label": f"Dossier {file_number}"}
    await client.patch(
        f"/v1/people/{await known_of(client, worker)}", headers=worker.headers, json=body
    )
    shown = national(person.phone)
    arabic = shown.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    written = [shown, shown.replace(" ", "\u202f"), shown.replace(" ", "\xa0"), arabic]
    written += [shown.replace(" ", "."), shown.replace(" ", "-"), shown.replace(" ", "")]
    written += [person.phone, "00" + person.phone[1:]]
    async with browser_of(served, worker) as browser:
        for typed in written:
            page = words(await looked_for(served, browser, worker, typed))
            assert "Marie" in page, typed
            assert "Personne ne correspond" not in page
            in_label = all(part in file_number for part in typed.split())
            assert ("Dossier" in page) is in_label, typed
        both = words(await looked_for(served, browser, worker, file_number))
        assert "Marie" in both
        assert "Dossier" in both


async def test_a_number_that_was_asked_and_did_not_say_yes_is_found_with_what_was_asked(
    served: Served, client: httpx.AsyncClient, pair: Pair, make_worker: MakeWorker
) -> None:
    """Of one's own requests, whatever became of them; of a colleague's, nothing."""
    _, worker = pair
    colleague = await make_worker(worker.organisation_id)
    request = await ask(client, worker.headers, "+33698765432", "payslip")
    await ask(client, colleague.headers, "+33611223344", "payslip")
    async with browser_of(served, worker) as browser:
        asked = await looked_for(served, browser, worker, "98 76 54")
        nobody = words(await looked_for(served, browser, worker, "06 11 22 33 44"))
        named = await looked_for(served, browser, worker, "Marie")
        await client.post(f"/v1/consent-requests/{request}/withdraw", headers=worker.headers)
        withdrawn = words(await looked_for(served, browser, worker, "98 76 54"))
    assert "Personne n’a dit oui avec ce numéro" in words(asked)
    found = asked.text.split("Vos demandes à ce numéro")[1].split("</ul>")[0]
    assert re.findall(r'href="/pro/requests/([^"]+)"', found) == [request]
    assert "Marie" not in words(asked)
    assert "Vos demandes à ce numéro" not in words(named)
    assert "Personne ne correspond. On trouve ici les personnes qui ont dit oui" in nobody
    assert "Vos demandes" not in nobody
    assert "Demande retirée" in withdrawn.split("Vos demandes à ce numéro")[1]


async def added(
    served: Served,
    browser: httpx.AsyncClient,
    worker: SomeWorker,
    grant: str,
    *papers: tuple[str, bytes],
) -> httpx.Response:
    token = await forms.token_for(served.services, worker.token)
    parts: list[tuple[str, str | bytes]] = [("form", token)]
    for row, (code, content) in enumerate(papers, 1):
        parts += [(f"type_{row}", code), ("a.pdf", content)]
    body, headers = form_of(parts)
    return await browser.post(f"/pro/grants/{grant}/add", content=body, headers=headers)


async def test_which_papers_a_grant_permits_is_said_before_one_is_added(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    grant = await adding(client, person, worker, "payslip")
    async with browser_of(served, worker) as browser:
        page = await browser.get(f"/pro/grants/{grant}/add")
    before = page.text[: page.text.index(f'action="/pro/grants/{grant}/add/dates"')]
    assert "La personne permet seulement ces papiers" in before
    assert "<li>Bulletin de salaire (fiche de paie)</li>" in before
    assert before.count("<li>Bulletin") == 1
    codes = re.findall(r'<option value="([^"]+)"', page.text)
    assert set(codes) == {"payslip"}
    # The only one is chosen already, for the first paper.
    assert page.text.count('<option value="payslip" selected>') == 1


async def test_a_paper_of_another_type_says_why_and_leads_to_the_request_for_it(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """It is not added; the next one is. The request has its person, its type and the act."""
    person, worker = await make_person(), await make_worker()
    grant = await adding(client, person, worker, "payslip")
    async with browser_of(served, worker) as browser:
        papers = (("lease", corpus.pdf(1)), ("payslip", corpus.pdf(2)))
        answer = await added(served, browser, worker, grant, *papers)
        unsaid = words(await added(served, browser, worker, grant, ("", corpus.pdf(3))))
        page = answer.text
        (address,) = re.findall(r'<a class="button main" href="(/pro/requests/new[^"]+)"', page)
        form = (await browser.get(address.replace("&amp;", "&"))).text
    assert answer.status_code == 200
    assert tied(page, "type_1")
    assert "La personne ne permet pas d’ajouter cette sorte de papier" in page
    held = (await client.get("/v1/documents", headers=person.headers)).json()["items"]
    assert [one["type"] for one in held] == ["payslip"]
    ticked = re.findall(r'name="(type|action)" value="([^"]+)" checked', form)
    assert ticked == [("type", "lease"), ("action", "deposit")]
    assert f"Pour : {national(person.phone)}" in re.sub(r"<[^>]+>", "", form).replace("\xa0", " ")
    assert "Elle a seulement ce que la personne permet" in unsaid
    assert "Un autre papier »" not in unsaid


async def test_what_is_not_offered_is_not_asked_beforehand(
    served: Served, pair: Pair, client: httpx.AsyncClient
) -> None:
    _, worker = pair
    shown = await known_of(client, worker)
    address = f"/pro/requests/new?person={shown}&type=nothing&type=lease&type=lease&action=erase"
    async with browser_of(served, worker) as browser:
        form = (await browser.get(address)).text
    ticked = re.findall(r'name="(type|action)" value="([^"]+)" checked', form)
    assert ticked == [("type", "lease"), ("action", "attest")]


async def test_a_wrong_paper_has_a_way_out_and_its_type_stands_in_what_i_did(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """The type that was stated; no title, which the owner may write since."""
    person, worker = await make_person(), await make_worker()
    grant = await adding(client, person, worker, "payslip", "lease")
    way_out = "Vous avez ajouté un mauvais papier ? Dites-le à la personne"
    async with browser_of(served, worker) as browser:
        done = words(await added(served, browser, worker, grant, ("lease", corpus.pdf(1))))
        (paper,) = (await client.get("/v1/documents", headers=person.headers)).json()["items"]
        body = {"title": "Chez Zoé", "type": "payslip"}
        address = f"/v1/documents/{paper['id']}"
        assert (await client.patch(address, headers=person.headers, json=body)).is_success
        theirs = words(await browser.get(f"/pro/people/{await known_of(client, worker)}"))
        lines = (await browser.get("/pro/doings")).text
    assert way_out in done
    assert way_out in theirs
    line = next(one for one in lines.split('class="card line') if "ajouté un papier" in one)
    assert "Bail" in line
    assert "Bulletin" not in line
    assert "Zoé" not in lines
    # Of the owner's own, the entry says as little as before.
    await deposit(client, person, corpus.pdf(4), type_="lease")
    entries = await list_for_person(served.services, person.subject, cursor=None, limit=50)
    told = [one.details for one in entries.items if one.action == "document.deposit"]
    assert [one.get("document_type") for one in told] == [None, "lease"]


async def test_a_paper_of_unknown_type_leads_to_saying_what_it_is(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    paper = await deposit(client, person, corpus.pdf(1), type_="other")
    grant = await granted(client, person, worker.headers, document_ids=[paper["id"]])
    await granted(client, person, worker.headers, "payslip")
    await deposit(client, person, corpus.pdf(2), type_="payslip")
    async with browser_of(served, worker) as browser:
        page = (await browser.get(f"/pro/people/{await known_of(client, worker)}")).text
    assert re.findall(r'href="([^"]+/type)"', page) == [
        f"/pro/grants/{grant}/documents/{paper['id']}/type"
    ]


async def test_all_that_is_wrong_with_a_request_is_said_at_once_at_its_field(
    served: Served, pair: Pair
) -> None:
    _, worker = pair
    empty = {"phone": "12", "purpose_code": "", "purpose": " ", "type": None}
    async with browser_of(served, worker) as browser:
        page = (await asked(served, worker, browser, **empty)).text
        long = (await asked(served, worker, browser, phone="12", contact_job="x" * 300)).text
    fields = ["phone", "purpose_code", "purpose", "what"]
    assert linked(page) == fields
    for field in fields:
        assert tied(page, field), field
    assert linked(long) == ["phone", "contact_job"]
    assert tied(long, "contact_job")


async def test_every_group_of_a_request_has_its_legend(served: Served, pair: Pair) -> None:
    _, worker = pair
    async with browser_of(served, worker) as browser:
        page = (await browser.get("/pro/requests/new")).text
    choices = [*re.finditer(r'<input type="(?:radio|checkbox)"[^>]*name="([^"]+)"', page)]
    assert {"type", "action", "may_store"} <= {choice[1] for choice in choices}
    for choice in choices:
        before = page[: choice.start()]
        inside = before.rfind("<fieldset") > before.rfind("</fieldset>")
        assert inside or choice[1] == "may_store", choice[0]
    assert page.count("<fieldset") == page.count("<legend>")


async def test_a_paper_that_is_refused_says_so_at_its_own_field(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    grant = await adding(client, person, worker)
    token = await forms.token_for(served.services, worker.token)
    parts: list[tuple[str, str | bytes]] = [("form", token)]
    parts += [("type_1", "payslip"), ("a.jpg", b"MZ" + b"\0" * 500)]
    parts += [("type_2", ""), ("b.jpg", a_photo("red"))]
    parts += [("type_3", "lease"), ("c.pdf", corpus.pdf(1))]
    address = f"/pro/grants/{grant}/add"
    async with browser_of(served, worker) as browser:
        body, headers = form_of(parts)
        page = (await browser.post(address, content=body, headers=headers)).text
        body, headers = form_of([("form", token), ("type_1", "lease"), ("", b"")])
        empty = (await browser.post(address, content=body, headers=headers)).text
    told = page[page.index('role="status"') : page.index("</section>")]
    assert re.findall(r'href="#([^"]+)"', told) == ["photo", "type_2"]
    for field in ("photo", "type_2"):
        assert tied(page, field), field
    assert 'id="type_3-wrong"' not in page
    assert '<input type="hidden" name="type_1" value="payslip">' in page, "only its file is asked"
    assert "<title>Erreur" in page
    assert linked(empty) == ["photo"]
    assert tied(empty, "photo")


async def test_a_part_of_the_list_without_a_line_leads_on(
    served: Served, client: httpx.AsyncClient, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is looked for is on the next page: this one does not say that there is nothing."""
    person, worker = pair
    papers = [
        (await deposit(client, person, corpus.pdf(pages), type_="lease"))["id"] for pages in (1, 2)
    ]
    for paper in papers:
        grant = await granted(client, person, worker.headers, document_ids=[paper])
        await client.get(f"/v1/grants/{grant}/documents", headers=worker.headers)
    monkeypatch.setattr(worker_doings, "LIMIT", 1)
    monkeypatch.setattr(worker_doings, "_MAX_PAGES", 1)
    async with browser_of(served, worker) as browser:
        first = await browser.get(f"/pro/doings?document={papers[0]}")
        assert "Rien ici" not in first.text
        assert "Il y en a peut-être plus loin" in first.text
        nothing = await browser.get("/pro/doings?only=refused")
        page = first
        for _step in range(20):
            onward = re.search(r'href="(\?cursor=[^"]+)"', page.text)
            if onward is None or 'class="card line' in page.text:
                break
            page = await browser.get("/pro/doings" + onward[1].replace("&amp;", "&"))
        assert 'class="card line' in page.text
        monkeypatch.setattr(worker_doings, "_MAX_PAGES", 100)
        assert "Rien ici" in (await browser.get("/pro/doings?only=refused")).text
    assert "Rien ici" not in nothing.text
