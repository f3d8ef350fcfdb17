"""Requests: asked, listed, approved as they stand or narrower, refused, disowned, lapsed, paced."""

import asyncio
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from auth.messages import inbox
from auth.services import CoreServices
from auth.subjects import Person, Worker
from base.errors import ErrorKind, ServiceError
from base.ids import new_id
from storage.field_encryption import DecryptionError
from tests.fixtures import MoveClock
from tests.vault.consent.steps import (
    a_phone,
    asking,
    delete_document,
    instant_of,
    log_of,
    make_client,
    make_document,
    make_person,
    make_worker,
)
from vault import rate_limit
from vault.consent import request_views
from vault.consent.adoption import adopt_requests
from vault.consent.answers import approve, refuse
from vault.consent.grants import GrantView, list_grants
from vault.consent.records import delete_unanswered
from vault.consent.requests import ask
from vault.consent.scopes import Choice
from vault.consent.terms import Approval, Terms
from vault.durations import end_of
from vault.records import delete_attempts
from vault.rules import GrantAction

WEEK = timedelta(days=7)


async def asked_of(
    services: CoreServices, *types: str, **terms: Any
) -> tuple[Person, Worker, UUID]:
    """A person, a worker, and what the worker asked of the person."""
    phone = a_phone()
    person, worker = await make_person(services, phone), await make_worker(services)
    sent = await ask(services, worker, phone, asking(*types, **terms))
    return person, worker, sent.id


async def fails(awaitable: Any) -> tuple[ErrorKind, str]:
    with pytest.raises(ServiceError) as failed:
        await awaitable
    return failed.value.kind, failed.value.code


async def test_a_request_reaches_the_person_and_is_approved_as_it_stands(
    services: CoreServices,
) -> None:
    # 1. Asked: the person reads who, what, why, and which of their papers it would open.
    phone = a_phone()
    person, worker = await make_person(services, phone), await make_worker(services)
    tax = await make_document(services, person, "income_tax_notice")
    await make_document(services, person, "passport")
    spaced = f"0{phone[3]} {phone[4:6]} {phone[6:]}"
    sent = await ask(services, worker, spaced, asking("income_tax_notice", "payslip"))
    (item,) = (await request_views.list_received(services, person)).items
    assert (item.id, item.state, item.lapses_at) == (sent.id, "waiting", sent.lapses_at)
    assert item.requester["name"] == "Inès Moreau"
    assert item.requester["organisation"] == "CCAS de Montreuil"
    assert item.asked.purpose == "Demande de logement social"
    assert [(each.type, each.document_ids) for each in item.covers] == [
        ("income_tax_notice", (tax,)),
        ("payslip", ()),
    ]
    # 2. Approved: to this worker, for this time, on both sides' lists.
    grant = await approve(services, person, sent.id, Approval())
    assert (grant.recipient_kind, grant.recipient_id) == ("worker", worker.id)
    assert grant.ends_at == end_of(grant.given_at, "P1M")
    assert grant.terms.scope.document_types == ("income_tax_notice", "payslip")
    for subject in (person, worker):
        assert [each.id for each in (await list_grants(services, subject)).items] == [grant.id]
    seen = await request_views.see_sent(services, worker, sent.id)
    assert (seen.state, seen.grant_id) == ("approved", grant.id)
    # 3. On the person's log: both steps, with who and why.
    lines = await log_of(services, person)
    assert [line["action"] for line in lines] == ["consent.request", "consent.approve"]
    assert lines[0]["actor"]["name"] == "Inès Moreau"
    assert lines[1]["actor"]["kind"] == "owner"
    assert lines[1]["grant"] == str(grant.id)
    assert all(line["purpose"] == "Demande de logement social" for line in lines)


async def test_the_person_may_give_less(services: CoreServices) -> None:
    person, _, request_id = await asked_of(
        services, "income_tax_notice", "residence_permit", actions=("read", "deposit"),
        duration="P3M", may_store=True, store_for="P1Y",
    )  # fmt: skip
    permit = await make_document(services, person, "residence_permit")
    choice = Choice(document_ids=(permit,), actions=(GrantAction.READ,))
    grant = await approve(
        services, person, request_id, Approval(choice=choice, duration="P2W", may_store=False)
    )
    assert grant.terms.scope.document_ids == (permit,)
    assert grant.terms.scope.document_types == ()
    assert grant.terms.scope.actions == (GrantAction.READ,)
    assert grant.ends_at == grant.given_at + timedelta(days=14)
    assert grant.terms.may_store is False
    assert grant.terms.store_for is None


