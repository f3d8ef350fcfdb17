"""Forged and unreadable events, counts that were reset, assertions used twice, vaults that vanish
or come back, roots that are not those of the log: each is named."""

import asyncio
import secrets
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from audit.events import Action, Actor, ActorKind, Outcome
from audit.records import EVENT_ROW
from auth.code_limits import BUDGETS
from base.database import Database
from base.db_time import instant
from base.ids import new_id
from tests.fixtures import MakePerson, MoveClock, SomePerson, sign_in
from tests.vault.reconciliation.conftest import Thief
from tests.vault.reconciliation.steps import (
    a_document,
    a_grant,
    found,
    record,
    report,
    worker_id,
)
from vault.access_log.retention import apply_retention
from vault.consent.grants import revoke
from vault.documents import own_documents
from vault.maintenance.bound_rows import BOUND_TABLES, RowsBound, bind_rows
from vault.maintenance.erasure import erase
from vault.maintenance.key_rotation import retire_keys, rotate_keys
from vault.services import Services

OF_A_VAULT = (
    "person", "wrapped_key", "audit_key", "document", "document_version", "sealed_file",
    "grant", "grant_history", "consent_request",
)  # fmt: skip


@pytest.fixture
async def person(make_person: MakePerson) -> SomePerson:
    return await make_person()


async def test_rows_bound_again(
    services: Services, person: SomePerson, client: httpx.AsyncClient, thief: Thief
) -> None:
    """The secret of the MACs is deleted with them: `bind-rows` refuses where a file shows that rows
    were bound before, and what it would have vouched for is named where none does."""
    await a_document(client, person)
    (secret,) = thief.run("SELECT id FROM unefois.wrapped_key WHERE use = 'row-macs'")
    url = services.settings.migrations_database_url
    assert url is not None
    owner = Database(url)
    try:
        with thief.changing("wrapped_key", *(table.__tablename__ for table, *_ in BOUND_TABLES)):
            thief.remove("wrapped_key", secret[0])
            for table, *_ in BOUND_TABLES:
                thief.run(f'UPDATE unefois."{table.__tablename__}" SET mac = NULL')  # noqa: S608
            services.storage.keys.forget_all()
            with pytest.raises(RowsBound, match="not of release"):
                await bind_rows(services, owner, lambda _done, _of: None)
    finally:
        services.storage.keys.forget_all()
        await owner.close()
    assert await found(services) == set()
    await sign_in(services, phone=person.phone)
    with thief.changing("access_event"):
        await record(services, Action.ROWS_BOUND, None, actor=Actor(ActorKind.OPERATOR))
        assert {fault.split()[0] for fault in await found(services)} == {"bound_again"}


async def test_a_forged_event_and_a_forged_outcome(
    services: Services, person: SomePerson, thief: Thief
) -> None:
    tag = await services.audit_log.person_tag(person.id)
    opened = thief.take("access_event", tag, "person_tag")[0]
    with thief.changing("access_event", "access_outcome"):
        forged = str(new_id())
        thief.put("access_event", opened | {"id": forged})
        thief.run(
            "INSERT INTO unefois.access_outcome (event_id, state) VALUES (%s, 'completed')",
            opened["id"],
        )
        assert await found(services) == {
            f"forged access_event {forged}", f"mac access_outcome {opened['id']}",
        }  # fmt: skip


async def test_an_event_whose_seal_was_changed(
    services: Services, person: SomePerson, thief: Thief
) -> None:
    tag = await services.audit_log.person_tag(person.id)
    row = thief.take("access_event", tag, "person_tag")[-1]
    macs = await services.field_encryption.row_macs()
    with thief.changing("access_event"):
        thief.run("UPDATE unefois.access_event SET commitment = sha256(commitment) WHERE id = %s",
                  row["id"])  # fmt: skip
        (changed,) = thief.run(
            "SELECT id, at, key_id, person_tag, actor_tag, sealed, commitment"
            " FROM unefois.access_event WHERE id = %s", row["id"],
        )  # fmt: skip
        mac = macs.of(EVENT_ROW, dict(zip(EVENT_ROW.columns, changed, strict=True)))
        thief.run("UPDATE unefois.access_event SET mac = %s WHERE id = %s", mac, row["id"])
        assert f"does_not_open access_event {row['id']}" in await found(services)
        thief.run("UPDATE unefois.access_event SET commitment = %s, at = at + interval '1 day'"
                  " WHERE id = %s", bytes.fromhex(row["commitment"][2:]), row["id"])  # fmt: skip
        (changed,) = thief.run(
            "SELECT id, at, key_id, person_tag, actor_tag, sealed, commitment"
            " FROM unefois.access_event WHERE id = %s", row["id"],
        )  # fmt: skip
        mac = macs.of(EVENT_ROW, dict(zip(EVENT_ROW.columns, changed, strict=True)))
        thief.run("UPDATE unefois.access_event SET mac = %s WHERE id = %s", mac, row["id"])
        assert f"columns access_event {row['id']}" in await found(services)


