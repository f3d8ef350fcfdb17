"""A grant's row put back from before its revocation, taken away, or brought from nowhere, is named;
so is a history that is not the log's."""

import pytest

from audit.events import Action
from tests.fixtures import MakePerson, SomePerson
from tests.vault.reconciliation.conftest import Thief
from tests.vault.reconciliation.steps import a_grant, a_worker, found, record, worker_id
from vault.consent.grants import give_back, revoke
from vault.services import Services


@pytest.fixture
async def person(make_person: MakePerson) -> SomePerson:
    return await make_person()


async def test_a_story_of_grants_has_no_fault(services: Services, person: SomePerson) -> None:
    worker = await worker_id(services)
    grant = await a_grant(services, person, worker)
    await a_grant(services, person, worker)
    await revoke(services, person.subject, grant.id)
    assert await found(services) == set()


async def test_an_end_that_is_said_to_be_anothers(
    services: Services, person: SomePerson, thief: Thief
) -> None:
    recipient = await a_worker(services)
    grant = await a_grant(services, person, str(recipient.id))
    await give_back(services, recipient, grant.id)
    by = "UPDATE unefois.grant_history SET by_kind = 'owner' WHERE grant_id = %s"
    with thief.changing("grant_history"):
        thief.run(by, grant.id)
        assert await found(services) == {f"history grant_history of grant {grant.id}"}
    assert await found(services) == set()


@pytest.mark.parametrize("by", ["owner", "recipient"])
async def test_a_revoked_grant_put_back(
    services: Services, person: SomePerson, thief: Thief, by: str
) -> None:
    """Revoked, or given back."""
    recipient = await a_worker(services)
    grant = await a_grant(services, person, str(recipient.id))
    before = thief.take("grant", grant.id)
    given = thief.take("grant_history", grant.id, "grant_id")
    if by == "owner":
        await revoke(services, person.subject, grant.id)
    else:
        await give_back(services, recipient, grant.id)
    with thief.changing("grant", "grant_history"):
        thief.put("grant", *before)
        assert await found(services) == {f"revoked grant {grant.id}"}
        thief.remove("grant_history", grant.id, "grant_id")
        thief.put("grant_history", *given)
        assert await found(services) == {f"revoked grant {grant.id}"}
    with thief.changing("grant_history"):
        thief.remove("grant_history", grant.id, "grant_id")
        thief.put("grant_history", *given)
        assert await found(services) == {f"revoked grant {grant.id}"}
    assert await found(services) == set()


async def test_a_grant_revoked_by_hand(
    services: Services, person: SomePerson, thief: Thief
) -> None:
    grant = await a_grant(services, person, await worker_id(services))
    with thief.changing("grant"):
        thief.run("UPDATE unefois.grant SET revoked_at = now() WHERE id = %s", grant.id)
        assert await found(services) == {f"not_revoked grant {grant.id}"}
    with thief.changing("grant_history"):
        (row,) = thief.take("grant_history", grant.id, "grant_id")
        thief.put("grant_history", row | {"id": str(grant.id), "step": "revoked"})
        assert await found(services) == {f"not_revoked grant {grant.id}"}
        thief.remove("grant_history", grant.id, "grant_id")
        assert await found(services) == {f"history grant_history of grant {grant.id}"}


async def test_a_grant_taken_away(services: Services, person: SomePerson, thief: Thief) -> None:
    grant = await a_grant(services, person, await worker_id(services))
    with thief.changing("grant", "grant_history"):
        thief.remove("grant_history", grant.id, "grant_id")
        thief.remove("grant", grant.id)
        assert await found(services) == {f"missing grant {grant.id}"}


async def test_a_prolonged_grant(services: Services, person: SomePerson, thief: Thief) -> None:
    grant = await a_grant(services, person, await worker_id(services))
    with thief.changing("grant"):
        thief.run("UPDATE unefois.grant SET ends_at = ends_at + interval '1 day' WHERE id = %s",
                  grant.id)  # fmt: skip
        assert await found(services) == {f"mac grant {grant.id}"}


async def test_a_copied_grant(services: Services, person: SomePerson, thief: Thief) -> None:
    grant = await a_grant(services, person, await worker_id(services))
    (row,) = thief.take("grant", grant.id)
    (step,) = thief.take("grant_history", grant.id, "grant_id")
    copied = str(person.id)
    with thief.changing("grant", "grant_history"):
        thief.put("grant", row | {"id": copied})
        thief.put("grant_history", step | {"id": copied, "grant_id": copied})
        faults = await found(services)
    assert {f"mac grant {copied}", f"not_in_log grant {copied}"} <= faults


async def test_a_narrowed_grant_put_back(
    services: Services, person: SomePerson, thief: Thief
) -> None:
    """The event of the narrowing, with the row from before it."""
    grant = await a_grant(services, person, await worker_id(services))
    left = {"document_types": "payslip", "edition": 2}
    with thief.changing("access_event"):
        await record(services, Action.NARROW, person, grant=grant.id, details=left)
        assert await found(services) == {
            f"not_narrowed grant {grant.id}", f"history grant_history of grant {grant.id}",
        }  # fmt: skip
    assert await found(services) == set()
