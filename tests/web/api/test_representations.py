"""Somebody under tutelle is represented: named and read at the desk, entered, and ended by the
clock, by either side, or with a vault."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from auth import administration, closings, pin_hashes
from auth.message_delivery import inbox
from base import clock
from base.database import Database
from base.ids import new_id
from tests.auth.means_steps import proved
from tests.fixtures import MakePerson, MakeWorker, MoveClock, SomePerson, SomeWorker
from tests.joins import joined
from tests.recoveries import agent
from tests.representations import (
    ANCHOR,
    NAME,
    WORDS,
    answered,
    digits_for_desk,
    enter,
    inside,
    judgement,
    mine,
    named,
    offered,
    read_judgement,
    represented,
    theirs,
    type_digits,
)
from tests.steps import deposit, granted, is_problem, log_of
from tests.trusted import with_pin
from tests.vault.decoding import corpus
from tests.web.printouts.reading import text_of
from vault.maintenance.cleanup import sweep_rows
from vault.maintenance.erasure import erase
from vault.services import Services

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
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


async def works(client: httpx.AsyncClient, person: SomePerson) -> bool:
    answer = await client.get("/v1/documents", headers=person.headers)
    assert answer.status_code in (200, 401)
    return answer.status_code == 200


def actions(lines: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(one["action"], one["actor"]["kind"]) for one in lines]


async def test_named_and_read_at_the_desk(
    client: httpx.AsyncClient, amina: SomePerson, jeanne: SomePerson, reader: SomeWorker
) -> None:
    begun = await named(client, amina)
    assert (begun["state"], begun["name"]) == ("open", WORDS["label"])
    typed = (await type_digits(client, jeanne, begun["code"])).json()
    assert (typed["state"], typed["name"], typed["code"]) == ("answered", WORDS["own_name"], None)
    is_problem(await enter(client, jeanne, typed["id"]), 409, "representation_over")
    code = await digits_for_desk(client, jeanne, typed["id"])
    paper_said = judgement()
    assert (await read_judgement(client, reader, code, paper_said)).status_code == 204
    (here,), (there,) = await mine(client, amina), await theirs(client, jeanne)
    for side in (here, there):
        assert side["state"] == "live"
        assert {name: side[name] for name in paper_said} == paper_said
        assert side["read_by"]["name"] == "Camille Moreau"
    for who in (amina, jeanne):
        lines = await log_of(client, who)
        (began,) = [one for one in lines if one["action"] == "representation.begin"]
        assert "Camille Moreau" in began["sentence"]


async def test_what_they_do_is_under_their_own_name(
    client: httpx.AsyncClient,
    amina: SomePerson,
    jeanne: SomePerson,
    reader: SomeWorker,
    make_worker: MakeWorker,
) -> None:
    at = await inside(client, jeanne, await represented(client, amina, jeanne, reader))
    assert at.token.startswith("uft_")
    assert len(at.token) == len("uft_") + 65
    kept = await deposit(client, at, PDF)
    assert kept["deposited_by"] == {"kind": "owner"}, "it is the person's"
    read = await client.get(f"/v1/documents/{kept['id']}/content", headers=at.headers)
    assert read.content == PDF
    acting = replace(at, phone=amina.phone)
    grant = await granted(client, acting, (await make_worker()).headers, "payslip")
    receipt = await client.get(f"/v1/grants/{grant}/receipt", headers=amina.headers)
    assert receipt.json()["evidence"][0]["represented_by"] == {"name": NAME}
    pdf = await client.get(f"/v1/grants/{grant}/receipt.pdf", headers=amina.headers)
    assert f"représentation légale : {NAME}" in text_of(pdf.content).replace("\xa0", " ")
    lines = await log_of(client, amina)
    by = [one for one in lines if one["actor"]["kind"] == "representative"]
    assert {one["action"] for one in by} >= {
        "document.deposit", "document.read", "consent.approve", "representation.enter",
    }  # fmt: skip
    assert all(NAME in one["sentence"] for one in by)
    assert all("Votre représentant(e) légal(e)" in one["sentence"] for one in by)
    own = await log_of(client, jeanne)
    assert ("representation.enter", "owner") in actions(own)
    assert ("document.deposit", "owner") not in actions(own), "that is of the other vault"


async def test_a_vault_is_opened_empty_for_whoever_has_none(
    client: httpx.AsyncClient, services: Services, jeanne: SomePerson, reader: SomeWorker
) -> None:
    begun = await offered(client, jeanne)
    assert (begun["state"], begun["name"]) == ("answered", "Mme Diallo")
    missing = await read_judgement(client, reader, begun["code"])
    is_problem(missing, 422, "anchor_missing")
    child = ANCHOR | {"birth_date": f"{clock.now().year - 10}-01-01"}
    young = await read_judgement(client, reader, begun["code"], anchor=child)
    is_problem(young, 422, "under_fifteen")
    read = await read_judgement(client, reader, begun["code"], anchor=ANCHOR, language="ar")
    assert read.status_code == 204, read.text
    again = await read_judgement(client, reader, begun["code"], anchor=ANCHOR)
    is_problem(again, 403, "representation_code_wrong")
    at = await inside(client, jeanne, begun["id"])
    assert (await client.get("/v1/documents", headers=at.headers)).json()["items"] == []
    me = (await client.get("/v1/me", headers=at.headers)).json()
    assert me["language"] == "ar"
    assert (await client.get("/v1/me/anchor", headers=at.headers)).json()["enrolled_at"]
    means = (await client.get("/v1/me/means", headers=at.headers)).json()
    assert means["items"] == [], "nobody else enters"
    assert await deposit(client, at, PDF)
    first = (await log_of(client, at))[-1]
    assert (first["action"], first["actor"]["name"]) == ("vault.open", "Camille Moreau")


async def test_after_the_last_day_of_the_service_no_vault_is_opened(
    client: httpx.AsyncClient,
    amina: SomePerson,
    jeanne: SomePerson,
    reader: SomeWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code = (await offered(client, jeanne))["code"]
    id_ = await answered(client, amina, jeanne)

    async def over(*_: object) -> bool:
        return True

    monkeypatch.setattr(closings, "is_over", over)
    refused = await read_judgement(client, reader, code, anchor=ANCHOR)
    is_problem(refused, 403, "service_closed")
    there = await read_judgement(client, reader, await digits_for_desk(client, jeanne, id_))
    assert there.status_code == 204, "whose papers are there is still helped to take them away"


async def test_its_last_day_ends_it_by_the_clock_and_another_judgement_goes_on(
    client: httpx.AsyncClient,
    amina: SomePerson,
    jeanne: SomePerson,
    reader: SomeWorker,
    services: Services,
    as_owner: Database,
    make_worker: MakeWorker,
    moved_clock: MoveClock,
) -> None:
    id_ = await answered(client, amina, jeanne)
    code = await digits_for_desk(client, jeanne, id_)
    assert (await read_judgement(client, reader, code, judgement(days=1))).status_code == 204
    ends_at = (await mine(client, amina))[0]["ends_at"]
    moved_clock(DAY - HOUR)
    at = await inside(client, jeanne, id_)
    assert await works(client, at)
    left = clock.now()  # the end of the last day, in Paris
    assert left < clock.now() + DAY
    moved_clock(3 * DAY)
    assert not await works(client, at)
    assert [one["state"] for one in await theirs(client, jeanne)] == ["lapsed"]
    is_problem(await enter(client, jeanne, id_), 409, "representation_over")
    await sweep_rows(services)
    later = await agent(services, as_owner, make_worker, "Inès Roy")
    code = await digits_for_desk(client, jeanne, id_)
    assert (await read_judgement(client, later, code)).status_code == 204
    assert await works(client, await inside(client, jeanne, id_))
    assert (await mine(client, amina))[0]["ends_at"] > ends_at


async def test_what_is_open_ends_with_their_own_session_and_after_an_hour(
    client: httpx.AsyncClient,
    amina: SomePerson,
    jeanne: SomePerson,
    reader: SomeWorker,
    moved_clock: MoveClock,
) -> None:
    id_ = await represented(client, amina, jeanne, reader)
    at = await inside(client, jeanne, id_)
    (shown,) = (await client.get("/v1/sessions", headers=at.headers)).json()["items"]
    assert shown["current"], "the person's own are not told"
    moved_clock(HOUR + timedelta(seconds=1))
    assert not await works(client, at)
    at = await inside(client, jeanne, id_)
    assert (await client.delete("/v1/sessions/current", headers=jeanne.headers)).is_success
    assert not await works(client, at)


@pytest.mark.parametrize("by_whom", ["person", "representative"])
async def test_either_ends_it_at_once_and_the_other_reads_it(
    by_whom: str,
    client: httpx.AsyncClient,
    services: Services,
    amina: SomePerson,
    jeanne: SomePerson,
    reader: SomeWorker,
) -> None:
    id_ = await represented(client, amina, jeanne, reader)
    at = await inside(client, jeanne, id_)
    for _ in range(2):
        if by_whom == "person":
            path = f"/v1/me/representative/{id_}"
            ended = await proved(client, amina, "DELETE", path)
        else:
            path = f"/v1/representations/{id_}"
            ended = await client.delete(path, headers=jeanne.headers)
        assert ended.status_code == 204, ended.text
    assert not await works(client, at)
    own = (await client.get("/v1/sessions", headers=amina.headers)).json()["items"]
    assert [one["current"] for one in own] == [True], "what was under way there stops"
    assert [one["state"] for one in await mine(client, amina)] == ["ended"]
    is_problem(await enter(client, jeanne, id_), 409, "representation_over")
    for side in (amina, jeanne):
        lines = [one for one in await log_of(client, side) if one["action"] == "representation.end"]
        assert len(lines) == 1, "the second changes nothing"
    (last, *_) = await inbox(services, to=amina.phone)
    assert "représentation légale est terminée" in last.text
    is_problem(
        await client.delete(f"/v1/representations/{new_id()}", headers=jeanne.headers),
        404,
        "not_found",
    )


async def test_a_worker_who_may_not_read_it_begins_nothing(
    client: httpx.AsyncClient,
    services: Services,
    as_owner: Database,
    amina: SomePerson,
    jeanne: SomePerson,
    reader: SomeWorker,
    make_worker: MakeWorker,
) -> None:
    id_ = await answered(client, amina, jeanne)
    code = await digits_for_desk(client, jeanne, id_)
    other = await make_worker()
    is_problem(await read_judgement(client, other, code), 403, "desk_not_allowed")
    await administration.let_open_vaults(services, other.organisation_id, allowed=True)
    is_problem(await read_judgement(client, other, code), 403, "agent_too_new")
    same = await agent(services, as_owner, make_worker, "Jeanne PETIT")
    is_problem(await read_judgement(client, same, code), 409, "judgement_names_you")
    today = clock.now().date()
    for wrong in (
        {"decided_on": (today + 2 * DAY).isoformat()},
        {"ends_on": (today - 2 * DAY).isoformat()},
        {"ends_on": today.replace(year=today.year + 21, day=1).isoformat()},
    ):
        answer = await read_judgement(client, reader, code, judgement(changes=wrong))
        is_problem(answer, 422, "judgement_date")
    is_problem(await read_judgement(client, reader, "00000000"), 403, "representation_code_wrong")
    assert [one["state"] for one in await mine(client, amina)] == ["answered"]
    assert (await read_judgement(client, reader, code)).status_code == 204


async def test_two_at_most_and_the_digits_of_before_serve_no_more(
    client: httpx.AsyncClient,
    amina: SomePerson,
    jeanne: SomePerson,
    reader: SomeWorker,
    make_person: MakePerson,
) -> None:
    first = await named(client, amina)
    second = await named(client, amina)
    is_problem(await type_digits(client, jeanne, first["code"]), 403, "representation_code_wrong")
    assert (await type_digits(client, jeanne, second["code"])).status_code == 200
    await represented(client, amina, await make_person(), reader)
    third = await proved(client, amina, "POST", "/v1/me/representative", WORDS)
    is_problem(third, 409, "too_many_representatives")


async def test_a_vault_that_ends_takes_it_along_or_leads_it_on(
    client: httpx.AsyncClient,
    services: Services,
    amina: SomePerson,
    jeanne: SomePerson,
    reader: SomeWorker,
    make_person: MakePerson,
) -> None:
    id_ = await represented(client, amina, jeanne, reader)
    zoe = await make_person()
    await joined(client, jeanne, zoe)
    assert [one["state"] for one in await theirs(client, zoe)] == ["live"]
    assert await works(client, await inside(client, zoe, id_))
    assert await erase(services, amina.subject)
    assert await theirs(client, zoe) == []
    assert ("representation.end", "anonymous") in actions(await log_of(client, zoe))