async def test_wrong_codes_beyond_what_is_compared(
    services: Services, make_person: MakePerson
) -> None:
    stranger = Actor(ActorKind.ANONYMOUS)
    person, slow = await make_person(), await make_person()
    wrong = {"actor": stranger, "outcome": Outcome.REFUSED, "reason": "code_wrong",
             "details": {"lane": "known", "digits": 6}}  # fmt: skip
    most = BUDGETS["known"][6]
    async with services.database.transaction() as tx:
        at = await instant(tx)
    for count in range(most + 1):
        day = timedelta(days=count // most)
        await record(services, Action.SIGN_IN_FAILED, slow, at=at + day, **wrong)
    assert await found(services) == set()
    for _ in range(most + 1):
        await record(services, Action.SIGN_IN_FAILED, person, **wrong)
    assert await found(services) == {f"guesses person {person.id}"}


async def test_an_assertion_used_twice(services: Services) -> None:
    before = await found(services)
    client = Actor(ActorKind.CLIENT, new_id(), "CAF")
    used = {"scope": "evidence", "assertion": secrets.token_hex(8)}
    await record(services, Action.TOKEN_ISSUED, None, actor=client, details=used)
    assert await found(services) == before
    await record(services, Action.TOKEN_ISSUED, None, actor=client, details=used)
    (fault,) = await found(services) - before
    assert fault.startswith("replayed access_event ")


async def test_vaults_that_vanish_and_come_back(
    services: Services, make_person: MakePerson, client: httpx.AsyncClient, thief: Thief
) -> None:
    before = await found(services)
    vanishing, erased = await make_person(), await make_person()
    await a_document(client, vanishing)
    await a_document(client, erased)
    with thief.changing(*OF_A_VAULT):
        for table in OF_A_VAULT[3:6]:
            thief.remove(table, vanishing.id, "person_id")
        thief.remove("person", vanishing.id)
        faults = await found(services) - before
        assert {f"missing person {vanishing.id}",
                f"of_no_vault wrapped_key of owner {vanishing.id}"} <= faults  # fmt: skip
        thief.remove("wrapped_key", vanishing.id, "owner_id")
        thief.remove("audit_key", vanishing.id, "owner_id")
        faults = await found(services) - before
        assert [fault for fault in faults if fault.startswith("vaults_vanished person ")]
    assert await found(services) == before
    kept = {table: thief.take(table, erased.id, key) for table, key in (
        ("person", "id"), ("wrapped_key", "owner_id"), ("audit_key", "owner_id"),
        ("document", "person_id"), ("document_version", "person_id"),
        ("sealed_file", "person_id"))}  # fmt: skip
    await erase(services, erased.subject)
    assert await found(services) == before
    with thief.changing(*OF_A_VAULT):
        for table, rows in kept.items():
            thief.put(table, *rows)
        faults = await found(services) - before
        assert [fault for fault in faults if fault.startswith("vaults_back person ")]


async def test_a_year_that_is_kept_and_does_not_open(
    services: Services, person: SomePerson, thief: Thief
) -> None:
    before = await found(services)
    with thief.changing("audit_key"):
        thief.remove("audit_key", person.id, "owner_id")
        faults = await found(services) - before
        assert f"unreadable audit_key of person {person.id}" in faults


async def test_an_audit_key_of_someone_elses(
    services: Services, person: SomePerson, thief: Thief
) -> None:
    (row,) = thief.take("audit_key", person.id, "owner_id")
    with thief.changing("audit_key"):
        theirs = "\\x" + secrets.token_bytes(32).hex()
        thief.put("audit_key", row | {"public_key": theirs})
        faults = await found(services)
        assert {f"mac audit_key {row['id']}", f"halves audit_key {row['id']}"} <= faults
        assert any(fault.startswith("does_not_open access_event") for fault in faults)


async def test_wrapped_keys_and_root_versions(services: Services, thief: Thief) -> None:
    before = await found(services)
    active = "SELECT id FROM unefois.root_version WHERE active"
    ((first,),) = thief.run(active)
    await rotate_keys(services, lambda _done, _of: None)
    await rotate_keys(services, lambda _done, _of: None)
    ((newest,),) = thief.run(active)
    assert await found(services) == before
    with thief.changing("root_version"):
        thief.run("UPDATE unefois.root_version SET retire_at = retire_at + interval '1 year'"
                  " WHERE id = %s", first)  # fmt: skip
        assert await found(services) - before == {f"end_date root_version {first}"}
    with thief.changing("root_version"):
        thief.run("UPDATE unefois.root_version SET active = false WHERE id = %s", newest)
        thief.run("UPDATE unefois.root_version SET active = true, retire_at = NULL WHERE id = %s",
                  first)  # fmt: skip
        assert await found(services) - before == {f"former_active root_version {first}"}
    with thief.changing("root_version"):
        thief.run("UPDATE unefois.root_version SET destroyed_at = now() WHERE id = %s", first)
        assert await found(services) - before == {f"root_remains root_version {first}"}


async def test_a_secret_that_does_not_open(
    services: Services, person: SomePerson, thief: Thief
) -> None:
    """Of a vault, whose rows cannot be read then; of the service, without which nothing can."""
    broken = "UPDATE unefois.wrapped_key SET wrapped = sha256(wrapped) WHERE {} = %s RETURNING id"
    with thief.changing("wrapped_key"):
        ((key_id,),) = thief.run(broken.format("owner_id"), person.id)
        assert f"does_not_unwrap wrapped_key {key_id}" in await found(services)
    with thief.changing("wrapped_key"):
        ((key_id,),) = thief.run(broken.format("use"), "fields")
        assert f"does_not_unwrap wrapped_key {key_id}" in await found(services)


async def test_a_destroyed_root_put_back(
    services: Services, thief: Thief, moved_clock: MoveClock
) -> None:
    before = await found(services)
    await rotate_keys(services, lambda _done, _of: None)
    rows = thief.run("SELECT to_jsonb(r) FROM unefois.root_version r")
    moved_clock(timedelta(days=services.settings.key_retention_days + 1))
    destroyed = await retire_keys(services)
    assert destroyed
    moved_clock(timedelta())
    assert await found(services) == before
    old = [row for (row,) in rows if row["id"] in destroyed]
    with thief.changing("root_version"):
        thief.put("root_version", *old)
        faults = await found(services) - before
    assert {f"not_destroyed root_version {root}" for root in destroyed} <= faults


async def test_the_log_may_end_a_year(
    services: Services, person: SomePerson, moved_clock: MoveClock
) -> None:
    """Years later, with the keys of that year destroyed as announced: nothing is named for it."""
    before = await found(services)
    years = timedelta(days=366 * (services.settings.log_retention_years + 2))
    moved_clock(years)
    await apply_retention(services)
    moved_clock(years + timedelta(days=31))
    assert await apply_retention(services) > 0
    services.audit_log.forget(person.id)
    assert await found(services) <= before
    assert (await report(services)).destroyed > 0
    moved_clock(timedelta())
    assert not [fault for fault in await found(services) if "not_in_log" in fault]


async def test_a_service_that_goes_on_gives_no_false_alarm(
    services: Services, make_person: MakePerson, client: httpx.AsyncClient
) -> None:
    """Vaults that open, deposit, give, revoke, delete and are erased while it is reconciled."""
    before = await found(services)
    worker = await worker_id(services)
    done = False

    async def live() -> None:
        while not done:
            person = await make_person()
            document = UUID((await a_document(client, person))["id"])
            grant = await a_grant(services, person, worker)
            await revoke(services, person.subject, grant.id)
            await own_documents.delete(services, person.subject, document)
            await erase(services, person.subject)

    lives = [asyncio.create_task(live()) for _ in range(3)]
    try:
        for _ in range(8):
            assert await found(services) == before
    finally:
        done = True
        await asyncio.gather(*lives)
    assert await found(services) == before
