"""What is printed, over HTTP: by the API and by the pages, for those that it concerns."""

import httpx
import pytest

from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson, SomeWorker
from tests.steps import ask, deposit, granted, is_problem, log_of
from tests.vault.decoding import corpus
from tests.web.pages.test_pages import browser_of
from tests.web.printouts.reading import opened, text_of

HOSTILE = "محمد #eval(1) 王"


@pytest.fixture
async def shared(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> tuple[SomePerson, SomeWorker, dict[str, str]]:
    """A person with a paper, a grant of it and a request; the worker; the paths of each page."""
    person, worker = await make_person(), await make_worker(name=HOSTILE)
    kept = await deposit(client, person, corpus.pdf(1), type_="payslip", title="Fiche de mars")
    grant = await granted(client, person, worker.headers, "payslip")
    request = await ask(client, worker.headers, person.phone, "payslip")
    paths = {
        "log": "/v1/access-log.pdf",
        "receipt": f"/v1/grants/{grant}/receipt.pdf",
        "request": f"/v1/consent-requests/{request}/sheet.pdf",
        "paper": f"/v1/documents/{kept['id']}/sheet.pdf",
    }
    return person, worker, paths


async def test_each_is_a_tagged_pdf_in_the_language_of_its_reader(
    client: httpx.AsyncClient, shared: tuple[SomePerson, SomeWorker, dict[str, str]]
) -> None:
    person, _, paths = shared
    told = {
        "log": ("Qui a regardé mes papiers", "Who looked at my papers"),
        "receipt": ("Reçu d’un accord", "Receipt of an agreement"),
        "request": ("Une demande", "A request"),
        "paper": ("Fiche de mars", "Fiche de mars"),
    }
    for name, path in paths.items():
        for language, title in zip(("fr", "en"), told[name], strict=True):
            headers = person.headers | {"Accept-Language": language}
            answer = await client.get(path, headers=headers)
            assert answer.status_code == 200, path
            assert answer.headers["content-type"] == "application/pdf"
            assert answer.headers["content-disposition"].startswith("attachment; filename=")
            assert answer.headers["cache-control"] == "no-store"
            with opened(answer.content) as pdf:
                assert (str(pdf.Root.Lang), str(pdf.docinfo.Title)) == (language, title)
                assert "/StructTreeRoot" in pdf.Root


async def test_they_say_who_sees_what(
    client: httpx.AsyncClient, shared: tuple[SomePerson, SomeWorker, dict[str, str]]
) -> None:
    person, worker, paths = shared
    for name, path in paths.items():
        text = text_of((await client.get(path, headers=person.headers)).content)
        assert "#eval(1) �" in text, name
        assert "محمد" in text, name
        assert worker.subject.organisation in text, name
    paper = text_of((await client.get(paths["paper"], headers=person.headers)).content)
    assert "peut le voir, jusqu’au" in paper
    grant = paths["receipt"].removesuffix("/receipt.pdf")
    await client.post(f"{grant}/revoke", headers=person.headers)
    paper = text_of((await client.get(paths["paper"], headers=person.headers)).content)
    assert "Personne d’autre que vous." in paper
    receipt = text_of((await client.get(paths["receipt"], headers=worker.headers)).content)
    assert "cet accord est : Arrêté." in receipt


async def test_a_receipt_is_for_both_sides_and_the_rest_for_the_person(
    client: httpx.AsyncClient,
    shared: tuple[SomePerson, SomeWorker, dict[str, str]],
    make_person: MakePerson,
) -> None:
    person, worker, paths = shared
    other = await make_person()
    for name, path in paths.items():
        assert (await client.get(path)).status_code == 401
        by_worker = await client.get(path, headers=worker.headers)
        assert by_worker.status_code == (200 if name == "receipt" else 403), name
        by_other = await client.get(path, headers=other.headers)
        if name == "log":
            assert "محمد" not in text_of(by_other.content)
        else:
            is_problem(by_other, 404, "not_found")
    given = text_of((await client.get(paths["receipt"], headers=worker.headers)).content)
    assert "Fiche de mars" not in given
    assert person.phone not in given


async def test_each_look_is_recorded(
    client: httpx.AsyncClient, shared: tuple[SomePerson, SomeWorker, dict[str, str]]
) -> None:
    """The paper and the receipt, like what they are made of."""
    person, worker, paths = shared
    before = len(await log_of(client, person))
    await client.get(paths["receipt"], headers=worker.headers)
    await client.get(paths["paper"], headers=person.headers)
    newest = (await log_of(client, person))[: len(await log_of(client, person)) - before]
    assert [entry["action"] for entry in newest] == ["document.list", "grant.see"]


async def test_pages_offer_each_to_print(
    served: Served, shared: tuple[SomePerson, SomeWorker, dict[str, str]]
) -> None:
    person, worker, paths = shared
    pages = {
        "log": "/access-log",
        "receipt": "/grants",
        "request": paths["request"].replace("/v1/consent-requests", "/requests").rpartition("/")[0],
        "paper": paths["paper"].removeprefix("/v1").rpartition("/")[0],
    }
    async with browser_of(served, person) as browser:
        for name, path in paths.items():
            link = path.replace("/v1/consent-requests", "/requests").removeprefix("/v1")
            assert f'href="{link}"' in (await browser.get(pages[name])).text, name
            answer = await browser.get(link)
            assert answer.status_code == 200, link
            assert answer.headers["content-type"] == "application/pdf"
    cookies = {"unefois-worker": worker.token}
    async with httpx.AsyncClient(
        base_url=served.base_url, cookies=cookies, trust_env=False
    ) as browser:
        grant = "/pro" + paths["receipt"].removeprefix("/v1").rpartition("/")[0]
        assert f'href="{grant}/receipt.pdf"' in (await browser.get(grant)).text
        assert (await browser.get(f"{grant}/receipt.pdf")).content.startswith(b"%PDF")
