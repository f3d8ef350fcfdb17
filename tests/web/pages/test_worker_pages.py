"""What a worker's pages say: whom they show, which papers, what became of what was sent."""

import csv
import io
import re

import httpx

from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson, SomeWorker
from tests.steps import approve, ask, deposit, granted, log_of
from tests.vault.decoding import corpus
from tests.web.pages.test_pages import a_photo, browser_of
from vault.catalogue import document_types
from web.i18n.catalogue_names import official_name
from web.pages import forms

FIRST_PERSON = re.compile(r"\b(?:mon|ma|mes|my|je|j’ai)\b", re.IGNORECASE)


async def known_of(client: httpx.AsyncClient, worker: SomeWorker) -> str:
    answer = await client.get("/v1/people", headers=worker.headers)
    return str(answer.json()["items"][0]["id"])


def words(answer: httpx.Response) -> str:
    """The words of a page, without its tags."""
    text = re.sub(r"<[^>]+>", " ", answer.text)
    return " ".join(text.replace("\xa0", " ").replace("\u202f", " ").split())


async def adding(
    client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker, *types: str
) -> str:
    request = await ask(client, worker.headers, person.phone, *types, actions=["deposit"])
    return str((await approve(client, person, request))["id"])


def test_no_name_of_a_paper_is_in_the_first_person_for_a_worker() -> None:
    for language in ("fr", "falc", "en"):
        names = [official_name(entry.code, language) for entry in document_types()]
        assert [name for name in names if FIRST_PERSON.search(name)] == []
    assert official_name("payslip", "fr") == "Bulletin de salaire (fiche de paie)"
    assert "(bulletin de salaire" in official_name("payslip", "ar")


