"""Evidence: held, of what date, valid until when; within the grant, recorded, without a file."""

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from auth.desk import Desk
from auth.subjects import Client, Person
from base.errors import Failure, Kind
from base.ids import new_id
from tests.rooms import MoveClock
from tests.vault.consenting import (
    delete_document,
    log_of,
    make_client,
    make_document,
    make_person,
    make_worker,
)
from vault.evidence import Evidence, evidence
from vault.grants import Gift, GrantView, Named, give, revoke
from vault.papers import Facts
from vault.records import grants as records
from vault.rules import Allowed, DocumentFacts, GrantAction, may_open
from vault.scopes import scope_of


async def given(
    desk: Desk, *types: str, actions: tuple[str, ...] = ("attest",), **terms: Any
) -> tuple[Person, Client, GrantView]:
    person, client = await make_person(desk), await make_client(desk)
    return person, client, await give_to(desk, person, client, *types, actions=actions, **terms)


async def give_to(
    desk: Desk, person: Person, client: Client, *types: str, actions: tuple[str, ...] = ("attest",),
    ids: tuple[Any, ...] = (), **terms: Any,
) -> GrantView:  # fmt: skip
    gift = Gift(
        recipient=Named(client_id=client.client_id),
        scope=scope_of(types, ids, actions),
        purpose_code="benefits",
        purpose="Prime d’activité",
        duration="P1M",
        **terms,
    )
    return await give(desk, person, gift)


async def fails(awaitable: Any) -> tuple[Kind, str]:
    with pytest.raises(Failure) as failed:
        await awaitable
    return failed.value.kind, failed.value.code


async def test_the_paper_last_issued_speaks(desk: Desk) -> None:
    person, client = await make_person(desk), await make_client(desk)
    for year in (2023, 2025, 2024):
        facts = Facts(
            "income_tax_notice", issued_on=date(year, 9, 1), expires_on=date(year + 1, 8, 31)
        )
        await make_document(desk, person, "income_tax_notice", facts=facts)
    await make_document(desk, person, "payslip")
    grant = await give_to(desk, person, client, "income_tax_notice", "lease")
    answer = await evidence(desk, client, grant.id, "income_tax_notice")
    assert isinstance(answer, Evidence)
    assert (answer.held, answer.documents, answer.verified) == (True, 3, False)
    assert (answer.issued_on, answer.valid_until) == (date(2025, 9, 1), date(2026, 8, 31))
    assert answer.deposited_on == answer.as_of.date()
    # Asked and not held is an answer too, and it is recorded as well.
    nothing = await evidence(desk, client, grant.id, "lease")
    assert (nothing.held, nothing.documents, nothing.issued_on) == (False, 0, None)
    held, not_held = (await log_of(desk, person))[-2:]
    assert held["action"] == not_held["action"] == "document.attest"
    assert len(held["documents"]) == 3
    assert held["details"] == {"document_type": "income_tax_notice"}
    assert held["purpose"] == "Prime d’activité"
    assert held["actor"]["organisation"] == "CCAS de Montreuil"


async def test_only_within_the_grant(desk: Desk) -> None:
    person, client, grant = await given(desk, "lease")
    await make_document(desk, person, "passport")
    for actions, code in ((("deposit",), "action_not_granted"), (("read",), None)):
        other = await give_to(desk, person, client, "lease", actions=actions)
        if code is None:
            assert (await evidence(desk, client, other.id, "lease")).held is False
        else:
            assert await fails(evidence(desk, client, other.id, "lease")) == (Kind.REFUSED, code)
    outside = (Kind.REFUSED, "outside_scope")
    assert await fails(evidence(desk, client, grant.id, "passport")) == outside
    assert await fails(evidence(desk, client, grant.id, "payslip")) == outside
    unknown = (Kind.INVALID, "unknown_document_type")
    assert await fails(evidence(desk, client, grant.id, "made_up")) == unknown
    refused = (await log_of(desk, person))[-1]
    assert (refused["outcome"], refused["reason"]) == ("refused", "type_not_covered")
    assert "documents" not in refused


async def test_a_picked_document_speaks_for_its_type(desk: Desk) -> None:
    person, client = await make_person(desk), await make_client(desk)
    permit = await make_document(desk, person, "residence_permit")
    await make_document(desk, person, "residence_permit")
    grant = await give_to(desk, person, client, ids=(permit,))
    assert (await evidence(desk, client, grant.id, "residence_permit")).documents == 1
    await delete_document(desk, permit)
    refused = await fails(evidence(desk, client, grant.id, "residence_permit"))
    assert refused == (Kind.REFUSED, "outside_scope")


@pytest.mark.parametrize(("covers_future", "held"), [(False, False), (True, True)])
async def test_what_is_added_later_counts_only_if_the_person_ticked_it(
    desk: Desk, covers_future: bool, held: bool
) -> None:
    person, client, grant = await given(desk, "lease", covers_future=covers_future)
    await make_document(desk, person, "lease")
    assert (await evidence(desk, client, grant.id, "lease")).held is held


