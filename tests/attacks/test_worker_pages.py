"""Invariants 1, 3 and 7 on a worker's pages: they show what the worker's own grants show at that
moment, after the line that says so; another worker's id, label, request or grant is nowhere."""

import re
from collections.abc import Iterator

import httpx
import pytest

from base.ids import new_id
from tests.attacks.test_people import LABEL, known, labelled
from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson, SomeWorker
from tests.steps import ask, deposit, given_paper, granted, log_of, revoke
from tests.vault.decoding import corpus
from tests.web.pages.test_document_list import looked_for
from tests.web.pages.test_pages import browser_of
from tests.web.pages.test_worker_pages import form_of
from web.pages import forms

TITLE = "Fiche de Quertinmont"
Trio = tuple[SomePerson, SomeWorker, SomeWorker]


@pytest.fixture
async def trio(make_person: MakePerson, make_worker: MakeWorker) -> Trio:
    """A person, a worker, and a colleague of the same organisation."""
    worker = await make_worker()
    return await make_person(), worker, await make_worker(worker.organisation_id)


def plain(answer: httpx.Response) -> tuple[int, str]:
    """An answer without what differs each time."""
    changing = r'name="form" value="[^"]+"|href="[^"]*"|aria-current="[^"]*"| '
    return answer.status_code, re.sub(changing, "", answer.text)


def below(shown: str) -> Iterator[str]:
    yield f"/pro/people/{shown}"
    yield f"/pro/people/{shown}/label"
    yield f"/pro/requests/new?person={shown}"


async def test_a_person_of_a_colleague_answers_as_nobody(
    served: Served, client: httpx.AsyncClient, trio: Trio
) -> None:
    """The colleague's id of the person whom both know, the person's own id, a guess."""
    person, worker, colleague = trio
    theirs = await labelled(client, person, colleague)
    await granted(client, person, worker.headers, "payslip")
    mine = (await known(client, worker.headers))[0]["id"]
    async with browser_of(served, worker) as browser:
        for address in below(mine):
            assert (await browser.get(address)).status_code == 200
        before = len(await log_of(client, person))
        for nobody in (theirs, str(person.id), str(new_id())):
            answers = [plain(await browser.get(address)) for address in below(nobody)]
            assert {status for status, _ in answers} == {404}
            assert len(set(answers)) == 1
            assert LABEL not in answers[0][1]
        assert len(await log_of(client, person)) == before


async def test_a_label_is_on_no_page_of_anyone_else_and_nobody_else_writes_it(
    served: Served, client: httpx.AsyncClient, trio: Trio
) -> None:
    person, worker, colleague = trio
    theirs = await labelled(client, person, colleague)
    grant = await granted(client, person, worker.headers, "payslip")
    mine = (await known(client, worker.headers))[0]["id"]
    async with browser_of(served, worker) as browser:
        pages = ["/pro/people", "/pro/requests", "/pro/doings"]
        pages.append(str((await looked_for(served, browser, worker, "Zoé")).request.url))
        pages += ["/pro/doings.csv?names=yes", f"/pro/grants/{grant}", *below(mine)]
        for address in pages:
            answer = await browser.get(address)
            assert answer.status_code == 200, address
            assert "Quertinmont" not in answer.text, address
        token = await forms.token_for(served.services, worker.token)
        sent = {"form": token, "label": "autre"}
        answer = await browser.post(f"/pro/people/{theirs}/label", data=sent)
        assert answer.status_code == 404
    assert [one["label"] for one in await known(client, colleague.headers)] == [LABEL]
    async with browser_of(served, person) as browser:
        for address in ("/grants", "/access-log", "/access-log?mine=1"):
            assert "Quertinmont" not in (await browser.get(address)).text


async def test_a_grant_that_ended_shows_no_paper_on_any_page(
    served: Served, client: httpx.AsyncClient, trio: Trio
) -> None:
    """Stopped by the person: from the next page on, neither a paper nor its name; whom it came
    from, still."""
    person, worker, _ = trio
    document = await deposit(client, person, corpus.pdf(1), type_="payslip", title=TITLE)
    grant = await granted(client, person, worker.headers, "payslip")
    shown = (await known(client, worker.headers))[0]["id"]
    paper = f"/pro/grants/{grant}/documents/{document['id']}"
    under = [f"/pro/grants/{grant}", paper, f"{paper}/content"]
    under += [f"/pro/grants/{grant}/evidence?type=payslip&type=lease"]
    async with browser_of(served, worker) as browser:
        assert TITLE in (await browser.get(f"/pro/people/{shown}")).text
        for address in (under[0], paper):
            assert TITLE in (await browser.get(address)).text
        await revoke(client, person, grant)
        page = await browser.get(f"/pro/people/{shown}")
        assert page.status_code == 200
        assert TITLE not in page.text
        assert document["id"] not in page.text
        assert "La personne a arrêté cet accès le" in page.text
        for address in under:
            answer = await browser.get(address)
            assert answer.status_code == 403, address
            assert TITLE not in answer.text
        for address in ("/pro/people", "/pro/requests", "/pro/doings"):
            assert TITLE not in (await browser.get(address)).text
        token = await forms.token_for(served.services, worker.token)
        fields = {"form": token, "type_1": "payslip"}
        files = {"file": ("a.pdf", corpus.pdf(3))}
        answer = await browser.post(f"/pro/grants/{grant}/add", data=fields, files=files)
        assert answer.status_code == 403
    held = (await client.get("/v1/documents", headers=person.headers)).json()["items"]
    assert [one["id"] for one in held] == [document["id"]]