async def test_each_paper_is_there_once_under_the_grants_that_show_it(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    await deposit(client, person, corpus.pdf(1), type_="payslip", title="Paie de mai")
    for reason in ("Pour le logement", "Pour la cantine"):
        purpose = {"code": "housing", "text": reason}
        await granted(client, person, worker.headers, "payslip", purpose=purpose)
    async with browser_of(served, worker) as browser:
        page = await browser.get(f"/pro/people/{await known_of(client, worker)}")
    assert page.text.count("Paie de mai") == 1
    card = words(page).split("Paie de mai")[1].split("Demander des papiers")[0]
    assert "Pour le logement" in card
    assert "Pour la cantine" in card
    assert card.count("Télécharger le papier (PDF, ") == 1


async def test_a_paper_that_may_not_be_read_is_named_and_not_opened(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    called = {"type_": "payslip", "title": "Paie de Zoé"}
    document = await deposit(client, person, corpus.pdf(1), **called)
    grant = await granted(client, person, worker.headers, "payslip", actions=["attest"])
    async with browser_of(served, worker) as browser:
        for address in (
            f"/pro/people/{await known_of(client, worker)}",
            f"/pro/grants/{grant}/documents/{document['id']}",
        ):
            page = await browser.get(address)
            assert "Vous ne pouvez pas le voir" in page.text
            assert "Zoé" not in page.text
            assert "/content" not in page.text
            assert "/preview" not in page.text
        assert "Zoé" not in (await browser.get(f"/pro/grants/{grant}")).text


async def test_the_bytes_that_are_opened_are_those_of_the_api(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """The watermark is of the page: name and date are in no byte that leaves."""
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, a_photo(), type_="payslip", name="a.jpg")
    grant = await granted(client, person, worker.headers, "payslip")
    path = f"grants/{grant}/documents/{document['id']}"
    given = await client.get(f"/v1/{path}/content", headers=worker.headers)
    async with browser_of(served, worker) as browser:
        page = await browser.get(f"/pro/{path}")
        assert page.text.count("Camille Moreau, ") == 6
        shown = re.findall(r'<img src="([^"]+)"', page.text)
        assert shown == [f"/pro/{path}/content"]
        assert (await browser.get(shown[0])).content == given.content


async def test_many_papers_are_asked_about_at_once_each_recorded(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    await deposit(client, person, corpus.pdf(1), type_="payslip", issued_on="2026-05-01")
    grant = await granted(client, person, worker.headers, "payslip", "lease", actions=["attest"])
    async with browser_of(served, worker) as browser:
        asked = "?type=payslip&type=lease&type=passport&type=payslip"
        page = await browser.get(f"/pro/grants/{grant}/evidence{asked}")
        alone = await browser.get(f"/pro/grants/{grant}/evidence?type=passport")
        nothing = await browser.get(f"/pro/grants/{grant}/evidence")
    assert (page.status_code, alone.status_code, nothing.status_code) == (200, 403, 422)
    assert page.text.count("Oui, la personne a ce papier") == 1
    assert page.text.count("Non, ce papier n’est pas") == 2
    lines = [one for one in await log_of(client, person) if one["action"] == "document.attest"]
    assert [one["outcome"] for one in reversed(lines)] == ["allowed", "allowed", *["refused"] * 2]


async def test_a_deposit_that_is_sent_twice_adds_each_paper_once(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    grant = await adding(client, person, worker, "payslip", "lease")
    token = await forms.token_for(served.services, worker.token)
    parts = [("form", token), ("once", "one-form"), ("type_1", "payslip"), ("a.jpg", a_photo())]
    parts += [("type_2", "passport"), ("b.jpg", a_photo("red"))]
    parts += [("type_3", ""), ("", b""), ("type_4", "lease"), ("c.pdf", corpus.pdf(1))]
    body, headers = form_of(parts)
    async with browser_of(served, worker) as browser:
        address = f"/pro/grants/{grant}/add"
        pages = [await browser.post(address, content=body, headers=headers) for _ in range(2)]
    for page in pages:
        assert page.status_code == 200
        told = words(page).split("Ce qui s’est passé")[1].split("Ces papiers vont")[0]
        assert told.count("C’est ajouté.") == 2
        assert "Passeport" in told
    held = (await client.get("/v1/documents", headers=person.headers)).json()["items"]
    assert sorted(one["type"] for one in held) == ["lease", "payslip"]
    assert {one["deposited_by"]["name"] for one in held} == {"Camille Moreau"}


async def test_a_form_without_a_file_is_told_so_and_a_grant_that_adds_nothing_has_none(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    grant = await adding(client, person, worker)
    reading = await granted(client, person, worker.headers, "payslip")
    token = await forms.token_for(served.services, worker.token)
    body, headers = form_of([("form", token), ("type_1", "payslip"), ("", b"")])
    async with browser_of(served, worker) as browser:
        empty = await browser.post(f"/pro/grants/{grant}/add", content=body, headers=headers)
        page = await browser.get(f"/pro/grants/{reading}/add")
    assert empty.status_code == 422
    assert 'class="problem"' in empty.text
    assert "Cet accord ne permet pas d’ajouter" in page.text
    assert 'type="file"' not in page.text


def form_of(parts: list[tuple[str, str | bytes]]) -> tuple[bytes, dict[str, str]]:
    """A form as browsers send it: fields are text, files bytes, in order."""
    body = b""
    for name, value in parts:
        if isinstance(value, str):
            head, data = f'form-data; name="{name}"', value.encode()
        else:
            head, data = f'form-data; name="file"; filename="{name}"', value
        body += f"--limit\r\nContent-Disposition: {head}\r\n\r\n".encode() + data + b"\r\n"
    return body + b"--limit--\r\n", {"content-type": "multipart/form-data; boundary=limit"}


async def test_what_i_did_is_found_by_person_and_paper_and_taken_as_a_table(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    worker, people = await make_worker(), [await make_person() for _ in range(2)]
    papers = []
    for person in people:
        papers.append((await deposit(client, person, corpus.pdf(1), type_="payslip"))["id"])
        grant = await granted(client, person, worker.headers, "payslip")
        await client.get(f"/v1/grants/{grant}/documents", headers=worker.headers)
    shown = await known_of(client, worker)  # the second one, who gave last
    body = {"label": "=Malik"}
    await client.patch(f"/v1/people/{shown}", headers=worker.headers, json=body)
    async with browser_of(served, worker) as browser:
        pages = {
            query: (await browser.get(f"/pro/doings{query}")).text.count('class="card line')
            for query in ("", f"?person={shown}", f"?document={papers[0]}", "?only=refused")
        }
        tables = [
            (await browser.get(f"/pro/doings.csv?person={shown}{names}")).content
            for names in ("", "&names=yes")
        ]
    assert list(pages.values()) == [2, 1, 1, 0]
    for content, who in zip(tables, (shown, "'=Malik"), strict=True):
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))
        assert rows[0][:3] == ["Quand", "Ce qui s’est passé", "Personne"]
        assert [row[2].replace("'-", "-") for row in rows[1:]] == [who]
        assert [row[7].replace("'-", "-") for row in rows[1:]] == [papers[1]]


async def test_a_worker_reads_how_people_see_them(served: Served, make_worker: MakeWorker) -> None:
    worker = await make_worker()
    async with browser_of(served, worker) as browser:
        page = words(await browser.get("/pro/account"))
    for said in ("Camille Moreau", "Assistante sociale", "03 20 00 00 01", "9 h - 17 h"):
        assert said in page


async def test_the_address_by_which_a_person_names_a_worker_is_on_their_account(
    served: Served, make_person: MakePerson, make_worker: MakeWorker, client: httpx.AsyncClient
) -> None:
    """And the person reads where it is, where they are asked for it."""
    person, worker = await make_person(), await make_worker()
    paper = await deposit(client, person, corpus.pdf(1), type_="payslip")
    address = f"/grants/new/who?document={paper['id']}&purpose_code=housing&duration=P7D"
    async with browser_of(served, worker) as browser:
        account = words(await browser.get("/pro/account"))
    async with browser_of(served, person) as browser:
        who = words(await browser.get(address))
    assert f"Donnez cette adresse à la personne : {worker.email}" in account
    assert "Mon compte" in who
