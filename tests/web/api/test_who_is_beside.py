"""Which worker may be named as beside a person, and what else is the same answer."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from auth import administration
from base.ids import new_id
from tests.fixtures import MakePerson, MakeWorker, MoveClock, SomePerson
from tests.meetings import answered, met, say
from tests.steps import ask, is_problem, revoke
from tests.web.api.test_consent_evidence import body_for, give
from tests.web.api.test_receipts import receipt_of
from tests.web.printouts.reading import text_of
from vault.services import Services


@pytest.fixture
async def person(make_person: MakePerson) -> SomePerson:
    return await make_person()


def beside(worker_id: UUID) -> dict[str, Any]:
    return {"kind": "code_read_out", "worker_id": str(worker_id)}


async def test_every_other_id_is_the_same_answer(
    client: httpx.AsyncClient,
    services: Services,
    person: SomePerson,
    make_person: MakePerson,
    make_worker: MakeWorker,
) -> None:
    """Of another structure, barred, a person's, of nobody: nothing says which ids are there."""
    worker, elsewhere = await make_worker(), await make_worker()
    barred = await make_worker(worker.organisation_id)
    await administration.deactivate_worker(services, barred.id)
    ids = [elsewhere.id, barred.id, new_id(), (await make_person()).id]
    request = await ask(client, worker.headers, person.phone, "payslip")
    approve = f"/v1/consent-requests/{request}/approve"
    said = set()
    for one in ids:
        given = await give(client, person, body_for(worker, beside(one)))
        body = {"evidence": beside(one)}
        approved = await client.post(approve, headers=person.headers, json=body)
        for answer in (given, approved):
            is_problem(answer, 422, "evidence_worker")
            said.add(repr({k: v for k, v in answer.json().items() if k != "request_id"}))
    assert len(said) == 1
    assert (await client.get("/v1/grants", headers=person.headers)).json()["items"] == []
    answer = await client.post(
        approve, headers=person.headers, json={"evidence": beside(worker.id)}
    )
    assert answer.status_code == 201, answer.text


async def test_a_colleague_of_who_receives(
    client: httpx.AsyncClient, person: SomePerson, make_worker: MakeWorker
) -> None:
    worker = await make_worker(name="Inès Roy")
    colleague = await make_worker(worker.organisation_id, name="Camille Moreau")
    answer = await give(client, person, body_for(worker, beside(colleague.id)))
    assert answer.status_code == 201, answer.text
    grant = answer.json()["id"]
    structure = colleague.subject.organisation
    for side in (person, worker):
        (said,) = (await receipt_of(client, side, grant))["evidence"]
        assert said["beside"] == {"name": "Camille Moreau", "organisation": structure}
        pdf = await client.get(f"/v1/grants/{grant}/receipt.pdf", headers=side.headers)
        words = text_of(pdf.content).replace("\xa0", " ")
        assert f"À côté de la personne : Camille Moreau, {structure}" in words
    await revoke(client, person, grant)
    given, ended = (await receipt_of(client, person, grant))["evidence"]
    assert "beside" in given
    assert "beside" not in ended


async def test_one_whom_the_person_met_for_half_an_hour(
    client: httpx.AsyncClient,
    person: SomePerson,
    make_person: MakePerson,
    make_worker: MakeWorker,
    moved_clock: MoveClock,
) -> None:
    worker, elsewhere = await make_worker(), await make_worker()
    body = body_for(worker, beside(elsewhere.id))
    meeting = await answered(client, elsewhere, person)
    await say(client, person, meeting)
    is_problem(await give(client, person, body), 422, "evidence_worker")  # one yes is missing
    await say(client, elsewhere, meeting)
    assert (await give(client, person, body)).status_code == 201
    assert (await give(client, person, body)).status_code == 201  # it is not used up
    is_problem(await give(client, await make_person(), body), 422, "evidence_worker")
    moved_clock(timedelta(minutes=31))
    is_problem(await give(client, person, body), 422, "evidence_worker")


async def test_not_one_whose_meeting_was_ended(
    client: httpx.AsyncClient, person: SomePerson, make_worker: MakeWorker
) -> None:
    worker, elsewhere = await make_worker(), await make_worker()
    meeting = await met(client, elsewhere, person)
    await say(client, elsewhere, meeting, agree=False)
    answer = await give(client, person, body_for(worker, beside(elsewhere.id)))
    is_problem(answer, 422, "evidence_worker")
