"""Invariants 3, 4 and 7 where a worker says what a paper is: it changes nothing until its owner
says yes, and a yes shows the paper to nobody more; without a live grant to read it, there is none.
"""

import asyncio
import re
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from auth.rate_buckets import Rate
from base.ids import new_id
from tests.attacks.statements import statements
from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson, SomeWorker
from tests.steps import deposit, granted, is_problem, log_of, revoke
from tests.vault.decoding import corpus
from tests.web.pages.test_pages import browser_of
from tests.web.pages.test_worker_pages import words
from vault.documents import own_documents, type_suggestions
from vault.services import Services
from web.pages import forms

PAYSLIP = {"type": "payslip", "issued_on": "2026-05-31"}
Scene = tuple[SomePerson, SomeWorker, dict[str, Any], str]


@pytest.fixture
async def scene(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> Scene:
    """A paper of unknown type that a worker may read, and the grant."""
    person, worker = await make_person(), await make_worker()
    paper = await deposit(client, person, corpus.pdf(1), type_="other")
    grant = await granted(client, person, worker.headers, document_ids=[paper["id"]])
    return person, worker, paper, grant


async def suggest(
    client: httpx.AsyncClient,
    worker: SomeWorker | SomePerson,
    grant: object,
    paper: object,
    **said: Any,
) -> httpx.Response:
    address = f"/v1/grants/{grant}/documents/{paper}/type-suggestions"
    return await client.post(address, headers=worker.headers, json=PAYSLIP | said)


async def waiting(
    client: httpx.AsyncClient, person: SomePerson, paper: dict[str, Any]
) -> list[dict[str, Any]]:
    answer = await client.get(f"/v1/documents/{paper['id']}", headers=person.headers)
    found: list[dict[str, Any]] = answer.json()["type_suggestions"]
    return found


async def answered(
    client: httpx.AsyncClient, person: SomePerson, paper: dict[str, Any], one: Any, answer: str
) -> httpx.Response:
    address = f"/v1/documents/{paper['id']}/type-suggestions/{one}/{answer}"
    return await client.post(address, headers=person.headers)


async def seen_by(client: httpx.AsyncClient, worker: SomeWorker, grant: str) -> list[Any]:
    answer = await client.get(f"/v1/grants/{grant}/documents", headers=worker.headers)
    return [(one["id"], one["type"]) for one in answer.json()["items"]]


async def test_nothing_changes_until_the_owner_says_yes(
    services: Services, client: httpx.AsyncClient, scene: Scene
) -> None:
    person, worker, paper, grant = scene
    columns = "type_tag, typed_at, version_id, notice_at"
    query = text(f"SELECT {columns} FROM unefois.document ORDER BY id")  # noqa: S608
    async with services.database.transaction() as tx:
        before = (await tx.execute(query)).all()
    assert (await suggest(client, worker, grant, paper["id"])).status_code == 204
    async with services.database.transaction() as tx:
        assert (await tx.execute(query)).all() == before
    now = (await client.get(f"/v1/documents/{paper['id']}", headers=person.headers)).json()
    (one,) = now.pop("type_suggestions")
    assert now == {name: value for name, value in paper.items() if name in now}
    assert one["suggested_by"]["name"] == "Camille Moreau"
    assert await seen_by(client, worker, grant) == [(paper["id"], "other")]
    asked = f"/v1/grants/{grant}/evidence?type=payslip"
    assert (await client.get(asked, headers=worker.headers)).status_code == 403


async def test_a_yes_shows_the_paper_to_nobody_more(
    client: httpx.AsyncClient, scene: Scene, make_worker: MakeWorker
) -> None:
    """Neither to a colleague to whom every pay slip to come was granted, nor under another grant
    of whoever proposed it."""
    person, worker, paper, grant = scene
    colleague = await make_worker(worker.organisation_id)
    wide = [
        await granted(client, person, one.headers, "payslip", narrower={"covers_future": True})
        for one in (colleague, worker)
    ]
    await suggest(client, worker, grant, paper["id"])
    (one,) = await waiting(client, person, paper)
    accepted = await answered(client, person, paper, one["id"], "accept")
    assert accepted.status_code == 200
    assert accepted.json()["type"] == "payslip"
    assert accepted.json()["issued_on"] == "2026-05-31"
    assert accepted.json()["sensitive"] is True
    assert accepted.json()["type_suggestions"] == []
    assert await seen_by(client, worker, grant) == [(paper["id"], "payslip")]
    for who, under in zip((colleague, worker), wide, strict=True):
        assert await seen_by(client, who, under) == []
        path = f"/v1/grants/{under}/documents/{paper['id']}/content"
        assert (await client.get(path, headers=who.headers)).status_code == 404
        evidence = f"/v1/grants/{under}/evidence?type=payslip"
        assert (await client.get(evidence, headers=who.headers)).json()["held"] is False


async def test_without_a_live_grant_that_reads_the_paper_it_is_nowhere(
    client: httpx.AsyncClient, scene: Scene, make_worker: MakeWorker, make_person: MakePerson
) -> None:
    person, worker, paper, grant = scene
    colleague, stranger = await make_worker(worker.organisation_id), await make_person()
    other = await deposit(client, person, corpus.pdf(2), type_="other")
    elsewhere = await deposit(client, stranger, corpus.pdf(3), type_="other")
    told = await granted(
        client, person, colleague.headers, document_ids=[other["id"]], actions=["attest"]
    )
    nothing = (await suggest(client, worker, new_id(), paper["id"])).json()
    tried = [
        await suggest(client, colleague, grant, paper["id"]),
        await suggest(client, worker, grant, other["id"]),
        await suggest(client, worker, grant, elsewhere["id"]),
        await suggest(client, worker, grant, new_id()),
    ]
    for answer in tried:
        assert answer.status_code == 404
        assert answer.json() | {"request_id": ""} == nothing | {"request_id": ""}
    attest = await suggest(client, colleague, told, other["id"])
    assert (attest.status_code, attest.json()["code"]) == (403, "action_not_granted")
    for who in (person, stranger):
        assert (await suggest(client, who, grant, paper["id"])).status_code == 403
    await revoke(client, person, grant)
    late = await suggest(client, worker, grant, paper["id"])
    assert (late.status_code, late.json()["code"]) == (403, "grant_revoked")
    assert await waiting(client, person, paper) == []
    lines = [one for one in await log_of(client, person) if one["action"].endswith("suggest_type")]
    assert [one["outcome"] for one in lines] == ["refused"] * 6
    assert {one["actor"]["name"] for one in lines} == {"Camille Moreau"}


async def test_a_suggestion_is_answered_by_its_owner_alone_and_once(
    client: httpx.AsyncClient, scene: Scene, make_person: MakePerson
) -> None:
    person, worker, paper, grant = scene
    stranger = await make_person()
    await suggest(client, worker, grant, paper["id"])
    (one,) = await waiting(client, person, paper)
    address = f"/v1/documents/{paper['id']}/type-suggestions/{one['id']}"
    for answer in ("accept", "refuse"):
        for who in (stranger, worker):
            tried = await client.post(f"{address}/{answer}", headers=who.headers)
            assert tried.status_code in (403, 404)
    both = [answered(client, person, paper, one["id"], one_of) for one_of in ("accept", "refuse")]
    statuses = sorted(answer.status_code for answer in await asyncio.gather(*both))
    assert statuses in ([200, 404], [204, 404])
    again = await answered(client, person, paper, one["id"], "accept")
    assert again.status_code == 404


async def test_a_yes_is_to_what_was_read(client: httpx.AsyncClient, scene: Scene) -> None:
    """The worker proposes something else between the page and its button: nothing is given."""
    person, worker, paper, grant = scene
    await suggest(client, worker, grant, paper["id"])
    (read,) = await waiting(client, person, paper)
    await suggest(client, worker, grant, paper["id"], type="lease")
    assert (await answered(client, person, paper, read["id"], "accept")).status_code == 404
    assert [one["type"] for one in await waiting(client, person, paper)] == ["lease"]


async def test_what_was_refused_is_not_asked_again_and_its_author_does_not_learn_it(
    client: httpx.AsyncClient, scene: Scene
) -> None:
    person, worker, paper, grant = scene
    first = await suggest(client, worker, grant, paper["id"])
    (one,) = await waiting(client, person, paper)
    assert (await answered(client, person, paper, one["id"], "refuse")).status_code == 204
    for _replay in range(2):
        again = await suggest(client, worker, grant, paper["id"], issued_on="2026-04-30")
        assert (again.status_code, again.content) == (first.status_code, first.content)
    assert await waiting(client, person, paper) == []
    await suggest(client, worker, grant, paper["id"], type="lease")
    assert [one["type"] for one in await waiting(client, person, paper)] == ["lease"]


async def test_two_workers_at_once_are_both_heard_and_learn_nothing_of_each_other(
    client: httpx.AsyncClient, scene: Scene, make_worker: MakeWorker
) -> None:
    person, worker, paper, grant = scene
    colleague = await make_worker(worker.organisation_id, name="Sacha Bernard")
    theirs = await granted(client, person, colleague.headers, document_ids=[paper["id"]])
    answers = await asyncio.gather(
        *(suggest(client, worker, grant, paper["id"]) for _ in range(3)),
        *(suggest(client, colleague, theirs, paper["id"], type="lease") for _ in range(3)),
    )
    assert {answer.status_code for answer in answers} == {204}
    found = await waiting(client, person, paper)
    assert sorted((one["suggested_by"]["name"], one["type"]) for one in found) == [
        ("Camille Moreau", "payslip"),
        ("Sacha Bernard", "lease"),
    ]
    for who, under in ((worker, grant), (colleague, theirs)):
        answer = await client.get(f"/v1/grants/{under}/documents", headers=who.headers)
        assert "suggest" not in answer.text


async def test_a_type_that_is_known_stays_and_a_sensitive_one_may_be_proposed(
    client: httpx.AsyncClient, scene: Scene
) -> None:
    person, worker, paper, grant = scene
    for said, code in (
        ({"type": "other"}, "type_missing"),
        ({"type": "unheard_of"}, "unknown_document_type"),
        ({"type": "french_language_certificate"}, "document_type_retired"),
        ({"expires_on": "2020-01-01"}, "expires_before_issued"),
    ):
        answer = await suggest(client, worker, grant, paper["id"], **said)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    await suggest(client, worker, grant, paper["id"], type="bank_statement")
    (one,) = await waiting(client, person, paper)
    accepted = await answered(client, person, paper, one["id"], "accept")
    assert accepted.json()["type"] == "bank_statement"
    assert await seen_by(client, worker, grant) == [(paper["id"], "bank_statement")]
    late = await suggest(client, worker, grant, paper["id"])
    assert (late.status_code, late.json()["code"]) == (409, "type_known")


async def test_another_content_or_another_type_ends_what_was_proposed(
    client: httpx.AsyncClient, scene: Scene
) -> None:
    person, worker, paper, grant = scene
    await suggest(client, worker, grant, paper["id"])
    (one,) = await waiting(client, person, paper)
    path = f"/v1/documents/{paper['id']}"
    await client.patch(path, headers=person.headers, json={"title": "Un papier de mai"})
    assert len(await waiting(client, person, paper)) == 1
    files = {"file": ("a.pdf", corpus.pdf(2))}
    added = await client.post(f"{path}/versions", headers=person.headers, files=files)
    assert added.status_code == 201
    assert await waiting(client, person, paper) == []
    assert (await answered(client, person, paper, one["id"], "accept")).status_code == 404
    await suggest(client, worker, grant, paper["id"])
    await client.patch(path, headers=person.headers, json={"type": "lease"})
    await client.patch(path, headers=person.headers, json={"type": "other"})
    assert await waiting(client, person, paper) == []


async def test_a_paper_refused_often_enough_is_asked_about_no_more(
    services: Services, client: httpx.AsyncClient, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No refusal is forgotten so that it is asked again, and its author sees no difference."""
    monkeypatch.setattr(type_suggestions, "MOST_OF_A_PAPER", 3)
    person, worker, paper, grant = scene
    for code in ("payslip", "lease", "passport"):
        await suggest(client, worker, grant, paper["id"], type=code)
        (one,) = await waiting(client, person, paper)
        await answered(client, person, paper, one["id"], "refuse")
    for code in ("rent_receipt", "payslip", "bank_statement", "lease", "payslip"):
        answer = await suggest(client, worker, grant, paper["id"], type=code)
        assert (answer.status_code, answer.content) == (204, b"")
        assert await waiting(client, person, paper) == []
        document = await own_documents.see_own(services, person.subject, UUID(paper["id"]))
        assert len(document.suggestions) == 3
        assert document.suggestions[0].type == code


async def test_whether_it_was_refused_shows_in_nothing_that_is_proposed_afterwards(
    served: Served, client: httpx.AsyncClient, scene: Scene
) -> None:
    """Of two papers one is refused: whatever comes next, its author reads the same of both."""
    person, worker, paper, grant = scene
    other = await deposit(client, person, corpus.pdf(2), type_="other")
    under = await granted(client, person, worker.headers, document_ids=[other["id"]])
    both = ((paper, grant), (other, under))
    async with browser_of(served, worker) as browser:

        async def proposed(code: str) -> list[list[str]]:
            for one, by in both:
                assert (await suggest(client, worker, by, one["id"], type=code)).is_success
            pages = [
                await browser.get(f"/pro/grants/{by}/documents/{one['id']}") for one, by in both
            ]
            return [re.findall(r"Vous avez proposé : (\S+)", words(page)) for page in pages]

        await proposed("payslip")
        (one,) = await waiting(client, person, paper)
        assert (await answered(client, person, paper, one["id"], "refuse")).status_code == 204
        for code in ("rent_receipt", "payslip", "payslip", "lease", "payslip", "rent_receipt"):
            refused, unanswered = await proposed(code)
            assert len(refused) == 1
            assert refused == unanswered, code
            waits = [one["type"] for one in await waiting(client, person, paper)]
            assert waits == ([] if code == "payslip" else [code])


async def test_whether_it_was_refused_shows_in_no_time_that_the_same_again_takes(
    services: Services, client: httpx.AsyncClient, scene: Scene
) -> None:
    """Statement for statement, of two papers of which one is refused."""
    person, worker, paper, grant = scene
    other = await deposit(client, person, corpus.pdf(2), type_="other")
    under = await granted(client, person, worker.headers, document_ids=[other["id"]])
    both = ((paper, grant), (other, under))
    for one, by in both:
        assert (await suggest(client, worker, by, one["id"])).is_success
    (one,) = await waiting(client, person, paper)
    assert (await answered(client, person, paper, one["id"], "refuse")).status_code == 204
    said = type_suggestions.Suggested(type="payslip", issued_on=date(2026, 5, 31))
    costs = []
    for one, by in both:
        with statements(services) as sent:
            await type_suggestions.suggest(
                services, worker.subject, UUID(by), UUID(one["id"]), said
            )
        costs.append(tuple(sent))
    assert len(costs[0]) > 5
    assert costs[0] == costs[1]


async def test_nothing_is_proposed_that_could_not_be_said_yes_to(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Dates that contradict those that its owner wrote: the yes would be an error for ever."""
    person, worker = await make_person(), await make_worker()
    paper = await deposit(client, person, corpus.pdf(1), type_="other", expires_on="2026-01-31")
    grant = await granted(client, person, worker.headers, document_ids=[paper["id"]])
    refused = await suggest(client, worker, grant, paper["id"])
    is_problem(refused, 422, "expires_before_issued")
    assert await waiting(client, person, paper) == []
    assert (await suggest(client, worker, grant, paper["id"], issued_on="2026-01-01")).is_success
    (one,) = await waiting(client, person, paper)
    assert (await answered(client, person, paper, one["id"], "accept")).status_code == 200


async def test_one_worker_proposes_no_more_than_a_limit_whatever_the_grants(
    client: httpx.AsyncClient,
    served: Served,
    scene: Scene,
    make_worker: MakeWorker,
    make_person: MakePerson,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Counted for the account: before anything is looked up, many at once, and also what is there
    already. A colleague is not kept waiting, and the page says what to do."""
    person, worker, paper, grant = scene
    monkeypatch.setattr(type_suggestions, "RATE", Rate(3, timedelta(minutes=1)))
    other = await make_person()
    theirs = await deposit(client, other, corpus.pdf(1), type_="other")
    elsewhere = await granted(client, other, worker.headers, document_ids=[theirs["id"]])
    at_once = [suggest(client, worker, grant, paper["id"]) for _ in range(3)]
    at_once += [suggest(client, worker, elsewhere, theirs["id"]) for _ in range(3)]
    answers = await asyncio.gather(*at_once)
    assert sorted(one.status_code for one in answers) == [204] * 3 + [429] * 3
    refused = next(one for one in answers if one.status_code == 429)
    assert refused.json()["code"] == "too_many_requests"
    assert int(refused.headers["retry-after"]) > 0
    # What is not there costs and tells the same.
    assert (await suggest(client, worker, new_id(), paper["id"])).status_code == 429
    async with browser_of(served, worker) as browser:
        token = await forms.token_for(served.services, worker.token)
        address = f"/pro/grants/{grant}/documents/{paper['id']}/type"
        page = await browser.post(address, data={"form": token, "type": "payslip"})
    assert page.status_code == 429
    assert "Attendez un peu, puis recommencez" in words(page)
    colleague = await make_worker(worker.organisation_id)
    shared = await granted(client, person, colleague.headers, document_ids=[paper["id"]])
    assert (await suggest(client, colleague, shared, paper["id"])).status_code == 204
