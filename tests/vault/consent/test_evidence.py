"""Evidence: held or not, date, validity; within the grant, recorded, without a file."""

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from auth.services import CoreServices
from auth.subjects import Client, Person
from base.database import Database
from base.db_time import instant
from base.errors import ErrorKind, ServiceError
from base.ids import new_id
from base.pipeline import fetch
from tests.fixtures import MoveClock
from tests.rows import change_row
from tests.vault.consent.steps import (
    delete_document,
    log_of,
    make_client,
    make_document,
    make_person,
    make_worker,
)
from vault.consent.evidence import Evidence, evidence
from vault.consent.grant_issue import GrantDraft, RecipientRef, give
from vault.consent.grants import GrantView, live_on, revoke
from vault.consent.records import grants as records
from vault.consent.scopes import scope_of
from vault.document_view import DocumentMetadata
from vault.rules import Allowed, DocumentFacts, GrantAction, may_open
from vault.tables import DOCUMENT_ROW, Document


async def given(
    services: CoreServices, *types: str, actions: tuple[str, ...] = ("attest",), **terms: Any
) -> tuple[Person, Client, GrantView]:
    person, client = await make_person(services), await make_client(services)
    return person, client, await give_to(services, person, client, *types, actions=actions, **terms)


async def give_to(
    services: CoreServices, person: Person, client: Client, *types: str,
    actions: tuple[str, ...] = ("attest",), ids: tuple[Any, ...] = (), **terms: Any,
) -> GrantView:  # fmt: skip
    draft = GrantDraft(
        recipient=RecipientRef(client_id=client.client_id),
        scope=scope_of(types, ids, actions),
        purpose_code="benefits",
        purpose="Prime d’activité",
        duration="P1M",
        **terms,
    )
    return await give(services, person, draft)


async def fails(awaitable: Any) -> tuple[ErrorKind, str]:
    with pytest.raises(ServiceError) as failed:
        await awaitable
    return failed.value.kind, failed.value.code


async def test_the_paper_last_issued_speaks(services: CoreServices) -> None:
    person, client = await make_person(services), await make_client(services)
    for year in (2023, 2025, 2024):
        metadata = DocumentMetadata(
            "income_tax_notice", issued_on=date(year, 9, 1), expires_on=date(year + 1, 8, 31)
        )
        await make_document(services, person, "income_tax_notice", metadata=metadata)
    await make_document(services, person, "payslip")
    grant = await give_to(services, person, client, "income_tax_notice", "lease")
    answer = await evidence(services, client, grant.id, "income_tax_notice")
    assert isinstance(answer, Evidence)
    assert (answer.held, answer.documents, answer.verified) == (True, 3, False)
    assert (answer.issued_on, answer.valid_until) == (date(2025, 9, 1), date(2026, 8, 31))
    assert answer.deposited_on == answer.as_of.date()
    # "Not held" is an answer too, and it is recorded as well.
    nothing = await evidence(services, client, grant.id, "lease")
    assert (nothing.held, nothing.documents, nothing.issued_on) == (False, 0, None)
    held, not_held = (await log_of(services, person))[-2:]
    assert held["action"] == not_held["action"] == "document.attest"
    assert len(held["documents"]) == 3
    assert held["details"] == {"document_type": "income_tax_notice"}
    assert held["purpose"] == "Prime d’activité"
    assert held["actor"]["organisation"] == "CCAS de Montreuil"


async def test_only_within_the_grant(services: CoreServices) -> None:
    person, client, grant = await given(services, "lease")
    await make_document(services, person, "passport")
    for actions, code in ((("deposit",), "action_not_granted"), (("read",), None)):
        other = await give_to(services, person, client, "lease", actions=actions)
        if code is None:
            assert (await evidence(services, client, other.id, "lease")).held is False
        else:
            assert await fails(evidence(services, client, other.id, "lease")) == (
                ErrorKind.REFUSED,
                code,
            )
    outside = (ErrorKind.REFUSED, "outside_scope")
    assert await fails(evidence(services, client, grant.id, "passport")) == outside
    assert await fails(evidence(services, client, grant.id, "payslip")) == outside
    unknown = (ErrorKind.INVALID, "unknown_document_type")
    assert await fails(evidence(services, client, grant.id, "made_up")) == unknown
    refused = (await log_of(services, person))[-1]
    assert (refused["outcome"], refused["reason"]) == ("refused", "type_not_covered")
    assert "documents" not in refused


async def test_a_picked_document_speaks_for_its_type(services: CoreServices) -> None:
    person, client = await make_person(services), await make_client(services)
    permit = await make_document(services, person, "residence_permit")
    await make_document(services, person, "residence_permit")
    grant = await give_to(services, person, client, ids=(permit,))
    assert (await evidence(services, client, grant.id, "residence_permit")).documents == 1
    await delete_document(services, permit)
    refused = await fails(evidence(services, client, grant.id, "residence_permit"))
    assert refused == (ErrorKind.REFUSED, "outside_scope")


@pytest.mark.parametrize(("covers_future", "held"), [(False, False), (True, True)])
async def test_what_is_added_later_counts_only_if_the_person_ticked_it(
    services: CoreServices, covers_future: bool, held: bool
) -> None:
    person, client, grant = await given(services, "lease", covers_future=covers_future)
    await make_document(services, person, "lease")
    assert (await evidence(services, client, grant.id, "lease")).held is held


