"""Notifications that the vault sends: each in the person's own language."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from auth.message_delivery import inbox
from base.db_time import now
from tests.fixtures import MakePerson, MakeWorker, MoveClock, SomePerson, new_phone
from tests.vault.access_log.test_retention import OLD, act_of
from tests.vault.consent.steps import asking, make_document
from vault.access_log.retention import apply_retention
from vault.consent import requests
from vault.documents.expiry_reminders import remind
from vault.services import Services
from vault.tables import Document

REQUEST = {
    "fr": "Une demande attend votre réponse. Ouvrez « Mes papiers » pour voir de qui elle vient,"
    " et dites oui ou non. Si elle ne vous concerne pas, répondez « Ce n’est pas moi ».",
    "en": "A request waits for your answer. Open “My papers” to see who sent it, and say yes or"
    " no. If it does not concern you, answer “This is not me”.",
}
EXPIRY = {
    "fr": "Un de vos papiers arrive bientôt à sa date de fin. Ouvrez « Mes papiers » pour voir"
    " lequel, ou parlez-en à la personne qui vous accompagne.",
    "en": "One of your papers will soon reach its end date. Open “My papers” to see which, or"
    " talk to the person who helps you.",
}
LOG = {
    "fr": "Dans 30 jours, la liste « Qui a regardé mes papiers » pour 2023 et avant ne pourra"
    " plus être lue. Pour la garder, ouvrez « Mes papiers » et emportez-la.",
    "en": "In 30 days, the list “Who looked at my papers” for 2023 and before can no longer be"
    " read. To keep it, open “My papers” and take it away.",
}


@pytest.fixture(params=["fr", "en"])
async def person(request: pytest.FixtureRequest, make_person: MakePerson) -> SomePerson:
    """Someone who speaks French, then someone who speaks English."""
    return await make_person(language=request.param)


async def last_text(services: Services, phone: str) -> str:
    return (await inbox(services, to=phone))[0].text


async def test_a_request_is_announced(
    services: Services, person: SomePerson, make_worker: MakeWorker
) -> None:
    worker = await make_worker()
    await requests.ask(services, worker.subject, person.phone, asking("payslip"))
    assert await last_text(services, person.phone) == REQUEST[person.subject.language]


async def test_a_request_is_announced_in_french_where_there_is_no_vault(
    services: Services, make_worker: MakeWorker
) -> None:
    phone, worker = new_phone(), await make_worker()
    await requests.ask(services, worker.subject, phone, asking("payslip"))
    assert await last_text(services, phone) == REQUEST["fr"]


async def test_the_end_of_a_paper_is_announced_once(services: Services, person: SomePerson) -> None:
    document_id = await make_document(services, person.subject, "payslip")
    async with services.database.transaction() as tx:
        due = update(Document).where(Document.id == document_id).values(notice_at=now())
        await tx.execute(due)
    assert await remind(services) >= 1
    await remind(services)
    texts = [message.text for message in await inbox(services, to=person.phone)]
    assert texts.count(EXPIRY[person.subject.language]) == 1


async def test_the_end_of_a_year_of_the_log_is_announced(
    services: Services, person: SomePerson, moved_clock: MoveClock
) -> None:
    async with services.database.transaction() as tx:
        await services.audit_log.record(tx, act_of(person, OLD))
    moved_clock(datetime(2026, 12, 2, 1, tzinfo=UTC) - datetime.now(UTC))
    await apply_retention(services)
    texts = [message.text for message in await inbox(services, to=person.phone)]
    assert texts.count(LOG[person.subject.language]) == 1
