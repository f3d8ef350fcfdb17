"""Reports of accesses: someone else's entry, words where they do not belong, rows made by hand."""

from secrets import token_bytes
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from psycopg import sql
from structlog.testing import capture_logs

from base.embedded.server import Addresses
from base.ids import new_id
from storage.row_macs import RowAltered
from tests.auth.steps import queued_messages
from tests.fixtures import (
    OPERATOR_EMAIL,
    MakeOrganisation,
    MakePerson,
    MakeWorker,
    SomePerson,
)
from tests.steps import deposit, granted, is_problem, log_of
from tests.vault.decoding import corpus
from vault.access_log import entries, reports
from vault.access_log.report_views import ReportView
from vault.services import Services

WORDS = "Hortense-Signalement-88"
ANSWER = "Réponse-Quertinmont-89"
TITLE = "Titre-Zoé-90"


@pytest.fixture
def owner(postgres: Addresses) -> Any:
    """The owner of the tables, who may write anything and has no key."""
    address = postgres.owner_url.replace("+psycopg", "")
    with psycopg.connect(address, autocommit=True) as connection:
        yield connection


async def reported(services: Services, person: SomePerson, text: str = WORDS) -> ReportView:
    """The person reports the first entry of their log."""
    page = await entries.list_for_person(services, person.subject, cursor=None, limit=100)
    return await reports.report(services, person.subject, page.items[-1].id, text)


async def test_another_s_entry_is_recorded_as_one_s_own_failure_alone(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson
) -> None:
    person, stranger = await make_person(), await make_person()
    event = (await log_of(client, person))[0]["id"]
    before = await log_of(client, person)
    sent = len(await queued_messages(services, OPERATOR_EMAIL))
    body = {"text": WORDS}
    for id_ in (event, str(new_id())):
        path = f"/v1/access-log/{id_}/report"
        answer = await client.post(path, headers=stranger.headers, json=body)
        is_problem(answer, 404, "not_found")
    tried = [one for one in await log_of(client, stranger) if one["action"] == "log.report"]
    assert [(one["outcome"], one["reason"]) for one in tried] == [("refused", "not_found")] * 2
    assert await log_of(client, person) == before
    assert len(await queued_messages(services, OPERATOR_EMAIL)) == sent


async def test_no_word_of_it_is_in_a_table_or_in_the_log_output(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson, owner: Any
) -> None:
    person = await make_person()
    event = (await log_of(client, person))[0]["id"]
    with capture_logs() as logged:
        path = f"/v1/access-log/{event}/report"
        answer = await client.post(path, headers=person.headers, json={"text": WORDS})
        assert answer.status_code == 200, answer.text
        await reports.answer_report(services, UUID(answer.json()["id"]), ANSWER)
    for word in (WORDS, ANSWER, person.phone):
        assert word not in str(logged)
        for table in ("report", "message", "access_event", "attempt"):
            rows = owner.execute(sql.SQL("SELECT t::text FROM unefois.{} t").format(_name(table)))
            dumped = "\n".join(row[0] for row in rows)
            assert dumped
            assert word not in dumped, table
            assert word.encode().hex() not in dumped, table


async def test_messages_hold_nothing_of_the_person(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    make_organisation: MakeOrganisation,
) -> None:
    address = f"direction-{new_id().hex[-8:]}@ccas.example"
    person = await make_person()
    worker = await make_worker(await make_organisation("CCAS", address))
    document = await deposit(client, person, corpus.pdf(), title=TITLE)
    grant = await granted(client, person, worker.headers, "income_tax_notice")
    content = f"/v1/grants/{grant}/documents/{document['id']}/content"
    assert (await client.get(content, headers=worker.headers)).status_code == 200
    (read,) = [one for one in await log_of(client, person) if one["action"] == "document.read"]
    await client.post(
        f"/v1/access-log/{read['id']}/report", headers=person.headers, json={"text": WORDS}
    )
    (letter,) = await queued_messages(services, address)
    notice = (await queued_messages(services, OPERATOR_EMAIL))[-1]
    hidden = [
        person.phone[3:], str(person.id), TITLE, WORDS, document["id"], grant, read["id"],
        "income_tax_notice", "impôt", read["purpose"], read["purpose_code"],
    ]  # fmt: skip
    for word in hidden:
        assert word not in str(letter), word
        assert word not in str(notice), word


CHANGES = {
    "person_id": "(SELECT id FROM unefois.person WHERE id <> person_id LIMIT 1)",
    "event_id": "gen_random_uuid()",
    "organisation_id": "gen_random_uuid()",
    "sealed": "sealed || '\\x00'",
    "created_at": "created_at - interval '1 day'",
    "answered_at": "now()",
    "mac": "sha256(mac)",
}


@pytest.mark.parametrize("column", CHANGES)
async def test_a_row_changed_without_the_key_is_refused(
    services: Services, make_person: MakePerson, owner: Any, column: str
) -> None:
    await make_person()
    person = await make_person()
    made = await reported(services, person)
    owner.execute(
        sql.SQL("UPDATE unefois.report SET {} = {} WHERE id = %s").format(
            _name(column), sql.SQL(CHANGES[column])
        ),
        [made.id],
    )
    try:
        listed = {one.id: one for one in await reports.list_reports(services, waiting=False)}
        assert listed[made.id].altered
        with pytest.raises(RowAltered):
            await reports.see_report(services, made.id)
        with pytest.raises(RowAltered):
            await reports.answer_report(services, made.id, ANSWER)
        if column in {"person_id", "event_id"}:
            # The person reads no report there, and their log says that one was made.
            await _reads_none(services, person)
        else:
            with pytest.raises(RowAltered):
                await entries.list_for_person(services, person.subject, cursor=None, limit=100)
    finally:
        owner.execute("DELETE FROM unefois.report WHERE id = %s", [made.id])


async def test_a_row_made_without_the_key_is_refused(
    services: Services, make_person: MakePerson, owner: Any
) -> None:
    """A copy of a real one under another entry, as an answer that nobody gave."""
    person = await make_person()
    made = await reported(services, person)
    await reports.answer_report(services, made.id, ANSWER)
    page = await entries.list_for_person(services, person.subject, cursor=None, limit=1)
    owner.execute(
        "INSERT INTO unefois.report SELECT gen_random_uuid(), person_id, %s, organisation_id,"
        " sealed, created_at, answered_at, %s FROM unefois.report WHERE id = %s",
        [page.items[0].id, token_bytes(33), made.id],
    )
    try:
        with pytest.raises(RowAltered):
            await entries.see_for_person(services, person.subject, page.items[0].id)
    finally:
        owner.execute("DELETE FROM unefois.report WHERE person_id = %s", [person.id])


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM unefois.report",
        "TRUNCATE unefois.report",
        "UPDATE unefois.report SET person_id = person_id",
        "UPDATE unefois.report SET event_id = event_id",
        "UPDATE unefois.report SET created_at = created_at",
    ],
)
async def test_the_service_s_role_takes_no_report_back(postgres: Addresses, statement: str) -> None:
    address = postgres.service_url.replace("+psycopg", "")
    with (
        psycopg.connect(address) as service,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        service.execute(statement)  # type: ignore[arg-type]  # one of those above


async def _reads_none(services: Services, person: SomePerson) -> None:
    page = await entries.list_for_person(services, person.subject, cursor=None, limit=100)
    assert [one.report for one in page.items if one.report] == []
    assert "log.report" in [one.action for one in page.items]


def _name(name: str) -> sql.Composable:
    return sql.Identifier(name)
