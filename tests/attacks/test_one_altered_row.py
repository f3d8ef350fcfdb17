"""A row altered without keys is refused, and keeps nothing back from anyone else: the jobs that
look at many people go on with the others."""

from datetime import timedelta

import httpx
from sqlalchemy import text

from base.database import Database
from tests.attacks.test_own_erasure import asked, told
from tests.fixtures import MakePerson, MakeWorker, MoveClock, SomePerson
from tests.steps import ask, counted, deposit
from tests.vault.decoding import corpus
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
    assert any("journal" in one for one in await told(services, person))
    assert not any("journal" in one for one in await told(services, altered))
