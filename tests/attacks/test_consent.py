"""A requester who wants to learn who has a vault, a stranger with an id, a thief of the tables."""

import asyncio
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from auth.message_delivery import inbox
from auth.services import CoreServices
from auth.subjects import Person, Worker
from base.errors import ServiceError
from base.ids import new_id
from tests.fixtures import MakePerson, MoveClock
from tests.vault.consent.steps import a_phone, asking, log_of, make_worker
from tests.vault.consent.steps import make_person as a_person_of
from vault.consent import request_views
from vault.consent.answers import approve, refuse
from vault.consent.evidence import evidence
from vault.consent.grants import list_grants, revoke, see
from vault.consent.request_views import SentRequest
from vault.consent.requests import ask
from vault.consent.terms import Approval

WEEK = timedelta(days=7)


def shape(item: SentRequest) -> dict[str, Any]:
    """What a requester sees, without what differs between any two requests."""
    values = asdict(item)
    for name in ("id", "asked_at", "lapses_at", "phone"):
        assert values.pop(name) is not None
    return values


async def code_of(awaitable: Any) -> str:
    with pytest.raises(ServiceError) as failed:
        await awaitable
    return failed.value.code


async def test_a_phone_with_a_vault_answers_as_one_without(services: CoreServices) -> None:
    shown = replace(services, settings=services.settings.model_copy(update={"messenger": "inbox"}))
    worker, known, unknown = await make_worker(services), a_phone(), a_phone()
    await a_person_of(services, known)
    sent = {phone: await ask(shown, worker, phone, asking("payslip")) for phone in (known, unknown)}
    assert {set(asdict(each)) == {"id", "lapses_at", "quota"} for each in sent.values()} == {True}
    seen = [
        shape(await request_views.see_sent(services, worker, sent[phone].id))
        for phone in (known, unknown)
    ]
    assert seen[0] == seen[1]
    assert seen[0]["state"] == "waiting"
    # Their two messages have the same text, and their rows and log entries the same size.
    texts = [[message.text for message in await inbox(shown, to=phone)] for phone in sent]
    assert texts[0] == texts[1]
    assert len(texts[0]) == 1
    async with services.database.transaction() as tx:
        sizes = await tx.scalars(
            text("SELECT length(sealed) FROM unefois.consent_request WHERE requester_id = :id"),
            {"id": worker.id},
        )
        entries = await tx.scalars(
            text("SELECT length(sealed) FROM unefois.access_event WHERE actor_tag = :tag"),
            {"tag": await services.audit_log.actor_tag(worker.actor())},
        )
        assert len(set(sizes)) == 1
        assert len(list(entries)) == 2


@pytest.mark.parametrize("answer", ["no", "not_me"])
async def test_a_refusal_looks_like_silence_until_the_end(
    services: CoreServices, moved_clock: MoveClock, answer: Any
) -> None:
    worker = await make_worker(services)
    phones = [a_phone(), a_phone()]
    people = [await a_person_of(services, phone) for phone in phones]
    ids = [(await ask(services, worker, phone, asking("payslip"))).id for phone in phones]
    await refuse(services, people[0], ids[0], answer)
    for moved, state in (
        (timedelta(), "waiting"),
        (WEEK - timedelta(minutes=1), "waiting"),
        (WEEK + timedelta(seconds=2), "lapsed"),
    ):
        moved_clock(moved)
        seen = [shape(await request_views.see_sent(services, worker, each)) for each in ids]
        assert seen[0] == seen[1]
        assert seen[0]["state"] == state
        listed = [shape(each) for each in (await request_views.list_sent(services, worker)).items]
        assert listed == seen


async def test_a_vault_opened_while_it_is_asked_misses_nothing(
    services: CoreServices, make_person: MakePerson
) -> None:
    """Whichever commits first, the request is in the new vault."""
    worker = await make_worker(services)
    for _ in range(8):
        phone = a_phone()
        _, person = await asyncio.gather(
            ask(services, worker, phone, asking("payslip")), make_person(phone)
        )
        assert len((await request_views.list_received(services, person.subject)).items) == 1


