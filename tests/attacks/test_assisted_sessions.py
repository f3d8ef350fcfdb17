"""An assisted session: what a worker who leads a person's hand, or writes in the database, must not
get of it. Every route that a person may call is decided on here."""

from collections.abc import Iterator
from datetime import timedelta
from secrets import token_bytes
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from auth import assistance, pin_hashes, sessions
from base.embedded.server import Addresses
from tests.assisted import Card, card_of, enter_beside, gift, status_of
from tests.assisted_routes import FORBIDDEN, FREE, LIMITED, PAGES
from tests.auth.means_steps import means
from tests.fixtures import MakePerson, MakeWorker, MoveClock, SomePerson, SomeWorker
from tests.meetings import met
from tests.steps import ask, deposit, is_problem, log_of
from tests.vault.decoding import corpus
from vault.consent.answers import refuse
from vault.services import Services
from web.app import bare_app
from web.http import dependencies
from web.pages import page

PDF = corpus.pdf(1)
IDS = (
    "sign_in_id", "join_id", "invitation_id", "naming_id", "export_id", "import_id",
    "representation_id", "recovery_id",
)  # fmt: skip


@pytest.fixture(autouse=True)
def quick_pins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


@pytest.fixture
async def person(make_person: MakePerson) -> SomePerson:
    return await make_person()


@pytest.fixture
async def worker(make_worker: MakeWorker) -> SomeWorker:
    return await make_worker()


@pytest.fixture
async def card(client: httpx.AsyncClient, services: Services, person: SomePerson) -> Card:
    return await card_of(client, services, person)


@pytest.fixture
async def inside(
    client: httpx.AsyncClient, worker: SomeWorker, person: SomePerson, card: Card
) -> SomePerson:
    """The person, in their vault on the worker's device."""
    return await enter_beside(client, worker, person, card)


# Every route


def called(dependant: Dependant) -> set[object]:
    return {dependant.call}.union(*(called(one) for one in dependant.dependencies))


def routes(found: list[BaseRoute]) -> Iterator[tuple[str, set[object]]]:
    """Each route with what it depends on."""
    for one in found:
        inner: Any = getattr(one, "original_router", None)
        if inner is not None:
            yield from routes(inner.routes)
        elif isinstance(one, APIRoute):
            for method in one.methods or ():
                yield f"{method} {one.path}", called(one.dependant)


def test_every_route_that_a_person_may_call_is_decided_on() -> None:
    not_theirs = {dependencies.worker, dependencies.recipient}
    api = {
        route
        for route, calls in routes(bare_app().routes)
        if dependencies.caller in calls and not calls & not_theirs
    }
    assert api == {*FORBIDDEN, *LIMITED, *FREE}
    assert len(FORBIDDEN) + len(LIMITED) + len(FREE) == len(api), "decided on once"


def test_every_page_that_changes_something_is_decided_on() -> None:
    decided = set().union(*PAGES.values())
    for route, calls in routes(bare_app().routes):
        if page.person_page in calls and not route.startswith("GET "):
            assert route in decided, route
            decided.remove(route)
    assert decided == {"GET /access-log.pdf", "GET /me/export/{export_id}/content"}


@pytest.mark.parametrize("route", FORBIDDEN)
async def test_what_is_forbidden_is_refused_and_recorded(
    route: str, client: httpx.AsyncClient, person: SomePerson, inside: SomePerson, card: Card
) -> None:
    action, body = FORBIDDEN[route]
    body = body and {**body, **({"proof": {"pin": card[1]}} if "proof" in body else {})}
    before = await means(client, person.headers)
    method, path = route.split(" ")
    ids = dict.fromkeys(IDS, uuid4())
    path = path.format(means_id=before[1]["id"], **ids)
    answer = await client.request(method, path, headers=inside.headers, json=body)
    is_problem(answer, 403, "not_when_assisted")
    line = (await log_of(client, person))[0]
    assert (line["action"], line["outcome"], line["reason"]) == (action, "refused", "assisted")
    assert line["beside"]["name"] == "Camille Moreau"
    assert "était à côté" in line["sentence"]
    assert await means(client, person.headers) == before, "nothing changed"
    assert (await client.get("/v1/me", headers=person.headers)).json()["erases_at"] is None


