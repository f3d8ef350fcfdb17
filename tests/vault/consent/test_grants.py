"""Grants: given without a request, listed, seen, revoked; at most a year; their receipt."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from auth.services import CoreServices
from base.database import Database
from base.errors import ErrorKind, ServiceError
from base.ids import new_id
from base.locks import hold_vault
from base.pipeline import fetch_one
from tests.fixtures import MoveClock
from tests.vault.consent.steps import (
    delete_document,
    log_of,
    make_client,
    make_document,
    make_person,
    make_worker,
)
from tests.vault.consent.test_evidence import someone_waits_for_a_lock
from vault.consent.ended_consents import end_all
from vault.consent.grant_issue import GrantDraft, RecipientRef, give
from vault.consent.grants import (
    GrantView,
    list_grants,
    live_on,
    revoke,
    revoke_all_to,
    revoke_within,
    see,
)
from vault.consent.receipts import consent_record
from vault.consent.records.grants import grant_for_use
from vault.consent.scopes import scope_of
from vault.decisions import Denial
from vault.durations import end_of
from vault.revocations import CHANNEL


def draft(to: RecipientRef, *types: str, ids: tuple[Any, ...] = (), **terms: Any) -> GrantDraft:
    values = {"purpose_code": "housing", "purpose": "Mon dossier", "duration": "P1M", **terms}
    actions = values.pop("actions", ("read",))
    return GrantDraft(recipient=to, scope=scope_of(types, ids, actions), **values)


async def code_of(awaitable: Any) -> str:
    with pytest.raises(ServiceError) as failed:
        await awaitable
    return failed.value.code


async def test_a_person_gives_to_a_worker_by_id_or_e_mail_and_to_a_client(
    services: CoreServices,
) -> None:
    person = await make_person(services)
    worker = await make_worker(services, email="ines.moreau@ccas.example")
    client = await make_client(services)
    permit = await make_document(services, person, "residence_permit")
    by_id = await give(
        services, person, draft(RecipientRef(worker_id=worker.id), "payslip", ids=(permit,))
    )
    by_mail = await give(
        services, person, draft(RecipientRef(worker_email="Ines.Moreau@CCAS.example"), "lease")
    )
    to_client = await give(
        services, person, draft(RecipientRef(client_id=client.client_id), "lease")
    )
    assert by_id.recipient_id == by_mail.recipient_id == worker.id
    assert (to_client.recipient_kind, to_client.recipient_id) == ("client", client.id)
    assert by_id.recipient["organisation"] == "CCAS de Montreuil"
    assert by_id.terms.scope.document_ids == (permit,)
    assert by_id.terms.legal_basis == "consent"
    mine = (await list_grants(services, person)).items
    assert [each.id for each in mine] == [to_client.id, by_mail.id, by_id.id]
    theirs = (await list_grants(services, worker)).items
    assert [each.id for each in theirs] == [by_mail.id, by_id.id]
    assert [entry["action"] for entry in await log_of(services, person)] == ["grant.give"] * 3


async def test_what_cannot_be_given(services: CoreServices) -> None:
    person, worker, other = (
        await make_person(services),
        await make_worker(services),
        await make_person(services),
    )
    to = RecipientRef(worker_id=worker.id)
    theirs = await make_document(services, other, "payslip")
    gone = await make_document(services, person, "payslip")
    await delete_document(services, gone)
    for wrong, code in (
        (draft(to, "prescription"), "sensitive_by_type"),
        (draft(to, ids=(theirs,)), "unknown_document"),
        (draft(to, ids=(gone,)), "unknown_document"),
        (draft(to, ids=(new_id(),)), "unknown_document"),
        (draft(to, "made_up"), "unknown_document_type"),
        (draft(to), "scope_empty"),
        (draft(to, "payslip", actions=()), "scope_empty"),
        (draft(to, "payslip", duration="P366D"), "duration_too_long"),
        (draft(to, "payslip", duration="P12M1D"), "duration_too_long"),
        (draft(to, "payslip", purpose_code="fun"), "unknown_purpose"),
        (draft(to, "payslip", store_for="P1M"), "store_not_asked"),
        (draft(RecipientRef(worker_id=new_id()), "payslip"), "unknown_recipient"),
        (draft(RecipientRef(worker_email="nobody@ccas.example"), "payslip"), "unknown_recipient"),
        (draft(RecipientRef(client_id="nobody"), "payslip"), "unknown_recipient"),
    ):
        assert await code_of(give(services, person, wrong)) == code
    assert (await list_grants(services, person)).items == []


async def test_looking_for_recipients_is_paced(services: CoreServices) -> None:
    few = replace(services, settings=services.settings.model_copy(update={"requests_per_hour": 4}))
    person = await make_person(services)
    tries = [
        give(few, person, draft(RecipientRef(worker_email=f"w{n}@ccas.example"), "payslip"))
        for n in range(10)
    ]
    failures = await asyncio.gather(*tries, return_exceptions=True)
    codes = [each.code for each in failures if isinstance(each, ServiceError)]
    assert sorted(codes) == ["too_many_requests"] * 6 + ["unknown_recipient"] * 4


async def test_a_grant_ends_at_its_instant_with_no_job_run(
    services: CoreServices, moved_clock: MoveClock
) -> None:
    person, worker = await make_person(services), await make_worker(services)
    grant = await give(
        services, person, draft(RecipientRef(worker_id=worker.id), "payslip", duration="P12M")
    )
    assert grant.ends_at == end_of(grant.given_at, "P12M")
    moved_clock(grant.ends_at - grant.given_at - timedelta(minutes=1))
    assert (await see(services, worker, grant.id)).state == "live"
    assert [each.id for each in (await list_grants(services, worker, state="live")).items] == [
        grant.id
    ]
    moved_clock(grant.ends_at - grant.given_at + timedelta(seconds=1))
    assert (await see(services, worker, grant.id)).state == "expired"
    assert (await list_grants(services, worker, state="live")).items == []
    assert (await list_grants(services, worker, state="ended")).items[0].state == "expired"
    known = await see(services, worker, grant.id)
    assert await revoke(services, person, grant.id) == known, "what is over is not ended again"


async def test_the_database_itself_keeps_to_a_year(
    services: CoreServices, as_owner: Database
) -> None:
    person, worker = await make_person(services), await make_worker(services)
    grant = await give(services, person, draft(RecipientRef(worker_id=worker.id), "payslip"))
    longer = text(
        "UPDATE unefois.grant SET ends_at = given_at + interval '366 days' WHERE id = :id"
    )
    for database in (as_owner, services.database):
        with pytest.raises(DBAPIError, match="a_year_at_most"):
            async with database.transaction() as tx:
                await tx.execute(longer, {"id": grant.id})


async def test_taken_back_twice_is_taken_back_once(services: CoreServices) -> None:
    person, worker = await make_person(services), await make_worker(services)
    grant = await give(services, person, draft(RecipientRef(worker_id=worker.id), "payslip"))
    answers = await asyncio.gather(*(revoke(services, person, grant.id) for _ in range(8)))
    assert {(each.state, each.revoked_at) for each in answers} == {
        ("revoked", answers[0].revoked_at)
    }
    assert (await see(services, worker, grant.id)).state == "revoked"
    actions = [entry["action"] for entry in await log_of(services, person)]
    assert actions == ["grant.give", "grant.revoke", "grant.see"]
    async with services.database.transaction() as tx:
        steps = await tx.scalars(
            text("SELECT step FROM unefois.grant_history WHERE grant_id = :id ORDER BY id"),
            {"id": grant.id},
        )
        assert list(steps) == ["given", "revoked"]


async def test_a_revocation_is_told_when_it_commits(services: CoreServices) -> None:
    person, worker = await make_person(services), await make_worker(services)
    grant = await give(services, person, draft(RecipientRef(worker_id=worker.id), "payslip"))
    async with services.database.listening(CHANNEL) as listener:
        await revoke(services, person, grant.id)
        notices: list[psycopg.Notify] = [
            notice async for notice in listener.notifies(timeout=5, stop_after=1)
        ]
    assert [notice.payload for notice in notices] == [str(grant.id)]


async def test_only_the_giver_takes_back(services: CoreServices) -> None:
    person, worker, other = (
        await make_person(services),
        await make_worker(services),
        await make_person(services),
    )
    grant = await give(services, person, draft(RecipientRef(worker_id=worker.id), "payslip"))
    assert await code_of(revoke(services, other, grant.id)) == "not_found"
    assert await code_of(revoke(services, other, new_id())) == "not_found"
    assert (await see(services, person, grant.id)).state == "live"
    refused = (await log_of(services, person))[1]
    assert (refused["outcome"], refused["reason"]) == ("refused", "not_owner")
    assert refused["actor"] == {"kind": "anonymous"}


async def test_the_same_key_gives_once(services: CoreServices) -> None:
    person, worker = await make_person(services), await make_worker(services)
    made = draft(RecipientRef(worker_id=worker.id), "payslip")
    answers = await asyncio.gather(
        *(give(services, person, made, idempotency_key="gift") for _ in range(6))
    )
    assert len({each.id for each in answers}) == 1
    assert answers[0] == answers[5]
    other = draft(RecipientRef(worker_id=worker.id), "lease")
    assert await code_of(give(services, person, other, idempotency_key="gift")) == (
        "idempotency_key_reused"
    )


async def test_a_paper_has_the_living_grants_that_show_it(
    services: CoreServices, moved_clock: MoveClock
) -> None:
    person, other, worker = (
        await make_person(services),
        await make_person(services),
        await make_worker(services),
    )
    document = await make_document(services, person, "payslip")
    recipient = RecipientRef(worker_id=worker.id)
    shows = await give(services, person, draft(recipient, "payslip"))
    revoked = await give(services, person, draft(recipient, "payslip"))
    await revoke(services, person, revoked.id)
    await give(services, person, draft(recipient, "payslip", actions=("deposit",)))
    assert [one.id for one in await live_on(services, person, document)] == [shows.id]
    assert await live_on(services, other, document) == []
    moved_clock(shows.ends_at - shows.given_at)
    assert await live_on(services, person, document) == []


async def test_lists_go_on_page_by_page(services: CoreServices) -> None:
    person, worker = await make_person(services), await make_worker(services)
    made = [
        (await give(services, person, draft(RecipientRef(worker_id=worker.id), "payslip"))).id
        for _ in range(5)
    ]
    await revoke(services, person, made[2])
    first = await list_grants(services, person, limit=2)
    second = await list_grants(services, person, limit=3, cursor=first.next)
    assert [each.id for each in [*first.items, *second.items]] == made[::-1]
    assert second.next is None
    assert [each.id for each in (await list_grants(services, person, state="ended")).items] == [
        made[2]
    ]


ADDRESS = "https://unefois.example"


async def test_the_receipt_says_who_why_how_long_and_how_to_withdraw(
    services: CoreServices,
) -> None:
    person, worker = await make_person(services), await make_worker(services)
    given = await give(
        services,
        person,
        draft(RecipientRef(worker_id=worker.id), "payslip", may_store=True, store_for="P2Y"),
    )
    record = consent_record(await see(services, worker, given.id), ADDRESS, "code")
    assert record["dpv:hasRecipient"]["name"] == "Inès Moreau"
    assert record["dpv:hasPurpose"] == {"code": "housing", "dct:description": "Mon dossier"}
    assert record["dpv:hasStorageCondition"] == {"may_store": True, "store_for": "P2Y"}
    assert record["dpv:hasPersonalData"]["document_types"] == ["payslip"]
    assert record["dpv:hasProcessing"] == ["dpv:Consult"]
    assert record["dpv:isExercisedAt"]["withdraw"].endswith(f"/v1/grants/{given.id}/revoke")
    assert record["dpv:hasStatus"] == "dpv:ConsentGiven"
    assert record["verification"]["state_now"] == f"{ADDRESS}/v1/verify/code"
    assert str(person.id) not in str(record)
    withdrawn = consent_record(await revoke(services, person, given.id), ADDRESS, "code")
    assert withdrawn["dpv:hasStatus"] == "dpv:ConsentWithdrawn"
    assert "dpv:hasWithdrawal" in withdrawn


async def test_nothing_is_answered_when_the_log_cannot_be_written(services: CoreServices) -> None:
    """If the log fails, neither a grant nor a refusal is answered."""

    class FailingLog(type(services.audit_log)):  # type: ignore[misc]  # the real one, its last step failing
        async def record(self, *_: Any) -> Any:
            raise OSError("no space left")

    broken = replace(services, audit_log=FailingLog(services.database, services.field_encryption))
    person, worker = await make_person(services), await make_worker(services)
    with pytest.raises(OSError, match="no space"):
        await give(broken, person, draft(RecipientRef(worker_id=worker.id), "payslip"))
    with pytest.raises(OSError, match="no space"):
        await see(broken, worker, new_id())
    assert (await list_grants(services, person)).items == []


async def test_seeing_is_recorded_on_both_sides(services: CoreServices) -> None:
    person, worker = await make_person(services), await make_worker(services)
    given = await give(services, person, draft(RecipientRef(worker_id=worker.id), "payslip"))
    seen = [await see(services, person, given.id), await see(services, worker, given.id)]
    assert all(isinstance(each, GrantView) for each in seen)
    kinds = [entry["actor"]["kind"] for entry in await log_of(services, person)]
    assert kinds == ["owner", "owner", "worker"]
    assert ErrorKind.NOT_FOUND.value == await code_of(
        see(services, await make_worker(services), given.id)
    )


async def test_all_of_one_recipient_end_with_all_of_the_vault_and_none_waits_for_the_other(
    services: CoreServices,
) -> None:
    """As when a vault ends in another at that moment, in whatever order: it holds the vault."""
    person, worker = await make_person(services), await make_worker(services)
    to = draft(RecipientRef(worker_id=worker.id), "payslip")
    older, newer = [await give(services, person, to) for _ in range(2)]
    async with services.database.transaction() as tx:
        await hold_vault(tx, person.id)
        assert not isinstance(await revoke_within(services, tx, person, newer.id), Denial)
        stopping = asyncio.create_task(revoke_all_to(services, person, worker.id))
        await someone_waits_for_a_lock(services)
        assert not isinstance(await revoke_within(services, tx, person, older.id), Denial)
    assert await stopping == [], "they ended already, by something else"
    again = await give(services, person, to)
    assert [one.id for one in await revoke_all_to(services, person, worker.id)] == [again.id]


@pytest.mark.parametrize("way", ["to one", "with the vault", "by another"])
async def test_what_ends_several_goes_on_whoever_opens_them_meanwhile(
    services: CoreServices, way: str
) -> None:
    """A recipient who opens somebody's papers holds their grants in the order of their ids. Ended
    the newest first, each had what the other waits for, and PostgreSQL ended the stop."""
    person, worker = await make_person(services), await make_worker(services)
    to = draft(RecipientRef(worker_id=worker.id), "payslip")
    older, newer = [await give(services, person, to) for _ in range(2)]

    async def stop() -> None:
        if way == "to one":
            await revoke_all_to(services, person, worker.id)
        elif way == "by another":
            await give(services, person, replace(to, replaces=(newer.id, older.id)))
        else:
            async with services.database.transaction() as tx:
                await hold_vault(tx, person.id)
                await end_all(services, tx, person, None)

    async with services.database.transaction() as tx:
        await fetch_one(tx, grant_for_use(older.id))
        stopping = asyncio.create_task(stop())
        await someone_waits_for_a_lock(services)
        await fetch_one(tx, grant_for_use(newer.id))
    await stopping
    live = {one.id for one in (await list_grants(services, person, state="live")).items}
    assert not live & {older.id, newer.id}
