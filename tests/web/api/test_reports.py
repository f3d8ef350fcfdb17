"""Reports over HTTP: the same object on the line, in the list and as the answer."""

from uuid import UUID

import httpx
import pytest

from tests.fixtures import MakeOrganisation, MakePerson, MakeWorker
from tests.steps import ask, is_problem, log_of
from vault.access_log import reports
from vault.services import Services


async def test_a_line_is_reported_and_answered_in_place(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson
) -> None:
    person = await make_person()
    line = (await log_of(client, person))[0]
    assert line["report"] is None
    path = f"/v1/access-log/{line['id']}"
    sent = await client.post(
        f"{path}/report", headers=person.headers, json={"text": " Ce n’est pas moi. "}
    )
    assert sent.status_code == 200, sent.text
    report = sent.json()
    assert set(report) == {
        "id", "reported_at", "text", "organisation_told", "answer", "answered_at", "answer_by",
    }  # fmt: skip
    assert (report["text"], report["answer"], report["answered_at"]) == (
        "Ce n’est pas moi.", None, None,
    )  # fmt: skip
    again = await client.post(f"{path}/report", headers=person.headers)
    assert again.json() == report
    await reports.answer_report(services, UUID(report["id"]), "Nous regardons.")
    seen = (await client.get(path, headers=person.headers)).json()["report"]
    assert seen | {"answer": None, "answered_at": None} == report
    assert seen["answer"] == "Nous regardons."
    listed = {one["id"]: one["report"] for one in await log_of(client, person)}
    assert listed[line["id"]] == seen
    assert sum(1 for one in listed.values() if one) == 1
    sentences = [one["sentence"] for one in await log_of(client, person)]
    assert sentences[0] == "L’équipe de ce site a répondu à votre message."
    assert sentences[1] == "Vous avez dit qu’une ligne de cette liste n’est pas normale."


@pytest.mark.parametrize(
    "body", [{"text": "x" * 501}, {"text": None}, {"text": "a", "to": "b"}, {"text": "x" * 3000}]
)
async def test_what_is_no_report_is_422(
    client: httpx.AsyncClient, make_person: MakePerson, body: dict[str, object]
) -> None:
    person = await make_person()
    line = (await log_of(client, person))[0]["id"]
    path = f"/v1/access-log/{line}/report"
    answer = await client.post(path, headers=person.headers, json=body)
    is_problem(answer, 422, None)


async def test_a_worker_reports_nothing_and_sees_no_report(
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    make_organisation: MakeOrganisation,
) -> None:
    person, worker = await make_person(), await make_worker(await make_organisation())
    await ask(client, worker.headers, person.phone, "payslip")
    line = (await log_of(client, person))[0]
    path = f"/v1/access-log/{line['id']}/report"
    refused = await client.post(path, headers=worker.headers)
    is_problem(refused, 403, None)
    before = await log_of(client, worker)
    assert (await client.post(path, headers=person.headers)).status_code == 200
    assert await log_of(client, worker) == before