async def test_a_paper_relabelled_later_is_a_later_paper(desk: Desk) -> None:
    person, client = await make_person(desk), await make_client(desk)
    paper = await make_document(desk, person, "other")
    grant = await give_to(desk, person, client, "lease")
    async with desk.database.transaction() as tx:
        tag = await desk.fields.tag("document-type", person.id.bytes, "lease")
        await tx.execute(
            text(
                "UPDATE unefois.document SET type_tag = :tag, typed_at = unefois.now()"
                " WHERE id = :id"
            ),
            {"tag": tag, "id": paper},
        )
    assert (await evidence(desk, client, grant.id, "lease")).held is False


async def test_after_revocation_and_after_the_end(desk: Desk, moved_clock: MoveClock) -> None:
    person, client, grant = await given(desk, "lease")
    moved_clock(timedelta(days=32))
    assert await fails(evidence(desk, client, grant.id, "lease")) == (Kind.REFUSED, "grant_expired")
    moved_clock(timedelta())
    assert (await evidence(desk, client, grant.id, "lease")).held is False
    await revoke(desk, person, grant.id)
    assert await fails(evidence(desk, client, grant.id, "lease")) == (Kind.REFUSED, "grant_revoked")
    reasons = [line.get("reason") for line in await log_of(desk, person)]
    assert reasons == [None, "expired", None, None, "revoked"]


async def test_no_answer_starts_after_a_revocation_has_committed(desk: Desk) -> None:
    """Questions race a revocation: on the log, none allowed comes after it."""
    person, client, grant = await given(desk, "lease")
    done = asyncio.Event()
    late: list[str] = []

    async def keep_asking() -> None:
        for _ in range(40):
            after = done.is_set()
            try:
                await evidence(desk, client, grant.id, "lease")
            except Failure as failure:
                assert failure.code == "grant_revoked"
                return
            if after:
                late.append("answered")

    async def take_back() -> None:
        await asyncio.sleep(0.02)
        await revoke(desk, person, grant.id)
        done.set()

    await asyncio.gather(take_back(), *(keep_asking() for _ in range(6)))
    assert late == []


async def someone_waits_for_a_lock(desk: Desk) -> None:
    """Return once a statement waits for a row that another transaction holds."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    for _ in range(500):
        async with desk.database.transaction() as tx:
            if await tx.scalar(waiting):
                return
        await asyncio.sleep(0.01)
    raise AssertionError("nobody waits")


async def test_a_question_during_a_revocation_waits_and_is_refused(desk: Desk) -> None:
    _, client, grant = await given(desk, "lease")
    async with desk.database.transaction() as tx:
        await records.revoke(tx, grant.id)
        question = asyncio.create_task(evidence(desk, client, grant.id, "lease"))
        await someone_waits_for_a_lock(desk)
    assert await fails(question) == (Kind.REFUSED, "grant_revoked")


async def test_a_revocation_waits_for_the_judgement_under_way(desk: Desk) -> None:
    person, _, grant = await given(desk, "lease")
    async with desk.database.transaction() as tx:
        assert await records.judged(tx, grant.id) is not None
        revoking = asyncio.create_task(revoke(desk, person, grant.id))
        await someone_waits_for_a_lock(desk)
        assert not revoking.done()
    assert (await revoking).state == "revoked"


async def test_a_stranger_to_the_grant_learns_nothing(desk: Desk) -> None:
    _, _, grant = await given(desk, "lease")
    for stranger in (await make_client(desk), await make_worker(desk)):
        for target in (grant.id, new_id()):
            assert await fails(evidence(desk, stranger, target, "lease")) == (
                Kind.NOT_FOUND,
                "not_found",
            )


async def test_the_database_covers_exactly_what_the_rule_covers(desk: Desk) -> None:
    """`covered_of_type` says in SQL what `may_open` says of one document: held equal here."""
    person, client = await make_person(desk), await make_client(desk)
    before = [await make_document(desk, person, "lease") for _ in range(3)]
    await make_document(desk, person, "lease", scan="infected")
    await delete_document(desk, before[2])
    for types, ids, future in (
        (("lease",), (), False),
        (("lease",), (), True),
        ((), (before[1],), False),
        (("payslip",), (before[0],), True),
    ):
        grant = await give_to(desk, person, client, *types, ids=ids, covers_future=future)
        later = await make_document(desk, person, "lease")
        async with desk.database.transaction() as tx:
            row = await records.seen(tx, grant.id)
            assert row is not None
            tag = await desk.fields.tag("document-type", person.id.bytes, "lease")
            by_sql = {each.id for each in await records.covered_of_type(tx, row, tag)}
            every = await tx.execute(
                text(
                    "SELECT d.*, v.scan FROM unefois.document d JOIN unefois.document_version v"
                    " ON v.id = d.version_id WHERE d.person_id = :p AND d.type_tag = :t"
                ),
                {"p": person.id, "t": tag},
            )
        by_rule = {
            each.id
            for each in every
            if may_open(
                records.facts(row),
                DocumentFacts(
                    same_person=True,
                    deleted=each.deleted_at is not None,
                    picked=each.id in ids,
                    type_in_scope="lease" in types,
                    created_at=each.created_at,
                    typed_at=each.typed_at,
                    scan=each.scan,
                ),
                recipient_kind="client",
                recipient_id=client.id,
                action=GrantAction.ATTEST,
                now=row.at,
            )
            == Allowed()
        }
        assert by_sql == by_rule
        assert (later in by_sql) is (future and "lease" in types)
