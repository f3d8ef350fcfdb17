"""Requests: sent, listed, lapsed, rate-limited, and found by a vault opened later."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from auth.message_delivery import inbox
from auth.services import CoreServices
from base.errors import ErrorKind, ServiceError
from base.ids import new_id
from storage.field_encryption import DecryptionError
from tests.fixtures import MoveClock
from tests.vault.consent.steps import (
    WEEK,
    a_phone,
    asking,
    fails,
    log_of,
    make_client,
    make_person,
    make_worker,
    request_from_worker,
)
from vault import rate_limit
from vault.consent import request_views
from vault.consent.answers import approve, refuse
from vault.consent.records.requests import delete_unanswered
from vault.consent.request_transfer import adopt_requests
from vault.consent.requests import ask
from vault.consent.terms import Approval, Terms
from vault.records import delete_attempts
from vault.rules import GrantAction


async def test_an_unanswered_request_lapses_after_a_week(
    services: CoreServices, moved_clock: MoveClock
) -> None:
    person, worker, request_id = await request_from_worker(services, "payslip")
    moved_clock(WEEK - timedelta(minutes=5))
    assert (await request_views.see_received(services, person, request_id)).state == "waiting"
    moved_clock(WEEK + timedelta(seconds=1))
    assert (await request_views.see_received(services, person, request_id)).state == "lapsed"
    assert (await request_views.see_sent(services, worker, request_id)).state == "lapsed"
    lapsed = (ErrorKind.CONFLICT, "request_lapsed")
    assert await fails(approve(services, person, request_id, Approval())) == lapsed
    assert await fails(refuse(services, person, request_id)) == lapsed


async def test_what_waits_comes_first_and_pages_follow_on(services: CoreServices) -> None:
    phone = a_phone()
    person, worker = await make_person(services, phone), await make_worker(services)
    ids = [(await ask(services, worker, phone, asking("payslip"))).id for _ in range(5)]
    await refuse(services, person, ids[4])
    await refuse(services, person, ids[1])
    read: list[UUID] = []
    cursor = None
    while True:
        page = await request_views.list_received(services, person, limit=2, cursor=cursor)
        read += [item.id for item in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert read == [ids[3], ids[2], ids[0], ids[4], ids[1]]
    first = await request_views.list_sent(services, worker, limit=3)
    then = await request_views.list_sent(services, worker, limit=3, cursor=first.next)
    assert [item.id for item in [*first.items, *then.items]] == ids[::-1]
    assert then.next is None
    assert (await fails(request_views.list_sent(services, worker, cursor="nonsense")))[
        1
    ] == "cursor_invalid"


async def test_a_vault_opened_later_finds_what_waits_for_its_phone(services: CoreServices) -> None:
    phone, worker = a_phone(), await make_worker(services)
    sent = await ask(services, worker, phone, asking("payslip"))
    person = await make_person(services, phone)
    assert (await request_views.list_received(services, person)).items == []
    async with services.database.transaction() as tx:
        tag = await services.field_encryption.tag("phone", phone)
        assert await adopt_requests(services, tx, person.id, [tag]) == 1
    (item,) = (await request_views.list_received(services, person)).items
    assert item.id == sent.id
    await refuse(services, person, sent.id, "not_me")
    assert (await log_of(services, person))[-1]["action"] == "consent.not_me"
    # Its text is now sealed to the person: the service's own key no longer opens it.
    service = await services.field_encryption.reader(None)
    async with services.database.transaction() as tx:
        sealed = await tx.scalar(
            text("SELECT sealed FROM unefois.consent_request WHERE id = :id"), {"id": sent.id}
        )
    with pytest.raises(DecryptionError):
        service.open("consent_request", sent.id, sealed)


async def test_lapsed_requests_are_not_handed_to_a_new_vault(
    services: CoreServices, moved_clock: MoveClock
) -> None:
    phone, worker = a_phone(), await make_worker(services)
    await ask(services, worker, phone, asking("payslip"))
    moved_clock(WEEK + timedelta(seconds=1))
    person = await make_person(services, phone)
    async with services.database.transaction() as tx:
        tag = await services.field_encryption.tag("phone", phone)
        assert await adopt_requests(services, tx, person.id, [tag]) == 0


async def test_a_sender_is_paced(services: CoreServices, moved_clock: MoveClock) -> None:
    few = replace(services, settings=services.settings.model_copy(update={"requests_per_hour": 3}))
    worker = await make_worker(services)
    for _ in range(3):
        await ask(few, worker, a_phone(), asking("payslip"))
    with pytest.raises(ServiceError) as paced:
        await ask(few, worker, a_phone(), asking("payslip"))
    assert (paced.value.kind, paced.value.code) == (ErrorKind.TOO_MANY, "too_many_requests")
    assert paced.value.retry_after is not None
    assert 3500 < paced.value.retry_after <= 3601
    assert (await log_of(services, None, worker))[-1]["reason"] == "paced"
    await ask(few, await make_worker(services), a_phone(), asking("payslip"))  # another sender
    moved_clock(timedelta(seconds=paced.value.retry_after))
    await ask(few, worker, a_phone(), asking("payslip"))


async def test_many_requests_at_once_do_not_pass_the_pace(services: CoreServices) -> None:
    few = replace(
        services, settings=services.settings.model_copy(update={"client_requests_per_hour": 5})
    )
    client = await make_client(services)
    answers = await asyncio.gather(
        *(ask(few, client, a_phone(), asking("payslip")) for _ in range(15)),
        return_exceptions=True,
    )
    codes = [each.code for each in answers if isinstance(each, ServiceError)]
    assert codes == ["too_many_requests"] * 10
    assert len((await request_views.list_sent(services, client, limit=100)).items) == 5


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (asking("not_a_type"), "unknown_document_type"),
        (asking(), "scope_empty"),
        (asking("payslip", actions=()), "scope_empty"),
        (asking(actions=("read", "deposit")), "scope_empty"),
        (asking("payslip", purpose_code="curiosity"), "unknown_purpose"),
        (asking("payslip", legal_basis="because"), "unknown_legal_basis"),
        (asking("payslip", duration="P13M"), "duration_too_long"),
        (asking("payslip", duration="soon"), "duration_invalid"),
        (asking("payslip", store_for="P1Y"), "store_not_asked"),
    ],
)
async def test_what_cannot_be_asked(services: CoreServices, asked: Terms, code: str) -> None:
    worker = await make_worker(services)
    assert await fails(ask(services, worker, a_phone(), asked)) == (ErrorKind.INVALID, code)
    assert (await request_views.list_sent(services, worker)).items == []


async def test_a_deposit_needs_no_type(services: CoreServices) -> None:
    person, _, request_id = await request_from_worker(services, actions=("deposit",))
    grant = await approve(services, person, request_id, Approval())
    assert grant.terms.scope.actions == (GrantAction.DEPOSIT,)


async def test_the_same_key_asks_once(services: CoreServices) -> None:
    worker, phone = await make_worker(services), a_phone()
    answers = await asyncio.gather(
        *(ask(services, worker, phone, asking("payslip"), idempotency_key="k-1") for _ in range(8))
    )
    assert len({each.id for each in answers}) == 1
    assert len((await request_views.list_sent(services, worker)).items) == 1
    other_body = ask(services, worker, a_phone(), asking("payslip"), idempotency_key="k-1")
    assert await fails(other_body) == (ErrorKind.INVALID, "idempotency_key_reused")
    # A key belongs to its caller: the same value from another worker is another key.
    colleague = await make_worker(services, organisation_id=worker.organisation_id)
    apart = await ask(services, colleague, phone, asking("payslip"), idempotency_key="k-1")
    assert apart.id != answers[0].id
    bad = ask(services, worker, phone, asking("payslip"), idempotency_key="\n")
    assert (await fails(bad))[1] == "idempotency_key_invalid"


async def test_the_phone_is_told_neither_who_asks_nor_for_what(services: CoreServices) -> None:
    shown = replace(services, settings=services.settings.model_copy(update={"messenger": "inbox"}))
    phone = a_phone()
    await make_person(services, phone)
    await ask(shown, await make_worker(services), phone, asking("payslip"))
    (message,) = await inbox(shown, to=phone)
    for word in ("Inès Moreau", "Assistante sociale", "CCAS de Montreuil", "bulletin", "paie"):
        assert word.lower() not in message.text.lower()
    assert "Ce n’est pas moi" in message.text
    assert "logement" not in message.text
    assert message.channel == "sms"


async def test_a_message_is_not_sent_when_the_request_is_not_kept(services: CoreServices) -> None:
    """The same key twice: one row, one message."""
    shown = replace(services, settings=services.settings.model_copy(update={"messenger": "inbox"}))
    worker, phone = await make_worker(services), a_phone()
    for _ in range(2):
        await ask(shown, worker, phone, asking("payslip"), idempotency_key="once")
    assert len(await inbox(shown, to=phone)) == 1


async def test_what_came_to_nothing_is_forgotten_at_one_age(
    services: CoreServices, moved_clock: MoveClock
) -> None:
    """Refused, ignored or without a vault: all leave the sender's list at the same age."""
    worker = await make_worker(services)
    phones = [a_phone() for _ in range(4)]
    people = [await make_person(services, phone) for phone in phones[:3]]
    ids = [(await ask(services, worker, phone, asking("payslip"))).id for phone in phones]
    await approve(services, people[0], ids[0], Approval())
    await refuse(services, people[1], ids[1])
    for age, left in ((WEEK * 5 - timedelta(hours=1), 4), (WEEK * 5 + timedelta(hours=1), 1)):
        moved_clock(age)
        async with services.database.transaction() as tx:
            await delete_unanswered(tx, lapsed_for=WEEK * 4)
        assert len((await request_views.list_sent(services, worker)).items) == left
    (kept,) = (await request_views.list_sent(services, worker)).items
    assert kept.state == "approved"


async def test_attempts_are_forgotten_once_they_no_longer_count(
    services: CoreServices, moved_clock: MoveClock
) -> None:
    person = new_id()
    assert await rate_limit.take_attempt(services, person, "give", 1) is None
    assert await rate_limit.take_attempt(services, person, "give", 1) is not None
    moved_clock(timedelta(hours=2))
    async with services.database.transaction() as tx:
        await delete_attempts(tx, older_than=rate_limit.HOUR)
    moved_clock(timedelta())
    assert await rate_limit.take_attempt(services, person, "give", 1) is None
