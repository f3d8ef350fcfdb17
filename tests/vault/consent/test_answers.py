"""Requests are answered once: approved as sent or narrower, refused, or reported as not mine."""

import asyncio
from datetime import timedelta

import pytest

from auth.services import CoreServices
from base.errors import ErrorKind, ServiceError
from base.ids import new_id
from tests.fixtures import MoveClock
from tests.vault.consent.steps import (
    a_phone,
    asking,
    delete_document,
    fails,
    instant_of,
    log_of,
    make_document,
    make_person,
    make_worker,
    request_from_worker,
)
from vault.consent import request_views
from vault.consent.answers import approve, refuse
from vault.consent.grants import GrantView, list_grants
from vault.consent.requests import ask
from vault.consent.scopes import Choice
from vault.consent.terms import Approval
from vault.durations import end_of
from vault.rules import GrantAction


async def test_a_request_reaches_the_person_and_is_approved_as_it_stands(
    services: CoreServices,
) -> None:
    # 1. Sent: the person reads who, what, why, and which of their documents it would open.
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
    # 2. Approved: for this worker and this duration, in the lists of both sides.
    grant = await approve(services, person, sent.id, Approval())
    assert (grant.recipient_kind, grant.recipient_id) == ("worker", worker.id)
    assert grant.ends_at == end_of(grant.given_at, "P1M")
    assert grant.terms.scope.document_types == ("income_tax_notice", "payslip")
    for subject in (person, worker):
        assert [each.id for each in (await list_grants(services, subject)).items] == [grant.id]
    seen = await request_views.see_sent(services, worker, sent.id)
    assert (seen.state, seen.grant_id) == ("approved", grant.id)
    # 3. In the person's log: both steps, with who and why.
    entries = await log_of(services, person)
    assert [entry["action"] for entry in entries] == ["consent.request", "consent.approve"]
    assert entries[0]["actor"]["name"] == "Inès Moreau"
    assert entries[1]["actor"]["kind"] == "owner"
    assert entries[1]["grant"] == str(grant.id)
    assert all(entry["purpose"] == "Demande de logement social" for entry in entries)


async def test_the_person_may_give_less(services: CoreServices) -> None:
    person, _, request_id = await request_from_worker(
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
    person, _, request_id = await request_from_worker(services, "payslip")
    assert await fails(approve(services, person, request_id, approval)) == (ErrorKind.INVALID, code)
    assert (await request_views.see_received(services, person, request_id)).state == "waiting"
    assert (await list_grants(services, person)).items == []
    if code != "duration_invalid":
        assert (await log_of(services, person))[-1]["outcome"] == "refused"


async def test_documents_are_picked_among_ones_own_of_the_types_asked(
    services: CoreServices,
) -> None:
    person, _, request_id = await request_from_worker(services, "payslip")
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
    # A document requested by its id needs no type; an id of another person is dropped silently.
    phone = a_phone()
    other = await make_person(services, phone)
    mine = await make_document(services, other, "passport")
    sent = await ask(
        services, await make_worker(services), phone, asking(ids=(mine, passport, new_id()))
    )
    grant = await approve(services, other, sent.id, Approval())
    assert grant.terms.scope.document_ids == (mine,)


async def test_a_sensitive_type_is_never_granted_as_a_type(services: CoreServices) -> None:
    person, _, request_id = await request_from_worker(services, "payslip", "medical_certificate")
    assert await fails(approve(services, person, request_id, Approval())) == (
        ErrorKind.INVALID,
        "sensitive_by_type",
    )
    grant = await approve(
        services, person, request_id, Approval(choice=Choice(document_types=("payslip",)))
    )
    assert grant.terms.scope.document_types == ("payslip",)


async def test_an_approval_without_anything_left_is_refused(services: CoreServices) -> None:
    person, _, request_id = await request_from_worker(services, ids=(new_id(),))
    assert (await fails(approve(services, person, request_id, Approval())))[1] == "nothing_granted"


async def test_a_request_is_answered_once(services: CoreServices) -> None:
    person, _, request_id = await request_from_worker(services, "payslip")
    await refuse(services, person, request_id)
    conflict = (ErrorKind.CONFLICT, "request_answered")
    assert await fails(approve(services, person, request_id, Approval())) == conflict
    assert await fails(refuse(services, person, request_id, "not_me")) == conflict
    assert (await request_views.see_received(services, person, request_id)).state == "refused"
    reasons = [entry.get("reason") for entry in await log_of(services, person)]
    assert reasons == [None, None, "answered", "answered"]


async def test_twenty_approvals_at_once_make_one_grant(services: CoreServices) -> None:
    person, _, request_id = await request_from_worker(services, "payslip")
    answers = await asyncio.gather(
        *(approve(services, person, request_id, Approval()) for _ in range(20)),
        return_exceptions=True,
    )
    grants = [each for each in answers if isinstance(each, GrantView)]
    failures = [each.code for each in answers if isinstance(each, ServiceError)]
    assert len(grants) == 1
    assert failures == ["request_answered"] * 19
    assert len((await list_grants(services, person)).items) == 1
    outcomes = [entry["outcome"] for entry in await log_of(services, person)]
    assert outcomes.count("refused") == 19


async def test_approving_and_refusing_at_once_has_one_winner(services: CoreServices) -> None:
    for _ in range(5):
        person, worker, request_id = await request_from_worker(services, "payslip")
        answers = await asyncio.gather(
            approve(services, person, request_id, Approval()),
            refuse(services, person, request_id),
            return_exceptions=True,
        )
        lost = [each for each in answers if isinstance(each, ServiceError)]
        assert [each.code for each in lost] == ["request_answered"]
        granted = bool((await list_grants(services, worker)).items)
        assert granted is isinstance(answers[0], GrantView)


async def test_the_same_key_approves_once(services: CoreServices) -> None:
    person, _, request_id = await request_from_worker(services, "payslip")
    first = await approve(services, person, request_id, Approval(), idempotency_key="yes")
    again = await approve(services, person, request_id, Approval(), idempotency_key="yes")
    assert first == again
    changed = approve(services, person, request_id, Approval(duration="P1D"), idempotency_key="yes")
    assert (await fails(changed))[1] == "idempotency_key_reused"
    other_key = approve(services, person, request_id, Approval(), idempotency_key="again")
    assert (await fails(other_key))[1] == "request_answered"


async def test_the_clock_of_a_grant_is_the_databases(
    services: CoreServices, moved_clock: MoveClock
) -> None:
    moved_clock(timedelta(days=1))
    person, _, request_id = await request_from_worker(services, "payslip")
    grant = await approve(services, person, request_id, Approval())
    assert abs(grant.given_at - await instant_of(services)) < timedelta(seconds=5)
