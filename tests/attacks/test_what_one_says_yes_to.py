"""A yes gives what the summary said, once, of one's own papers only."""

import asyncio
from datetime import datetime

import httpx
import pytest

from base.db_time import instant
from base.locks import hold_vault
from tests.fixtures import MakePerson, MakeWorker, Served, SomeWorker
from tests.steps import approve, ask, deposit, granted, log_of
from tests.vault.decoding import corpus
from tests.web.pages.answers import send, summary, yes_of
from tests.web.pages.test_giving import summary_of_gift
from tests.web.pages.test_pages import browser_of
from tests.web.pages.test_requests import grants_of
from vault.services import Services


async def test_a_yes_without_its_summary_gives_nothing(
    served: Served, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    async with browser_of(served, person) as browser:
        paper, other = [
            await deposit(browser, person, corpus.pdf(n), type_="payslip") for n in (1, 2)
        ]
        request = await ask(browser, worker.headers, person.phone, "payslip")
        address = f"/requests/{request}/approve"
        fields = yes_of(await summary(browser, request, ("document", paper["id"])), address)
        for changed in (
            [*fields, ("document", other["id"])],
            [(name, "P1D" if name == "duration" else value) for name, value in fields],
            [*fields, ("later", "yes"), ("document", other["id"])],
            [one for one in fields if one[0] != "seen"],
        ):
            answer = await send(browser, address, changed)
            assert answer.status_code == 422
            assert "Rien n’est encore donné" in answer.text
        assert await grants_of(browser, person) == []
        assert (await send(browser, address, fields)).status_code == 303


async def test_a_vault_that_changed_meanwhile_is_read_again(
    served: Served, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    async with browser_of(served, person) as browser:
        paper = await deposit(browser, person, corpus.pdf(1), type_="payslip")
        request = await ask(browser, worker.headers, person.phone, "payslip")
        address = f"/requests/{request}/approve"
        fields = yes_of(await summary(browser, request, ("document", paper["id"])), address)
        # A type whose every paper was ticked is given as a type: here is one more of them.
        await deposit(browser, person, corpus.pdf(2), type_="payslip")
        answer = await send(browser, address, fields)
        assert answer.status_code == 422
        assert "Quelque chose a changé" in answer.text
        assert await grants_of(browser, person) == []
        # The page is the new summary: its own yes is one to it.
        again = yes_of(answer.text, address)
        assert (await send(browser, address, again)).status_code == 303
        given = (await grants_of(browser, person))[0]["scope"]
        assert isinstance(given, dict)
        assert (given["document_types"], given["document_ids"]) == ([], [paper["id"]])


async def test_another_s_paper_or_request_cannot_be_slipped_in(
    served: Served, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, other, worker = await make_person(), await make_person(), await make_worker()
    async with browser_of(served, person) as browser, browser_of(served, other) as stranger:
        mine = await deposit(browser, person, corpus.pdf(1), type_="payslip")
        theirs = await deposit(stranger, other, corpus.pdf(2), type_="payslip")
        request = await ask(browser, worker.headers, person.phone, "payslip")
        address = f"/requests/{request}/approve"
        # 1. Another's paper beside one's own is no part of the summary, nor of the grant.
        ticks = (("document", mine["id"]), ("document", theirs["id"]))
        page = await summary(browser, request, *ticks)
        assert "1 papier à" in page
        fields = yes_of(page, address)
        # 2. Another person answers nothing, with those fields or with their own.
        for step in ("", "/why", "/papers", "/until", "/check", "/add"):
            assert (await stranger.get(f"/requests/{request}{step}")).status_code == 404
        own = await ask(browser, worker.headers, other.phone, "payslip")
        page = await summary(stranger, own, ("document", theirs["id"]))
        stolen = yes_of(page, f"/requests/{own}/approve")
        assert (await send(stranger, address, stolen)).status_code == 404
        # 3. A form of another session is none of ours.
        assert (await send(stranger, address, fields)).status_code == 403
        assert (await send(browser, address, fields)).status_code == 303
        given = (await grants_of(browser, person))[0]["scope"]
        assert theirs["id"] not in str(given)
        assert await grants_of(stranger, other) == []


async def test_the_yes_of_before_answers_no_other_request(
    served: Served, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    async with browser_of(served, person) as browser:
        paper = await deposit(browser, person, corpus.pdf(1), type_="payslip")
        first, second = [
            await ask(browser, worker.headers, person.phone, "payslip") for _ in range(2)
        ]
        page = await summary(browser, first, ("document", paper["id"]))
        fields = yes_of(page, f"/requests/{first}/approve")
        assert (await send(browser, f"/requests/{second}/approve", fields)).status_code == 422
        assert (await send(browser, f"/requests/{first}/approve", fields)).status_code == 303
        # Ended since: the same yes gives nothing new.
        grant = (await grants_of(browser, person))[0]["id"]
        await browser.post(f"/v1/grants/{grant}/revoke", headers=person.headers)
        await send(browser, f"/requests/{first}/approve", fields)
        live = await browser.get("/v1/grants?state=live", headers=person.headers)
        assert live.json()["items"] == []
        # Without the key of its page neither: the request has its answer, which is shown.
        bare = [one for one in fields if one[0] != "once"]
        answer = await send(browser, f"/requests/{first}/approve", bare)
        assert answer.headers["location"] == f"/requests/{first}"
        live = await browser.get("/v1/grants?state=live", headers=person.headers)
        assert live.json()["items"] == []
        refused = [one for one in await log_of(browser, person) if one["outcome"] == "refused"]
        assert [one["action"] for one in refused].count("consent.approve") == 1


async def test_a_yes_in_other_languages_than_the_summary_s_is_none(
    served: Served, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    async with browser_of(served, person) as browser:
        request = await ask(browser, worker.headers, person.phone, "payslip")
        address = f"/requests/{request}/approve"
        fields = yes_of(await summary(browser, request, ("type", "payslip")), address)
        cookies = {"unefois-person": person.token, "unefois-language": "uk"}
        async with httpx.AsyncClient(base_url=served.base_url, cookies=cookies) as elsewhere:
            answer = await send(elsewhere, address, fields)
            assert answer.status_code == 422
            assert await grants_of(browser, person) == []
            again = yes_of(answer.text, address)
            assert (await send(elsewhere, address, again)).status_code == 303


async def test_a_gift_is_of_one_s_own_papers_as_the_summary_said(
    served: Served, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, other, worker = await make_person(), await make_person(), await make_worker()
    async with browser_of(served, person) as browser, browser_of(served, other) as stranger:
        mine = await deposit(browser, person, corpus.pdf(1), type_="payslip")
        theirs = await deposit(stranger, other, corpus.pdf(2), type_="payslip")
        to = ("email", worker.email)
        # 1. Another's paper is not there, alone or beside one's own.
        page = await summary_of_gift(served, browser, person, [("document", theirs["id"]), to])
        assert page.status_code == 422
        both = [("document", theirs["id"]), ("document", mine["id"]), to]
        page = await summary_of_gift(served, browser, person, both)
        assert "1 papier à" in page.text
        assert theirs["id"] not in page.text
        fields = yes_of(page.text, "/grants/new")
        # 2. Whom, until when and why are those of the summary, or nothing is given.
        elsewhere = (await make_worker()).email
        for name, value in (("email", elsewhere), ("duration", "P12M"), ("purpose_code", "other")):
            changed = [(field, value if field == name else kept) for field, kept in fields]
            answer = await send(browser, "/grants/new", changed)
            assert answer.status_code == 422
            assert "Rien n’est encore donné" in answer.text
        # 3. Another session's form gives nothing, in either vault.
        assert (await send(stranger, "/grants/new", fields)).status_code == 403
        assert await grants_of(browser, person) == await grants_of(stranger, other) == []
        # 4. A yes that is sent many times at once is one.
        sent = [send(browser, "/grants/new", fields) for _ in range(4)]
        assert {one.status_code for one in await asyncio.gather(*sent)} == {303}
        assert len(await grants_of(browser, person)) == 1


async def test_papers_picked_one_by_one_open_no_deposit_of_every_type(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Asked: to see payslips and to add some. Narrowed to one payslip, adding names no type more:
    it would be a deposit of anything."""
    person, worker = await make_person(), await make_worker()
    paper = await deposit(client, person, corpus.pdf(1), type_="payslip")
    both = {"actions": ["read", "deposit"]}
    request = await ask(client, worker.headers, person.phone, "payslip", **both)
    picked = {"scope": {"document_ids": [paper["id"]]}}
    grant = await approve(client, person, request, **picked)
    assert grant["scope"]["actions"] == ["read"]
    request = await ask(client, worker.headers, person.phone, "payslip", actions=["deposit"])
    path = f"/v1/consent-requests/{request}/approve"
    none = {"scope": {"document_types": []}}
    answer = await client.post(path, headers=person.headers, json=none)
    assert (answer.status_code, answer.json()["code"]) == (422, "nothing_granted")
    request = await ask(client, worker.headers, person.phone, "payslip", **both)
    grant = await approve(client, person, request)
    assert grant["scope"]["actions"] == ["read", "deposit"]


async def test_a_paper_restored_from_the_trash_is_in_no_grant_given_meanwhile(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """The list of the yes did not have it: restoring is adding, but for grants of before, and for
    those that take what comes later."""
    person, worker = await make_person(), await make_worker()
    kept = await deposit(client, person, corpus.pdf(1), type_="payslip")
    paper = await deposit(client, person, corpus.pdf(2), type_="payslip")
    path = f"/v1/documents/{paper['id']}"
    before = await granted(client, person, worker.headers, "payslip")
    # 1. In the trash and back, with no yes in between: as it was.
    await client.delete(path, headers=person.headers)
    await client.post(f"{path}/restore", headers=person.headers)
    assert await shown(client, worker, before) == {kept["id"], paper["id"]}
    # 2. A yes in between is to the papers that were there.
    await client.delete(path, headers=person.headers)
    meanwhile = await granted(client, person, worker.headers, "payslip")
    future = {"covers_future": True}
    later = await granted(client, person, worker.headers, "payslip", narrower=future)
    assert (await client.post(f"{path}/restore", headers=person.headers)).status_code == 200
    assert await shown(client, worker, meanwhile) == {kept["id"]}
    assert await shown(client, worker, later) == {kept["id"], paper["id"]}
    under = f"/v1/grants/{meanwhile}"
    content = f"{under}/documents/{paper['id']}/content"
    assert (await client.get(content, headers=worker.headers)).status_code == 404
    told = await client.get(f"{under}/evidence?type=payslip", headers=worker.headers)
    assert told.json()["documents"] == 1


async def test_a_paper_restored_on_the_page_is_in_no_grant_given_meanwhile(
    served: Served, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    async with browser_of(served, person) as browser:
        paper = await deposit(browser, person, corpus.pdf(1), type_="payslip")
        await browser.delete(f"/v1/documents/{paper['id']}", headers=person.headers)
        grant = await granted(browser, person, worker.headers, "payslip")
        page = (await browser.get("/documents/deleted")).text
        address = f"/documents/{paper['id']}/restore"
        assert (await send(browser, address, yes_of(page, address))).status_code == 303
        assert await shown(browser, worker, grant) == set()


@pytest.mark.parametrize("way", ["given", "approved"])
async def test_a_grant_waits_for_a_paper_that_is_being_restored(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    way: str,
) -> None:
    """Either the one or the other is first: no grant is given beside a restoring that sees none."""
    person, worker = await make_person(), await make_worker()
    if way == "given":
        path, body = (
            "/v1/grants",
            {
                "recipient": {"worker_id": str(worker.id)},
                "purpose": {"code": "housing", "text": "Un logement"},
                "duration": "P1M",
                "covers_future": False,
                "scope": {"document_types": ["payslip"], "actions": ["read"]},
            },
        )
    else:
        request = await ask(client, worker.headers, person.phone, "payslip")
        path, body = f"/v1/consent-requests/{request}/approve", {}
    async with services.database.transaction() as tx:
        # As a restoring does, between what it reads of the grants and its commit.
        await hold_vault(tx, person.id)
        giving = asyncio.create_task(client.post(path, headers=person.headers, json=body))
        done, _ = await asyncio.wait([giving], timeout=1)
        assert not done
        restored = await instant(tx)
    answer = await giving
    assert answer.status_code == 201, answer.text
    assert datetime.fromisoformat(answer.json()["given_at"]) > restored


async def shown(client: httpx.AsyncClient, worker: SomeWorker, grant: str) -> set[str]:
    listed = await client.get(f"/v1/grants/{grant}/documents", headers=worker.headers)
    return {one["id"] for one in listed.json()["items"]}