async def test_alone_the_same_is_not_refused_for_that(
    client: httpx.AsyncClient, person: SomePerson, card: Card
) -> None:
    """Each of these requests is one that the rule decides on, and nothing else."""
    _, listed = await means(client, person.headers)
    for route, (_, body) in FORBIDDEN.items():
        method, path = route.split(" ")
        ids = dict.fromkeys(IDS, uuid4())
        path = path.format(means_id=listed["id"], **ids)
        answer = await client.request(method, path, headers=person.headers, json=body)
        assert "not_when_assisted" not in answer.text, route


# What is given to the worker beside


async def refused_gift(
    client: httpx.AsyncClient, inside: SomePerson, code: str, body: dict[str, Any]
) -> None:
    is_problem(await client.post("/v1/grants", headers=inside.headers, json=body), 403, code)


async def test_no_grant_to_that_worker_for_more_than_three_months(
    client: httpx.AsyncClient,
    person: SomePerson,
    worker: SomeWorker,
    inside: SomePerson,
    make_worker: MakeWorker,
) -> None:
    await deposit(client, person, PDF, type_="payslip")
    by_mail = {"recipient": {"worker_email": worker.email}}
    for changes in ({}, by_mail):
        for duration in ("P3M1D", "P93D", "P12M"):
            body = gift(worker, duration=duration) | changes
            await refused_gift(client, inside, "assisted_too_long", body)
    for kept in ({"store_for": "P1Y"}, {"store_for": None}, {}):
        body = gift(worker, may_store=True, **kept)
        await refused_gift(client, inside, "assisted_too_long", body)
    line = (await log_of(client, person))[0]
    assert (line["action"], line["reason"]) == ("grant.give", "assisted_long")
    for body in (
        gift(worker, duration="P3M"),
        gift(worker, duration="P89D"),
        gift(worker, may_store=True, store_for="P3M"),
        gift(await make_worker(), duration="P12M"),
    ):
        answer = await client.post("/v1/grants", headers=inside.headers, json=body)
        assert answer.status_code == 201, answer.text
    alone = gift(worker, duration="P12M")
    answer = await client.post("/v1/grants", headers=person.headers, json=alone)
    assert answer.status_code == 201


async def sensitive_papers(client: httpx.AsyncClient, person: SomePerson) -> list[dict[str, Any]]:
    """One whose type is sensitive, one that its owner calls so."""
    by_type = await deposit(client, person, PDF, type_="bank_statement")
    by_owner = await deposit(client, person, corpus.pdf(2), type_="payslip")
    marked = await client.patch(
        f"/v1/documents/{by_owner['id']}", headers=person.headers, json={"sensitive": True}
    )
    assert marked.status_code == 200
    return [by_type, by_owner]


def of_papers(*ids: str) -> dict[str, Any]:
    return {"document_types": [], "document_ids": list(ids), "actions": ["read"]}


async def test_no_sensitive_paper_to_her(
    client: httpx.AsyncClient,
    person: SomePerson,
    worker: SomeWorker,
    inside: SomePerson,
    make_worker: MakeWorker,
) -> None:
    plain = await deposit(client, person, corpus.pdf(3), type_="payslip")
    for paper in await sensitive_papers(client, person):
        scope = of_papers(plain["id"], paper["id"])
        body = gift(worker, scope=scope)
        answer = await client.post("/v1/grants", headers=inside.headers, json=body)
        is_problem(answer, 403, "assisted_sensitive")
        assert "document_ids" in answer.text, "it says which"
        to_other = gift(await make_worker(), scope=scope)
        answer = await client.post("/v1/grants", headers=inside.headers, json=to_other)
        assert answer.status_code == 201, answer.text
    only_plain = gift(worker, scope=of_papers(plain["id"]))
    answer = await client.post("/v1/grants", headers=inside.headers, json=only_plain)
    assert answer.status_code == 201