@pytest.mark.parametrize(
    ("approval", "code"),
    [
        (Approval(choice=Choice(document_types=("passport",))), "scope_widened"),
        (Approval(choice=Choice(actions=(GrantAction.DEPOSIT,))), "scope_widened"),
        (Approval(choice=Choice(actions=(GrantAction.ATTEST,))), "scope_widened"),
        (Approval(duration="P32D"), "scope_widened"),
        (Approval(duration="P1Y"), "scope_widened"),
        (Approval(may_store=True), "scope_widened"),
        (Approval(choice=Choice(document_ids=(new_id(),))), "unknown_document"),
        (Approval(choice=Choice(document_types=())), "nothing_granted"),
        (Approval(choice=Choice(actions=())), "nothing_granted"),
        (Approval(duration="one month"), "duration_invalid"),
    ],
)
async def test_widening_is_refused_and_leaves_the_request_waiting(
    services: CoreServices, approval: Approval, code: str
) -> None:
    person, _, request_id = await asked_of(services, "payslip")
    assert await fails(approve(services, person, request_id, approval)) == (ErrorKind.INVALID, code)
    assert (await request_views.see_received(services, person, request_id)).state == "waiting"
    assert (await list_grants(services, person)).items == []
    if code != "duration_invalid":
        assert (await log_of(services, person))[-1]["outcome"] == "refused"


async def test_documents_are_picked_among_ones_own_of_the_types_asked(
    services: CoreServices,
) -> None:
    person, _, request_id = await asked_of(services, "payslip")
    other = await make_person(services)
    theirs = await make_document(services, other, "payslip")
    passport = await make_document(services, person, "passport")
    gone = await make_document(services, person, "payslip")
    await delete_document(services, gone)
    for document, code in (
        (theirs, "unknown_document"),
        (gone, "unknown_document"),
        (passport, "scope_widened"),
    ):
        approval = Approval(choice=Choice(document_ids=(document,)))
        assert await fails(approve(services, person, request_id, approval)) == (
            ErrorKind.INVALID,
            code,
        )
    # One asked for by its id needs no type; an id that is not theirs is dropped, and says nothing.
    phone = a_phone()
    other = await make_person(services, phone)
    mine = await make_document(services, other, "passport")
    sent = await ask(
        services, await make_worker(services), phone, asking(ids=(mine, passport, new_id()))
    )
    grant = await approve(services, other, sent.id, Approval())
    assert grant.terms.scope.document_ids == (mine,)


async def test_a_sensitive_type_is_never_granted_as_a_type(services: CoreServices) -> None:
    person, _, request_id = await asked_of(services, "payslip", "medical_certificate")
    assert await fails(approve(services, person, request_id, Approval())) == (
        ErrorKind.INVALID,
        "sensitive_by_type",
    )
    grant = await approve(
        services, person, request_id, Approval(choice=Choice(document_types=("payslip",)))
    )
    assert grant.terms.scope.document_types == ("payslip",)


async def test_an_approval_without_anything_left_is_refused(services: CoreServices) -> None:
    person, _, request_id = await asked_of(services, ids=(new_id(),))
    assert (await fails(approve(services, person, request_id, Approval())))[1] == "nothing_granted"


async def test_a_request_is_answered_once(services: CoreServices) -> None:
    person, _, request_id = await asked_of(services, "payslip")
    await refuse(services, person, request_id)
    conflict = (ErrorKind.CONFLICT, "request_answered")
    assert await fails(approve(services, person, request_id, Approval())) == conflict
    assert await fails(refuse(services, person, request_id, "not_me")) == conflict
    assert (await request_views.see_received(services, person, request_id)).state == "refused"
    reasons = [line.get("reason") for line in await log_of(services, person)]
    assert reasons == [None, None, "answered", "answered"]


async def test_twenty_approvals_at_once_make_one_grant(services: CoreServices) -> None:
    person, _, request_id = await asked_of(services, "payslip")
    answers = await asyncio.gather(
        *(approve(services, person, request_id, Approval()) for _ in range(20)),
        return_exceptions=True,
    )
    grants = [each for each in answers if isinstance(each, GrantView)]
    failures = [each.code for each in answers if isinstance(each, ServiceError)]
    assert len(grants) == 1
    assert failures == ["request_answered"] * 19
    assert len((await list_grants(services, person)).items) == 1
    outcomes = [line["outcome"] for line in await log_of(services, person)]
    assert outcomes.count("refused") == 19