async def granted(services: CoreServices) -> tuple[Person, Worker, UUID, UUID]:
    phone = a_phone()
    person, worker = await a_person_of(services, phone), await make_worker(services)
    sent = await ask(services, worker, phone, asking("payslip"))
    grant = await approve(services, person, sent.id, Approval())
    return person, worker, sent.id, grant.id


async def test_the_ids_of_others_answer_as_unknown_ones(services: CoreServices) -> None:
    person, worker, request_id, grant_id = await granted(services)
    waiting = (await ask(services, worker, a_phone(), asking("payslip"))).id
    other = await a_person_of(services)
    colleague = await make_worker(services, organisation_id=worker.organisation_id)
    for request in (request_id, waiting, new_id()):
        assert await code_of(request_views.see_received(services, other, request)) == "not_found"
        assert await code_of(approve(services, other, request, Approval())) == "not_found"
        assert await code_of(refuse(services, other, request)) == "not_found"
        assert await code_of(request_views.see_sent(services, colleague, request)) == "not_found"
    for grant in (grant_id, new_id()):
        assert await code_of(see(services, other, grant)) == "not_found"
        assert await code_of(see(services, colleague, grant)) == "not_found"
        assert await code_of(revoke(services, other, grant)) == "not_found"
        assert await code_of(evidence(services, colleague, grant, "payslip")) == "not_found"
    # Each attempt on what exists is in its owner's log, which does not name another person.
    refused = [entry for entry in await log_of(services, person) if entry["outcome"] == "refused"]
    assert len(refused) == 4 + 4
    strangers = [entry["actor"] for entry in refused if entry["actor"]["kind"] == "anonymous"]
    assert strangers == [{"kind": "anonymous"}] * 5
    assert {entry["actor"].get("name") for entry in refused} == {None, "Inès Moreau"}
    assert (await list_grants(services, other)).items == []
    assert (await list_grants(services, colleague)).items == []
    assert (await request_views.list_sent(services, colleague)).items == []


async def test_a_grant_is_the_workers_and_not_their_organisations(services: CoreServices) -> None:
    person, worker, _, grant_id = await granted(services)
    colleague = await make_worker(services, organisation_id=worker.organisation_id)
    assert (await evidence(services, worker, grant_id, "payslip")).held is False
    assert await code_of(evidence(services, colleague, grant_id, "payslip")) == "not_found"
    assert (await log_of(services, person))[-1]["reason"] == "not_recipient"


async def test_the_tables_hold_no_word_of_it(services: CoreServices) -> None:
    """Every column of every row written: no phone, name, type, purpose or contact."""
    phone = a_phone()
    person, worker = await a_person_of(services, phone), await make_worker(services)
    asked = asking("payslip", "lease", purpose="Dossier de Zoé Quertinmont")
    for number in (phone, a_phone()):
        sent = await ask(services, worker, number, asked, idempotency_key=f"key-{number}")
        if number == phone:
            await approve(services, person, sent.id, Approval(), idempotency_key="key-of-yes")
    words = [
        phone, phone[3:], "payslip", "lease", "housing", "Quertinmont", "Moreau", "Montreuil",
        "0148706000", "key-of-yes", "key-+33",
    ]  # fmt: skip
    tables = [
        "consent_request", "grant", "grant_history", "idempotency", "message",
        "access_event", "audit_key", "person", "worker", "organisation", "attempt",
    ]  # fmt: skip
    async with services.database.transaction() as tx:
        for table in tables:
            rows = await tx.scalars(text(f"SELECT t::text FROM unefois.{table} t"))  # noqa: S608  (names above)
            dumped = "\n".join(rows)
            assert dumped or table in {"attempt"}
            for word in words:
                assert word not in dumped, (table, word)
                assert word.encode().hex() not in dumped, (table, word)