async def test_a_grant_of_a_colleague_and_a_paper_outside_one_s_own_answer_as_nothing(
    served: Served, client: httpx.AsyncClient, trio: Trio
) -> None:
    person, worker, colleague = trio
    seen = await deposit(client, person, corpus.pdf(1), type_="payslip", title=TITLE)
    hidden = await deposit(client, person, corpus.pdf(2), type_="lease", title="Bail caché")
    theirs = await granted(client, person, colleague.headers, "lease")
    mine = await granted(client, person, worker.headers, "payslip")
    request = await ask(client, colleague.headers, person.phone, "lease")
    async with browser_of(served, worker) as browser:
        nothing = plain(await browser.get(f"/pro/grants/{new_id()}"))
        assert nothing[0] == 404
        tried = [f"/pro/grants/{theirs}{end}" for end in ("", "/add", "/give-back")]
        tried += [f"/pro/grants/{theirs}/documents/{hidden['id']}"]
        tried += [f"/pro/grants/{theirs}/evidence?type=lease"]
        tried += [f"/pro/grants/{mine}/documents/{one}" for one in (hidden["id"], new_id())]
        tried += [f"/pro/requests/{request}", f"/pro/requests/{request}/withdraw"]
        for address in tried:
            assert plain(await browser.get(address)) == nothing, address
        assert (await browser.get(f"/pro/grants/{mine}/documents/{seen['id']}")).status_code == 200
        token = {"form": await forms.token_for(served.services, worker.token)}
        for address in (f"/pro/grants/{theirs}/give-back", f"/pro/requests/{request}/withdraw"):
            assert (await browser.post(address, data=token)).status_code == 404
    live = (await client.get("/v1/grants", headers=colleague.headers)).json()["items"]
    assert {one["state"] for one in live} == {"live"}


async def test_each_page_of_papers_is_a_line_before_it_is_a_page(
    served: Served, client: httpx.AsyncClient, trio: Trio
) -> None:
    """And the pages that show no paper, to ask, to label, to give back, are none."""
    person, worker, _ = trio
    document = await deposit(client, person, corpus.pdf(1), type_="payslip")
    grant = await granted(client, person, worker.headers, "payslip")
    shown = (await known(client, worker.headers))[0]["id"]
    lines = [
        (f"/pro/people/{shown}", ["document.list"]),
        (f"/pro/grants/{grant}", ["document.list"]),
        (f"/pro/grants/{grant}/documents/{document['id']}", ["document.list"]),
        (f"/pro/grants/{grant}/evidence?type=payslip&type=payslip", ["document.attest"]),
        ("/pro/people", []),
        (f"/pro/people/{shown}/label", []),
        (f"/pro/requests/new?person={shown}", []),
        (f"/pro/grants/{grant}/give-back", []),
        ("/pro/doings.csv", []),
    ]
    async with browser_of(served, worker) as browser:
        for address, expected in lines:
            before = len(await log_of(client, person))
            assert (await browser.get(address)).status_code == 200
            now = await log_of(client, person)
            added = now[: len(now) - before]
            assert [one["action"] for one in added] == expected, address
            assert all(one["documents"] == [document["id"]] for one in added)


async def test_what_a_worker_did_does_not_tell_that_a_paper_was_deleted(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Its person's page, to which its line leads, does, and is recorded."""
    paper = await given_paper(client, make_person, make_worker, corpus.pdf(1))
    async with browser_of(served, paper.worker) as browser:
        await browser.get(f"/pro{paper.under}")
        before = plain(await browser.get("/pro/doings"))
        deleted = await client.delete(f"/v1{paper.own}", headers=paper.person.headers)
        assert deleted.is_success
        after = await browser.get("/pro/doings")
        assert plain(after) == before
        lines = after.text.split('<ul class="papers">')[1].split("</ul>")[0]
        leads = re.findall(r'href="([^"]+)"', lines)
        theirs = (await client.get("/v1/people", headers=paper.worker.headers)).json()["items"]
        assert leads == [f"/pro/people/{theirs[0]['id']}"]
        for address in leads:
            page = await browser.get(address)
            assert page.status_code == 200, address
            assert f'id="paper-{paper.document["id"]}"' not in page.text


async def test_a_deposit_from_another_site_keeps_nothing(
    served: Served, client: httpx.AsyncClient, trio: Trio
) -> None:
    """Its first paper would be committed while the others arrive: the token is looked at before."""
    person, worker, _ = trio
    grant = await granted(client, person, worker.headers, "payslip", actions=["deposit"])
    papers = [("type_1", "payslip"), ("a.pdf", corpus.pdf(1))]
    papers += [("type_2", "payslip"), ("b.pdf", corpus.pdf(2))]
    async with browser_of(served, worker) as browser:
        for token in ([], [("form", "x" * 86)]):
            body, headers = form_of([*token, *papers])
            answer = await browser.post(f"/pro/grants/{grant}/add", content=body, headers=headers)
            assert answer.status_code == 403
    assert (await client.get("/v1/documents", headers=person.headers)).json()["items"] == []
