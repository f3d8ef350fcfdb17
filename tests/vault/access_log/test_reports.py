"""Reports: made once, told without a word of the person, answered where they were made."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from audit.events import Action
from auth.services import CoreServices
from base.errors import ServiceError
from base.ids import new_id
from tests.auth.steps import queued_messages
from tests.fixtures import (
    OPERATOR_EMAIL,
    MakeOrganisation,
    MakePerson,
    MakeWorker,
    MoveClock,
    SomePerson,
    SomeWorker,
)
from tests.steps import ask, counted, deposit, granted
from tests.vault.decoding import corpus
from vault.access_log import entries, reports
from vault.access_log.entries import EntryView
from vault.access_log.report_views import reports_on
from vault.maintenance.erasure import erase
from vault.services import Services


async def log_of(services: Services, person: SomePerson) -> list[EntryView]:
    page = await entries.list_for_person(services, person.subject, cursor=None, limit=100)
    return page.items


async def entry_of(services: Services, person: SomePerson, action: Action) -> EntryView:
    """The newest entry of an action."""
    return next(one for one in await log_of(services, person) if one.action == action)


async def a_reading(
    client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker, **fields: str
) -> None:
    """The worker reads a document of the person's under a grant."""
    document = await deposit(client, person, corpus.pdf(), **fields)
    grant = await granted(client, person, worker.headers, "income_tax_notice")
    path = f"/v1/grants/{grant}/documents/{document['id']}/content"
    assert (await client.get(path, headers=worker.headers)).status_code == 200


async def about(services: CoreServices, to: str, reference: UUID) -> list[dict[str, str]]:
    """The messages to an address that name a report."""
    sent = await queued_messages(services, to)
    return [one for one in sent if str(reference) in one["text"]]


async def failure_code(awaited: object) -> str:
    with pytest.raises(ServiceError) as failed:
        await awaited  # type: ignore[misc]  # a coroutine
    return failed.value.code


async def test_it_is_told_to_the_organisation_and_to_the_operator(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    make_organisation: MakeOrganisation,
) -> None:
    address = f"direction-{new_id().hex[-8:]}@ccas.example"
    organisation = await make_organisation("CCAS de Lys", f"accueil, {address}, 03 20 00 00 00")
    person, worker = await make_person(), await make_worker(organisation)
    await a_reading(client, person, worker, title="Avis de Zoé")
    entry = await entry_of(services, person, Action.READ)

    made = await reports.report(services, person.subject, entry.id, "Je ne connais pas Camille.")

    assert made.organisation_told
    (letter,) = await about(services, address, made.id)
    (notice,) = await about(services, OPERATOR_EMAIL, made.id)
    for message in (letter, notice):
        assert message["subject"] == "Accès signalé"
        assert "Camille Moreau, Assistante sociale, CCAS de Lys" in message["text"]
    assert f"Écrivez ce que vous savez à {OPERATOR_EMAIL}" in letter["text"]
    assert "Sa structure est prévenue" in notice["text"]
    assert f"unefois reports see {made.id}" in notice["text"]
    (told,) = [one for one in await log_of(services, person) if one.action == Action.REPORT]
    assert told.details == {"report": str(made.id), "event": str(entry.id)}