async def test_a_paper_relabelled_later_is_a_later_paper(
    services: CoreServices, as_owner: Database
) -> None:
    person, client = await make_person(services), await make_client(services)
    document = await make_document(services, person, "other")
    grant = await give_to(services, person, client, "lease")
    tag = await services.field_encryption.tag("document-type", person.id.bytes, "lease")
    async with services.database.transaction() as tx:
        typed_at = await instant(tx)
    await change_row(
        services, as_owner, Document, DOCUMENT_ROW, document, type_tag=tag, typed_at=typed_at
    )
    assert (await evidence(services, client, grant.id, "lease")).held is False


async def test_after_revocation_and_after_the_end(
    services: CoreServices, moved_clock: MoveClock
) -> None:
    person, client, grant = await given(services, "lease")
    moved_clock(timedelta(days=32))
    assert await fails(evidence(services, client, grant.id, "lease")) == (
        ErrorKind.REFUSED,
        "grant_expired",
    )
    moved_clock(timedelta())
    assert (await evidence(services, client, grant.id, "lease")).held is False
    await revoke(services, person, grant.id)
    assert await fails(evidence(services, client, grant.id, "lease")) == (
        ErrorKind.REFUSED,
        "grant_revoked",
    )
    reasons = [entry.get("reason") for entry in await log_of(services, person)]
    # In the order of the database's clock, which was put back.
    assert reasons == [None, None, None, "revoked", "expired"]


async def test_no_answer_starts_after_a_revocation_has_committed(services: CoreServices) -> None:
    """Questions race a revocation: in the log, no allowed one comes after it."""
    person, client, grant = await given(services, "lease")
    revoked = asyncio.Event()
    late: list[str] = []

    async def keep_asking() -> None:
        for _ in range(40):
            after = revoked.is_set()
            try:
                await evidence(services, client, grant.id, "lease")
            except ServiceError as failure:
                assert failure.code == "grant_revoked"
                return
            if after:
                late.append("answered")

    async def revoke_soon() -> None:
        await asyncio.sleep(0.02)
        await revoke(services, person, grant.id)
        revoked.set()

    await asyncio.gather(revoke_soon(), *(keep_asking() for _ in range(6)))
    assert late == []


async def someone_waits_for_a_lock(services: CoreServices) -> None:
    """Return once a statement waits for a row that another transaction holds."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    for _ in range(500):
        async with services.database.transaction() as tx:
            if await tx.scalar(waiting):
                return
        await asyncio.sleep(0.01)
    raise AssertionError("no statement waits for a lock")


async def test_a_question_during_a_revocation_waits_and_is_refused(services: CoreServices) -> None:
    _, client, grant = await given(services, "lease")
    async with services.database.transaction() as tx:
        await records.revoke_grant(tx, grant.id)
        question = asyncio.create_task(evidence(services, client, grant.id, "lease"))
        await someone_waits_for_a_lock(services)
    assert await fails(question) == (ErrorKind.REFUSED, "grant_revoked")


async def test_a_revocation_waits_for_the_judgement_under_way(services: CoreServices) -> None:
    person, _, grant = await given(services, "lease")
    async with services.database.transaction() as tx:
        assert await fetch(tx, records.grant_for_use(grant.id))
        revoking = asyncio.create_task(revoke(services, person, grant.id))
        await someone_waits_for_a_lock(services)
        assert not revoking.done()
    assert (await revoking).state == "revoked"


async def test_a_stranger_to_the_grant_learns_nothing(services: CoreServices) -> None:
    _, _, grant = await given(services, "lease")
    for stranger in (await make_client(services), await make_worker(services)):
        for target in (grant.id, new_id()):
            assert await fails(evidence(services, stranger, target, "lease")) == (
                ErrorKind.NOT_FOUND,
                "not_found",
            )


def facts_of(row: Any, *, picked: bool, type_in_scope: bool) -> DocumentFacts:
    return DocumentFacts(
        same_person=True,
        deleted=row.deleted_at is not None,
        picked=picked,
        type_in_scope=type_in_scope,
        created_at=row.created_at,
        typed_at=row.typed_at,
        scan=row.scan,
    )


async def test_the_database_covers_exactly_what_the_rule_covers(services: CoreServices) -> None:
    """`covered_of_type` and `grants_covering` in SQL, and `may_open` for one document, must give
    the same answers."""
    person, client = await make_person(services), await make_client(services)
    before = [await make_document(services, person, "lease") for _ in range(3)]
    await make_document(services, person, "lease", scan="infected")
    await delete_document(services, before[2])
    for types, ids, future in (
        (("lease",), (), False),
        (("lease",), (), True),
        ((), (before[1],), False),
        (("payslip",), (before[0],), True),
    ):
        grant = await give_to(services, person, client, *types, ids=ids, covers_future=future)
        later = await make_document(services, person, "lease")
        async with services.database.transaction() as tx:
            row = await records.grant(tx, grant.id)
            assert row is not None
            macs = await services.field_encryption.row_macs()
            tag = await services.field_encryption.tag("document-type", person.id.bytes, "lease")
            by_sql = {each.id for each in await records.covered_of_type(tx, grant.id, [tag])}
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
                records.grant_facts(macs, row),
                facts_of(each, picked=each.id in ids, type_in_scope="lease" in types),
                caller=client.party,
                action=GrantAction.ATTEST,
            )
            == Allowed()
        }
        assert by_sql == by_rule
        assert (later in by_sql) is (future and "lease" in types)
        for document in (*before, later):
            shown = {one.id for one in await live_on(services, person, document)}
            assert (grant.id in shown) is (document in by_rule)
