"""A row altered without keys is refused, and keeps nothing back from anyone else: the jobs that
look at many people go on with the others."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from base.database import Database
from tests.attacks.test_own_erasure import asked, told
from tests.fixtures import MakePerson, MakeWorker, MoveClock, SomePerson, new_phone
from tests.steps import ask, counted, deposit
from tests.vault.decoding import corpus
from vault.access_log import retention
from vault.access_log.retention import apply_retention
from vault.documents.expiry_reminders import remind
from vault.maintenance.job_runner import sweep_all
from vault.services import Services

DAY = timedelta(days=1)


async def alter(as_owner: Database, person: SomePerson) -> None:
    async with as_owner.transaction() as tx:
        await tx.execute(
            text("UPDATE unefois.person SET language = 'en' WHERE id = :id"), {"id": person.id}
        )


async def test_one_vault_that_cannot_be_erased_keeps_back_neither_the_others_nor_the_sweep(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    moved_clock: MoveClock,
    as_owner: Database,
) -> None:
    altered, person = await make_person(), await make_person()
    for one in (altered, person):
        await asked(services, client, one)
    await alter(as_owner, altered)
    for days in (6.1, 7.1):
        moved_clock(days * DAY)
        await sweep_all(services)
    assert await counted(services, "pending_erasure", person) == 0
    assert (await client.get("/v1/me", headers=person.headers)).status_code == 401
    # Not told, so not erased.
    assert await counted(services, "pending_erasure", altered) == 1


async def test_an_altered_request_keeps_no_vault_from_being_erased(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    moved_clock: MoveClock,
    as_owner: Database,
) -> None:
    person, worker = await make_person(), await make_worker()
    await ask(client, worker.headers, person.phone, "income_tax_notice")
    await asked(services, client, person)
    async with as_owner.transaction() as tx:
        await tx.execute(
            text("UPDATE unefois.consent_request SET sealed = '\\x00' WHERE person_id = :id"),
            {"id": person.id},
        )
    for days in (6.1, 7.1):
        moved_clock(days * DAY)
        await sweep_all(services)
    assert (await client.get("/v1/me", headers=person.headers)).status_code == 401
    assert await counted(services, "consent_request", person) == 0


async def test_one_person_who_cannot_be_told_keeps_back_no_reminder_of_others(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    as_owner: Database,
) -> None:
    altered, person = await make_person(), await make_person()
    for one in (altered, person):
        await deposit(client, one, corpus.pdf(1), type_="payslip")
        async with as_owner.transaction() as tx:
            await tx.execute(
                text("UPDATE unefois.document SET notice_at = '2020-01-01' WHERE person_id = :id"),
                {"id": one.id},
            )
    await alter(as_owner, altered)
    assert await remind(services) >= 1
    assert any("date de fin" in one for one in await told(services, person))
    assert not any("date de fin" in one for one in await told(services, altered))


async def test_nor_the_warnings_of_a_year_that_ends(
    services: Services, make_person: MakePerson, moved_clock: MoveClock, as_owner: Database
) -> None:
    altered, person = await make_person(), await make_person()
    await alter(as_owner, altered)
    moved_clock((services.settings.log_retention_years + 2) * 365 * DAY)
    await apply_retention(services)
    assert any("pourra plus être lue" in one for one in await told(services, person))
    assert not any("pourra plus être lue" in one for one in await told(services, altered))


async def test_an_altered_request_keeps_nobody_from_opening_their_vault(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    as_owner: Database,
) -> None:
    phone, worker = new_phone(), await make_worker()
    altered = await ask(client, worker.headers, phone, "payslip")
    waiting = await ask(client, worker.headers, phone, "payslip")
    async with as_owner.transaction() as tx:
        await tx.execute(
            text("UPDATE unefois.consent_request SET requester_id = :other WHERE id = :id"),
            {"other": uuid4(), "id": altered},
        )
    person = await make_person(phone)
    listed = (await client.get("/v1/consent-requests", headers=person.headers)).json()["items"]
    assert [one["id"] for one in listed] == [waiting]


async def test_forged_warnings_keep_back_no_end_of_a_year_of_others(
    services: Services,
    make_person: MakePerson,
    moved_clock: MoveClock,
    as_owner: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retention, "_BATCH", 2)
    forged, person = [await make_person() for _ in range(3)], await make_person()
    years = services.settings.log_retention_years
    moved_clock((years + 1) * 366 * DAY)
    await apply_retention(services)
    async with as_owner.transaction() as tx:
        await tx.execute(
            text("UPDATE unefois.log_warning SET at = '2020-01-01' WHERE owner_id = ANY(:ids)"),
            {"ids": [one.id for one in forged]},
        )
    moved_clock((years + 2) * 366 * DAY)
    assert await apply_retention(services) >= 1
    assert await counted_keys(services, person) == 0
    assert [await counted_keys(services, one) for one in forged] == [1, 1, 1]


async def counted_keys(services: Services, person: SomePerson) -> int:
    """Their audit keys of the year in which their vault was opened."""
    query = "SELECT count(*) FROM unefois.audit_key WHERE owner_id = :id AND year <= :year"
    async with services.database.transaction() as tx:
        values = {"id": person.id, "year": datetime.now(UTC).year}
        return int((await tx.execute(text(query), values)).scalar_one())