async def test_approving_and_refusing_at_once_has_one_winner(services: CoreServices) -> None:
    for _ in range(5):
        person, worker, request_id = await asked_of(services, "payslip")
        answers = await asyncio.gather(
            approve(services, person, request_id, Approval()),
            refuse(services, person, request_id),
            return_exceptions=True,
        )
        lost = [each for each in answers if isinstance(each, ServiceError)]
        assert [each.code for each in lost] == ["request_answered"]
        granted = bool((await list_grants(services, worker)).items)
        assert granted is isinstance(answers[0], GrantView)


async def test_an_unanswered_request_lapses_after_a_week(
    services: CoreServices, moved_clock: MoveClock
) -> None:
    person, worker, request_id = await asked_of(services, "payslip")
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
        assert await adopt_requests(services, tx, person.id, tag) == 1
    (item,) = (await request_views.list_received(services, person)).items
    assert item.id == sent.id
    await refuse(services, person, sent.id, "not_me")
    assert (await log_of(services, person))[-1]["action"] == "consent.not_me"
    # Its words are now the person's alone: the service's own key no longer opens them.
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
        assert await adopt_requests(services, tx, person.id, tag) == 0


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
    few = replace(services, settings=services.settings.model_copy(update={"requests_per_hour": 5}))
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
    person, _, request_id = await asked_of(services, actions=("deposit",))
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
    # The key is the caller's own: another worker's same word is another key.
    colleague = await make_worker(services, organisation_id=worker.organisation_id)
    apart = await ask(services, colleague, phone, asking("payslip"), idempotency_key="k-1")
    assert apart.id != answers[0].id
    bad = ask(services, worker, phone, asking("payslip"), idempotency_key="\n")
    assert (await fails(bad))[1] == "idempotency_key_invalid"


async def test_the_same_key_approves_once(services: CoreServices) -> None:
    person, _, request_id = await asked_of(services, "payslip")
    first = await approve(services, person, request_id, Approval(), idempotency_key="yes")
    again = await approve(services, person, request_id, Approval(), idempotency_key="yes")
    assert asdict(first) == asdict(again)
    changed = approve(services, person, request_id, Approval(duration="P1D"), idempotency_key="yes")
    assert (await fails(changed))[1] == "idempotency_key_reused"
    other_key = approve(services, person, request_id, Approval(), idempotency_key="again")
    assert (await fails(other_key))[1] == "request_answered"


async def test_the_phone_is_told_who_asks_and_not_for_what(services: CoreServices) -> None:
    shown = replace(services, settings=services.settings.model_copy(update={"messenger": "inbox"}))
    phone = a_phone()
    await make_person(services, phone)
    await ask(shown, await make_worker(services), phone, asking("payslip"))
    (message,) = await inbox(shown, to=phone)
    assert "Inès Moreau, Assistante sociale, CCAS de Montreuil" in message.text
    assert "Ce n’est pas moi" in message.text
    assert "logement" not in message.text
    assert message.channel == "sms"


async def test_a_message_is_not_sent_when_the_request_is_not_kept(services: CoreServices) -> None:
    """Twice the same key: one row, one message."""
    shown = replace(services, settings=services.settings.model_copy(update={"messenger": "inbox"}))
    worker, phone = await make_worker(services), a_phone()
    for _ in range(2):
        await ask(shown, worker, phone, asking("payslip"), idempotency_key="once")
    assert len(await inbox(shown, to=phone)) == 1


async def test_the_clock_of_a_grant_is_the_databases(
    services: CoreServices, moved_clock: MoveClock
) -> None:
    moved_clock(timedelta(days=1))
    person, _, request_id = await asked_of(services, "payslip")
    grant = await approve(services, person, request_id, Approval())
    assert abs(grant.given_at - await instant_of(services)) < timedelta(seconds=5)


async def test_what_came_to_nothing_is_forgotten_at_one_age(
    services: CoreServices, moved_clock: MoveClock
) -> None:
    """Refused, ignored or without a vault: all leave the sender's list together."""
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