async def test_what_is_sensitive_stays_so_beside_her(
    client: httpx.AsyncClient, person: SomePerson, inside: SomePerson
) -> None:
    """Called otherwise, it would enter a grant that she has already."""
    by_type, by_owner = await sensitive_papers(client, person)
    for paper, changes in (
        (by_type, {"type": "payslip"}),
        (by_owner, {"sensitive": False}),
    ):
        path = f"/v1/documents/{paper['id']}"
        answer = await client.patch(path, headers=inside.headers, json=changes)
        is_problem(answer, 403, "assisted_sensitive")
        line = (await log_of(client, person))[0]
        assert (line["action"], line["reason"]) == ("document.correct", "assisted_sensitive")
        other = {"title": "Autre nom"}
        assert (await client.patch(path, headers=inside.headers, json=other)).status_code == 200
        answer = await client.patch(path, headers=person.headers, json=changes)
        assert answer.status_code == 200, "alone they may"


async def test_nor_by_saying_yes_to_her_request(
    client: httpx.AsyncClient,
    services: Services,
    person: SomePerson,
    worker: SomeWorker,
    card: Card,
) -> None:
    await deposit(client, person, corpus.pdf(3), type_="payslip")
    sensitive, _ = await sensitive_papers(client, person)
    long = await ask(client, worker.headers, person.phone, "payslip", duration="P12M")
    kept = await ask(
        client, worker.headers, person.phone, "payslip", duration="P1M", may_store=True
    )
    picked = await ask(
        client, worker.headers, person.phone, "payslip", document_ids=[sensitive["id"]]
    )
    inside = await enter_beside(client, worker, person, card)

    async def approve(request: str, **changes: Any) -> httpx.Response:
        path = f"/v1/consent-requests/{request}/approve"
        return await client.post(path, headers=inside.headers, json=changes)

    is_problem(await approve(long), 403, "assisted_too_long")
    is_problem(await approve(long, duration="P4M"), 403, "assisted_too_long")
    is_problem(await approve(kept), 403, "assisted_too_long")
    is_problem(await approve(picked), 403, "assisted_sensitive")
    line = (await log_of(client, person))[0]
    assert (line["action"], line["reason"]) == ("consent.approve", "assisted_sensitive")
    # It still waits: for less, or for when they are alone.
    assert (await approve(long, duration="P3M")).status_code == 201
    assert (await approve(kept, may_store=False)).status_code == 201, "without a copy"
    narrower = {"scope": {"document_types": ["payslip"]}}
    assert (await approve(picked, **narrower)).status_code == 201


async def test_nor_by_a_meeting_which_is_not_used_up(
    client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker, card: Card
) -> None:
    await deposit(client, person, PDF, type_="payslip")
    meeting = await met(client, worker, person)
    inside = await enter_beside(client, worker, person, card)
    through = {"recipient": {"meeting": meeting}}
    long = gift(worker, duration="P6M") | through
    await refused_gift(client, inside, "assisted_too_long", long)
    answer = await client.post("/v1/grants", headers=inside.headers, json=gift(worker) | through)
    assert answer.status_code == 201, answer.text


# The token, and who writes in the database

TOKENS = {
    "another kind": lambda token: token.replace("ufca_", "ufc_")[:47],
    "the whole under another kind": lambda token: token.replace("ufca_", "ufcs_"),
    "another worker's session": lambda token: token[:-22] + assistance.ending_of(uuid4()),
    "nobody's session": lambda token: token[:-22],
}


async def test_nor_what_was_refused_to_her_by_its_entry_or_its_proof(
    client: httpx.AsyncClient,
    services: Services,
    person: SomePerson,
    worker: SomeWorker,
    card: Card,
) -> None:
    asked = await ask(client, worker.headers, person.phone, "lease")
    await refuse(services, person.subject, UUID(asked))
    inside = await enter_beside(client, worker, person, card)
    (line,) = [one for one in await log_of(client, person) if one["action"] == "consent.refuse"]
    assert line["id"] not in {one["id"] for one in await log_of(client, inside)}
    for end in ("", "/proof"):
        path = f"/v1/access-log/{line['id']}{end}"
        assert (await client.get(path, headers=person.headers)).is_success, end
        is_problem(await client.get(path, headers=inside.headers), 404, "not_found")
    seen = (await log_of(client, inside))[0]["id"]
    path = f"/v1/access-log/{seen}/proof"
    assert (await client.get(path, headers=inside.headers)).is_success


