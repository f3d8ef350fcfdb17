"""A representative in the vault of whom they represent: what they must not do there; and nobody is
one who was not named, by a row, by a token, by digits, or after the end."""

import asyncio
import secrets
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from auth import assistance, pin_hashes
from base.database import Database
from tests.attacks.statements import statements
from tests.attacks.test_assisted_sessions import IDS, routes
from tests.attacks.test_meetings import said
from tests.auth.means_steps import means, proof_of, proved
from tests.fixtures import MakePerson, MakeWorker, SomePerson, SomeWorker
from tests.recoveries import agent
from tests.representations import (
    digits_for_desk,
    enter,
    inside,
    mine,
    named,
    read_judgement,
    represented,
    type_digits,
)
from tests.represented_routes import FORBIDDEN, FORBIDDEN_PAGES, FREE, LIMITED
from tests.steps import deposit, is_problem, log_of
from tests.trusted import with_pin
from tests.vault.decoding import corpus
from vault.representation import representatives
from vault.representation.representation_codes import NAMING, code_tag
from vault.services import Services
from web.app import bare_app
from web.http import dependencies
from web.pages import page

PDF = corpus.pdf(1)


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a PIN costs to guess is not tested here."""
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


@pytest.fixture
async def reader(services: Services, as_owner: Database, make_worker: MakeWorker) -> SomeWorker:
    return await agent(services, as_owner, make_worker, "Camille Moreau")


@pytest.fixture
async def amina(client: httpx.AsyncClient, make_person: MakePerson) -> SomePerson:
    made = await make_person()
    await with_pin(client, made)
    return made


@pytest.fixture
async def jeanne(client: httpx.AsyncClient, make_person: MakePerson) -> SomePerson:
    """Who represents her."""
    made = await make_person()
    await with_pin(client, made)
    return made


@pytest.fixture
async def id_(
    client: httpx.AsyncClient, amina: SomePerson, jeanne: SomePerson, reader: SomeWorker
) -> str:
    return await represented(client, amina, jeanne, reader)


def test_every_route_that_a_person_may_call_is_decided_on() -> None:
    not_theirs = {dependencies.worker, dependencies.recipient}
    api = {
        route
        for route, calls in routes(bare_app().routes)
        if dependencies.caller in calls and not calls & not_theirs
    }
    assert api == {*FORBIDDEN, *LIMITED, *FREE}
    assert len(FORBIDDEN) + len(LIMITED) + len(FREE) == len(api), "decided on once"


def test_every_page_that_is_forbidden_is_there() -> None:
    pages = {route for route, calls in routes(bare_app().routes) if page.person_page in calls}
    assert pages >= FORBIDDEN_PAGES


def filled(path: str, **ids: str) -> str:
    return path.format(**dict.fromkeys(IDS, uuid4()), **ids)


async def test_what_is_forbidden_is_refused_and_recorded(
    client: httpx.AsyncClient, amina: SomePerson, jeanne: SomePerson, id_: str
) -> None:
    """All in one session: each is another line."""
    at = await inside(client, jeanne, id_)
    paper = (await deposit(client, amina, PDF))["id"]
    proof = await proof_of(client, amina)
    (phone,) = await means(client, amina.headers)
    for route, (action, body) in FORBIDDEN.items():
        sent = body and {**body, **({"proof": proof} if "proof" in body else {})}
        method, path = route.split(" ")
        path = filled(path, means_id=phone["id"], document_id=paper, session_id=str(uuid4()))
        answer = await client.request(method, path, headers=at.headers, json=sent)
        is_problem(answer, 403, "not_when_represented")
        line = (await log_of(client, amina))[0]
        told = (line["action"], line["outcome"], line["reason"], line["actor"]["kind"])
        assert told == (action, "refused", "represented", "representative"), route
    assert (await client.get("/v1/me", headers=amina.headers)).json()["erases_at"] is None
    assert (await client.get(f"/v1/documents/{paper}", headers=amina.headers)).is_success


async def test_what_is_sensitive_stays_so(
    client: httpx.AsyncClient, amina: SomePerson, jeanne: SomePerson, id_: str
) -> None:
    paper = (await deposit(client, amina, PDF, sensitive="true"))["id"]
    at = await inside(client, jeanne, id_)
    path = f"/v1/documents/{paper}"
    named_ = await client.patch(path, headers=at.headers, json={"title": "Paie"})
    assert named_.is_success, named_.text
    bare = await client.patch(path, headers=at.headers, json={"sensitive": False})
    is_problem(bare, 403, "not_when_represented")


async def test_how_the_person_enters_and_whom_they_trust_is_told_to_nobody(
    client: httpx.AsyncClient, amina: SomePerson, jeanne: SomePerson, id_: str
) -> None:
    body = {"label": "x", "own_name": "y"}
    assert (await proved(client, amina, "POST", "/v1/me/trusted", body)).is_success
    own = await log_of(client, amina)
    hidden = {one["action"]: one["id"] for one in own}
    assert {"trusted.name", "pin.set"} <= set(hidden)
    at = await inside(client, jeanne, id_)
    shown = {one["action"] for one in await log_of(client, at)}
    assert "representation.begin" in shown
    assert not [one for one in shown if one.startswith(("trusted.", "pin.", "means.", "sign_in."))]
    for path in ("/v1/access-log/{}", "/v1/access-log/{}/proof"):
        address = path.format(hidden["trusted.name"])
        is_problem(await client.get(address, headers=at.headers), 404, "not_found")


async def test_every_code_that_does_not_serve_is_refused_alike_at_the_same_cost(
    services: Services,
    client: httpx.AsyncClient,
    amina: SomePerson,
    jeanne: SomePerson,
    id_: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert id_
    again = (await named(client, amina))["code"]
    own = (await named(client, jeanne))["code"]
    refusals, costs = [], []
    for code in (f"{secrets.randbelow(10**8):08}", "é\x00½", own, again):
        tag = await code_tag(services, NAMING, code)
        with statements(services) as run:
            async with services.database.transaction() as tx:
                await representatives._answer(services, tx, jeanne.subject, tag)
        costs.append(len(run))
        refusals.append(said(await type_digits(client, jeanne, code)))
    assert set(costs[:3]) == {costs[0]}, "of who represents already, a row is read"
    assert all(refusal == refusals[0] for refusal in refusals)


CHANGED = {
    "a person's session": lambda token: "uf" + token[3:-22],
    "beside a worker": lambda token: token.replace("uft_", "ufa_"),
    "another session's": lambda token: token[:-22] + assistance.ending_of(uuid4()),
}


@pytest.mark.parametrize("how", CHANGED)
async def test_a_token_that_is_changed_opens_nothing(
    how: str, client: httpx.AsyncClient, jeanne: SomePerson, id_: str
) -> None:
    at = await inside(client, jeanne, id_)
    headers = {"Authorization": f"Bearer {CHANGED[how](at.token)}"}
    is_problem(await client.get("/v1/documents", headers=headers), 401, "unauthenticated")


_REPRESENTATION = "UPDATE unefois.representation SET {} WHERE id = :id"
_SESSION = "UPDATE unefois.session SET {} WHERE id = :session"
EDITS = {
    "longer": _REPRESENTATION.format("ends_at = ends_at + interval '9 years'"),
    "somebody else": _REPRESENTATION.format("representative_id = :other"),
    "somebody else's vault": _REPRESENTATION.format("person_id = :other"),
    "from another session": _SESSION.format("worker_session_id = :other"),
    "into another vault": _SESSION.format("subject_id = :other"),
}


@pytest.mark.parametrize("how", EDITS)
async def test_a_row_that_was_written_without_the_key_opens_nothing(
    how: str,
    as_owner: Database,
    client: httpx.AsyncClient,
    jeanne: SomePerson,
    make_person: MakePerson,
    id_: str,
) -> None:
    other = await make_person()
    at = await inside(client, jeanne, id_)
    (session,) = (await client.get("/v1/sessions", headers=at.headers)).json()["items"]
    values = {"id": id_, "session": session["id"], "other": other.id}
    async with as_owner.engine.connect() as connection:
        await connection.execute(text(EDITS[how]), values)
        await connection.commit()
    answer = await client.get("/v1/documents", headers=at.headers)
    assert answer.status_code in (401, 503), answer.text
    if how == "somebody else":
        assert (await enter(client, other, id_)).status_code == 503


async def test_of_an_end_and_an_entrance_at_once_nothing_is_left_open(
    client: httpx.AsyncClient, amina: SomePerson, jeanne: SomePerson, id_: str
) -> None:
    path = f"/v1/me/representative/{id_}"
    entered, ended = await asyncio.gather(
        enter(client, jeanne, id_), proved(client, amina, "DELETE", path)
    )
    assert ended.status_code == 204, ended.text
    assert entered.status_code in (201, 409)
    if entered.status_code == 201:
        headers = {"Authorization": f"Bearer {entered.json()['token']}"}
        is_problem(await client.get("/v1/documents", headers=headers), 401, "unauthenticated")
    assert [one["state"] for one in await mine(client, amina)] == ["ended"]


async def test_of_two_who_type_and_two_who_read_at_once_one_does(
    client: httpx.AsyncClient,
    amina: SomePerson,
    jeanne: SomePerson,
    reader: SomeWorker,
    make_person: MakePerson,
) -> None:
    code = (await named(client, amina))["code"]
    rivals = [jeanne, await make_person()]
    answers = await asyncio.gather(*(type_digits(client, one, code) for one in rivals))
    assert sorted(answer.status_code for answer in answers) == [200, 403]
    (typed,) = [one for one in zip(rivals, answers, strict=True) if one[1].is_success]
    digits = await digits_for_desk(client, typed[0], typed[1].json()["id"])
    read = await asyncio.gather(*(read_judgement(client, reader, digits) for _ in range(2)))
    assert sorted(answer.status_code for answer in read) == [204, 403]