async def test_without_an_e_mail_address_the_operator_is_asked_to_see(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    await a_reading(client, person, worker)
    entry = await entry_of(services, person, Action.READ)
    made = await reports.report(services, person.subject, entry.id)
    assert not made.organisation_told
    (notice,) = await about(services, OPERATOR_EMAIL, made.id)
    assert "Aucune structure n’est prévenue" in notice["text"]


async def test_one_s_own_entry_may_be_someone_else_s_doing(
    services: Services, make_person: MakePerson
) -> None:
    person = await make_person()
    entry = await entry_of(services, person, Action.SIGN_IN)
    made = await reports.report(services, person.subject, entry.id, "Ce n’était pas moi.")
    (notice,) = await about(services, OPERATOR_EMAIL, made.id)
    assert "quelqu’un sans nom connu" in notice["text"]


async def test_a_second_report_gives_the_first_and_tells_nobody_again(
    services: Services, make_person: MakePerson
) -> None:
    person = await make_person()
    entry = await entry_of(services, person, Action.SIGN_IN)
    first = await reports.report(services, person.subject, entry.id, "Première fois")
    assert await reports.report(services, person.subject, entry.id, "Deuxième fois") == first
    assert len(await about(services, OPERATOR_EMAIL, first.id)) == 1
    assert (await entries.see_for_person(services, person.subject, entry.id)).report == first


async def test_of_many_at_once_one_is_made(services: Services, make_person: MakePerson) -> None:
    person = await make_person()
    entry = await entry_of(services, person, Action.SIGN_IN)
    calls = (reports.report(services, person.subject, entry.id, f"n° {n}") for n in range(6))
    made = await asyncio.gather(*calls)
    assert len(set(made)) == 1
    assert await counted(services, "report", person) == 1
    assert [one.action for one in await log_of(services, person)].count(Action.REPORT) == 1
    assert len(await about(services, OPERATOR_EMAIL, made[0].id)) == 1


async def test_it_is_read_and_answered_in_the_log(
    services: Services, make_person: MakePerson
) -> None:
    person = await make_person()
    entry = await entry_of(services, person, Action.SIGN_IN)
    made = await reports.report(services, person.subject, entry.id, "Ce n’était pas moi.")

    listed = {one.id: one for one in await reports.list_reports(services)}[made.id]
    assert (listed.answered_at, listed.altered) == (None, False)
    opened = await reports.see_report(services, made.id)
    assert (opened.report, opened.event_id) == (made, entry.id)
    assert (opened.at, opened.action) == (entry.at, "sign_in.success")
    await reports.answer_report(services, made.id, "Nous avons fermé cette session.\r\n")

    seen = (await entries.see_for_person(services, person.subject, entry.id)).report
    assert seen is not None
    assert (seen.text, seen.answer) == (made.text, "Nous avons fermé cette session.")
    assert seen.answered_at is not None
    newest = [(one.action, one.actor["kind"]) for one in await log_of(services, person)][:2]
    assert newest == [("report.answer", "operator"), ("report.see", "operator")]
    sms = (await queued_messages(services, person.phone))[-1]["text"]
    assert sms.startswith("Il y a une réponse pour vous.")
    assert "session" not in sms
    assert "http" not in sms
    assert made.id not in {one.id for one in await reports.list_reports(services)}
    assert made.id in {one.id for one in await reports.list_reports(services, waiting=False)}


async def test_an_answer_stays(services: Services, make_person: MakePerson) -> None:
    person = await make_person()
    entry = await entry_of(services, person, Action.SIGN_IN)
    made = await reports.report(services, person.subject, entry.id)
    await reports.answer_report(services, made.id, "Oui.")
    assert await failure_code(reports.answer_report(services, made.id, "Non.")) == "report_answered"
    newest = await entry_of(services, person, Action.REPORT_ANSWERED)
    assert (newest.outcome, newest.reason) == ("refused", "report_answered")
    seen = (await entries.see_for_person(services, person.subject, entry.id)).report
    assert seen is not None
    assert seen.answer == "Oui."


async def test_an_unknown_reference_and_an_empty_answer_are_refused(
    services: Services, make_person: MakePerson
) -> None:
    person = await make_person()
    entry = await entry_of(services, person, Action.SIGN_IN)
    made = await reports.report(services, person.subject, entry.id)
    assert await failure_code(reports.see_report(services, new_id())) == "not_found"
    assert await failure_code(reports.answer_report(services, new_id(), "Oui.")) == "not_found"
    assert await failure_code(reports.answer_report(services, made.id, " \n")) == "text_invalid"
    long = "x" * (reports.MAX_TEXT + 1)
    code = await failure_code(reports.report(services, person.subject, entry.id, long))
    assert code == "text_too_long"


async def test_twenty_an_hour(
    services: Services, make_person: MakePerson, moved_clock: MoveClock
) -> None:
    person = await make_person()
    entry = await entry_of(services, person, Action.SIGN_IN)
    for _ in range(reports.PER_HOUR):
        await reports.report(services, person.subject, entry.id)
    with pytest.raises(ServiceError) as failed:
        await reports.report(services, person.subject, entry.id)
    assert failed.value.code == "too_many_requests"
    assert failed.value.retry_after is not None
    newest = (await log_of(services, person))[0]
    assert (newest.action, newest.reason) == ("log.report", "paced")
    moved_clock(timedelta(hours=1, seconds=1))
    await reports.report(services, person.subject, entry.id)


async def test_a_crash_before_the_commit_leaves_nothing(
    services: Services, make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await make_person()
    entry = await entry_of(services, person, Action.SIGN_IN)
    before = len(await queued_messages(services, OPERATOR_EMAIL))

    async def fail(*_: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr(reports, "record_allowed", fail)
        with pytest.raises(ConnectionError):
            await reports.report(services, person.subject, entry.id)
    assert await counted(services, "report", person) == 0
    assert len(await queued_messages(services, OPERATOR_EMAIL)) == before


async def test_it_goes_with_the_vault(services: Services, make_person: MakePerson) -> None:
    person = await make_person()
    entry = await entry_of(services, person, Action.SIGN_IN)
    made = await reports.report(services, person.subject, entry.id)
    await erase(services, person.subject)
    assert await counted(services, "report", person) == 0
    assert await failure_code(reports.see_report(services, made.id)) == "not_found"


@pytest.mark.parametrize(("action", "told"), [("read", True), ("request", False)])
async def test_a_structure_is_told_only_of_what_shows_it_that_there_is_a_vault(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    make_organisation: MakeOrganisation,
    action: str,
    told: bool,
) -> None:
    address = f"direction-{new_id().hex[-8:]}@ccas.example"
    person = await make_person()
    worker = await make_worker(await make_organisation("CCAS", address))
    if action == "read":
        await a_reading(client, person, worker)
        entry = await entry_of(services, person, Action.READ)
    else:
        await ask(client, worker.headers, person.phone, "payslip")
        entry = await entry_of(services, person, Action.REQUEST)
    made = await reports.report(services, person.subject, entry.id)
    assert made.organisation_told == told
    assert bool(await queued_messages(services, address)) == told
    assert len(await about(services, OPERATOR_EMAIL, made.id)) == 1


async def test_a_page_of_the_log_asks_for_its_reports_once(
    services: Services, make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await make_person()
    made = [
        await reports.report(services, person.subject, entry.id)
        for entry in await log_of(services, person)
    ]
    asked = []

    async def counting(*arguments: Any) -> Any:
        asked.append(arguments)
        return await reports_on(*arguments)

    monkeypatch.setattr(entries, "reports_on", counting)
    listed = [one.report for one in await log_of(services, person)]
    assert sorted(filter(None, listed), key=lambda one: one.id) == made
    assert len(asked) == 1