@pytest.mark.parametrize("change", TOKENS)
async def test_a_token_that_is_changed_opens_nothing(
    change: str, client: httpx.AsyncClient, inside: SomePerson
) -> None:
    changed = TOKENS[change](inside.token)
    answer = await client.get("/v1/me", headers={"Authorization": f"Bearer {changed}"})
    assert answer.status_code == 401
    assert await status_of(client, inside) == 200


def write(postgres: Addresses, sql: str, *values: object) -> None:
    address = postgres.owner_url.replace("+psycopg", "")
    with psycopg.connect(address, autocommit=True) as connection:
        assert connection.execute(sql, values).rowcount == 1


async def test_who_writes_in_the_database_makes_none_longer_nor_unassisted(
    client: httpx.AsyncClient,
    services: Services,
    postgres: Addresses,
    worker: SomeWorker,
    inside: SomePerson,
    moved_clock: MoveClock,
) -> None:
    """Without the lock there is no session: who takes it off the worker ends the other one."""
    hashed = sessions.token_hash(inside.token)
    where = " WHERE token_hash = %s"
    update = "UPDATE unefois.session SET worker_session_id = "
    write(postgres, update + "NULL" + where, hashed)
    assert (await status_of(client, inside), await status_of(client, worker)) == (401, 200)
    write(postgres, update + "%s" + where, worker.subject.session_id, hashed)
    assert (await status_of(client, inside), await status_of(client, worker)) == (200, 403)
    async with services.database.transaction() as tx:
        other = await sessions.open_session(services, tx, kind="worker", subject_id=worker.id)
    write(postgres, update + "%s" + where, other.id, hashed)
    assert await status_of(client, inside) == 401
    write(postgres, update + "%s" + where, worker.subject.session_id, hashed)
    longer = "UPDATE unefois.session SET expires_at = expires_at + interval '1 hour'"
    write(postgres, longer + where, hashed)
    assert await status_of(client, inside) == 503, "its row was not written by the service"
    moved_clock(timedelta(minutes=16))
    assert await status_of(client, inside) == 503


async def test_a_row_that_somebody_else_wrote_locks_no_worker(
    client: httpx.AsyncClient,
    services: Services,
    postgres: Addresses,
    worker: SomeWorker,
    person: SomePerson,
) -> None:
    """Neither a row without a MAC of ours, nor one of ours that is moved to the worker: and ending
    what was never opened writes no line in that person's log."""
    lines = await log_of(client, person)
    insert = (
        "INSERT INTO unefois.session (id, token_hash, subject_kind, subject_id, created_at,"
        " expires_at, mac, worker_session_id) VALUES"
        " (%s, %s, 'person', %s, now(), now() + interval '300 days', %s, %s)"
    )
    made = (uuid4(), token_bytes(32), person.id, token_bytes(33), worker.subject.session_id)
    write(postgres, insert, *made)
    moved = "UPDATE unefois.session SET worker_session_id = %s WHERE id = %s"
    write(postgres, moved, worker.subject.session_id, person.subject.session_id)
    assert await status_of(client, worker) == 200
    ended = await client.delete("/v1/assisted-sessions/current", headers=worker.headers)
    assert ended.status_code == 204
    assert await status_of(client, person) == 200
    added = [one["action"] for one in await log_of(client, person)][: -len(lines)]
    assert "sign_in.end" not in added


async def test_a_session_of_somebody_else_does_not_stand_for_a_workers(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson, worker: SomeWorker
) -> None:
    """Even if one held such a token: nobody is a worker by being named in it."""
    person, other = await make_person(), await make_person()
    beside = worker.subject
    object.__setattr__(beside, "session_id", other.subject.session_id)
    async with services.database.transaction() as tx:
        opened = await sessions.open_session(
            services, tx, kind="person", subject_id=person.id, beside=beside
        )
        assert await sessions.subject_of(services, tx, opened.token) is None
