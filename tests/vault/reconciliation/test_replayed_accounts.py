"""Workers, clients, organisations, sessions, requests, reports: put back, taken away, or brought
from nowhere, each is named."""

from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from audit.events import Action
from auth import administration
from auth.sessions import end_others, sign_out
from base.clock import rfc3339
from base.db_time import instant
from base.ids import new_id
from tests.auth.means_steps import choose_pin, pin_of, proved
from tests.fixtures import MakeClient, MakePerson, SomePerson, sign_in
from tests.vault.consent.steps import asking
from tests.vault.reconciliation.conftest import Thief
from tests.vault.reconciliation.steps import a_worker, found, record, worker_id
from vault.consent import answers
from vault.consent.requests import ask
from vault.consent.terms import Approval
from vault.consent.withdrawals import withdraw
from vault.maintenance.erasure_requests import cancel
from vault.maintenance.records import PENDING_ERASURE_ROW, add_pending
from vault.services import Services


@pytest.fixture
async def person(make_person: MakePerson) -> SomePerson:
    return await make_person()


async def test_a_barred_worker_put_back(services: Services, thief: Thief) -> None:
    worker = await worker_id(services)
    before = thief.take("worker", worker)
    await administration.deactivate_worker(services, UUID(worker))
    assert await found(services) == set()
    with thief.changing("worker"):
        thief.put("worker", *before)
        assert await found(services) == {f"barred worker {worker}"}
        thief.remove("worker", worker)
        assert await found(services) == {f"missing worker {worker}"}


async def test_a_barred_client_put_back(
    services: Services, make_client: MakeClient, thief: Thief
) -> None:
    client = await make_client()
    (before,) = thief.take("client", client.client_id, "client_id")
    with thief.changing("client"):
        thief.put("client", before | {"active": False})
        assert await found(services) == {
            f"mac client {before['id']}", f"not_barred client {before['id']}",
        }  # fmt: skip
        thief.put("client", before | {"scope": "documents"})
        assert await found(services) == {f"mac client {before['id']}"}
    await administration.deactivate_client(services, client.client_id)
    with thief.changing("client"):
        thief.put("client", before)
        assert await found(services) == {f"barred client {before['id']}"}


async def test_an_account_from_nowhere(services: Services, thief: Thief) -> None:
    worker = await worker_id(services)
    (row,) = thief.take("worker", worker)
    copied = row["organisation_id"]
    (organisation,) = thief.take("organisation", copied)
    with thief.changing("worker", "organisation"):
        thief.put("worker", row | {"id": copied, "email_tag": "\\x00"})
        thief.put("organisation", organisation | {"id": worker})
        assert await found(services) == {
            f"mac worker {copied}", f"sealed worker {copied}", f"not_in_log worker {copied}",
            f"sealed organisation {worker}", f"not_in_log organisation {worker}",
        }  # fmt: skip


async def test_a_tag_pointed_at_another_account(
    services: Services, person: SomePerson, thief: Thief
) -> None:
    worker = await worker_id(services)
    with thief.changing("person", "worker"):
        thief.run("UPDATE unefois.person SET phone_tag = '\\x01' WHERE id = %s", person.id)
        thief.run("UPDATE unefois.worker SET email_tag = '\\x01' WHERE id = %s", worker)
        assert await found(services) == {
            f"mac person {person.id}", f"tag person {person.id}",
            f"mac worker {worker}", f"tag worker {worker}",
        }  # fmt: skip


def live_session(thief: Thief, person: SomePerson) -> str:
    (row,) = thief.take("session", person.id, "subject_id")
    return str(row["id"])


async def test_a_session_that_ended_put_back(
    services: Services, person: SomePerson, thief: Thief
) -> None:
    before = thief.take("session", live_session(thief, person))
    await sign_out(services, person.subject)
    assert await found(services) == set()
    with thief.changing("session"):
        thief.put("session", *before)
        assert await found(services) == {f"ended session {before[0]['id']}"}


async def test_sessions_that_ended_together_put_back(
    services: Services, person: SomePerson, thief: Thief
) -> None:
    await sign_in(services, phone=person.phone)
    before = thief.take("session", person.id, "subject_id")
    assert len(before) == 2
    await end_others(services, person.subject, this_too=True)
    assert await found(services) == set()
    with thief.changing("session"):
        thief.put("session", *before)
        assert await found(services) == {f"ended session {row['id']}" for row in before}


async def test_an_erasure_that_was_cancelled_put_back(
    services: Services, person: SomePerson, thief: Thief
) -> None:
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        at = await instant(tx)
    asked = {"erases_at": rfc3339(at + timedelta(days=7))}
    values = {"person_id": person.id, "asked_at": at, "erases_at": at + timedelta(days=7),
              "reminded_at": None}  # fmt: skip
    async with services.database.transaction() as tx:
        await add_pending(tx, macs.add(PENDING_ERASURE_ROW, values))
    assert await found(services) == {f"back pending_erasure {person.id}"}
    await record(services, Action.ERASE_ASKED, person, details=asked)
    assert await found(services) == set()
    (row,) = thief.take("pending_erasure", person.id, "person_id")
    await cancel(services, person.subject)
    assert await found(services) == set()
    with thief.changing("pending_erasure"):
        thief.put("pending_erasure", row)
        assert await found(services) == {f"back pending_erasure {person.id}"}


async def test_a_session_that_no_sign_in_opened(
    services: Services, person: SomePerson, thief: Thief
) -> None:
    """From the first sign-in that names its session on, each live one is named by one."""
    (row,) = thief.take("session", live_session(thief, person))
    async with services.database.transaction() as tx:
        at = await instant(tx) + timedelta(hours=1)
    planted, opened = str(person.id), str(new_id())
    later = {"created_at": str(at), "expires_at": str(at + timedelta(days=1))}
    await record(services, Action.SIGN_IN, person, at=at, details={"session": opened})
    before = await found(services)
    with thief.changing("session"):
        thief.put("session", row | later | {"id": planted, "token_hash": "\\x01"})
        thief.put("session", row | later | {"id": opened, "token_hash": "\\x02"})
        faults = await found(services) - before
    assert f"not_in_log session {planted}" in faults
    assert f"not_in_log session {opened}" not in faults


@pytest.mark.parametrize("answer", ["approved", "refused", "withdrawn"])
async def test_an_answer_put_back(
    services: Services, person: SomePerson, thief: Thief, answer: str
) -> None:
    worker = await a_worker(services)
    sent = await ask(services, worker, person.phone, asking("payslip"))
    before = thief.take("consent_request", sent.id)
    assert before[0]["answer"] is None
    if answer == "approved":
        await answers.approve(services, person.subject, sent.id, Approval())
    elif answer == "refused":
        await answers.refuse(services, person.subject, sent.id)
        await withdraw(services, worker, sent.id)  # which leaves the answer
    else:
        await withdraw(services, worker, sent.id)
    assert await found(services) == set()
    with thief.changing("consent_request"):
        thief.put("consent_request", *before)
        assert await found(services) == {f"answer consent_request {sent.id}"}
        thief.remove("consent_request", sent.id)
        assert await found(services) == {f"missing consent_request {sent.id}"}


async def enrol_anchor(client: httpx.AsyncClient, person: SomePerson, end: str) -> None:
    who = {"family_name": "Diallo", "birth_date": "1988-00-00", "document_end": end}
    answer = await proved(client, person, "PUT", "/v1/me/anchor", {"anchor": who})
    assert answer.status_code == 200, answer.text


async def test_an_anchor_put_back_taken_away_or_moved(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, thief: Thief
) -> None:
    person, other = await make_person(), await make_person()
    for one in (person, other):
        assert (await choose_pin(client, one, await pin_of(services, one))).status_code == 204
    await enrol_anchor(client, person, "4F7K")
    first = thief.take("anchor", str(person.id), "person_id")
    await enrol_anchor(client, person, "88QP")
    assert await found(services) == set()
    with thief.changing("anchor"):
        thief.remove("anchor", str(person.id), "person_id")
        assert await found(services) == {f"missing anchor {person.id}"}
        thief.put("anchor", *first)
        assert await found(services) == {f"older anchor {person.id}"}
        moved = [{**row, "person_id": str(other.id)} for row in first]
        thief.put("anchor", *moved)
        assert await found(services) >= {
            f"not_in_log anchor {other.id}", f"mac anchor {other.id}",
        }  # fmt: skip
    assert (await proved(client, person, "DELETE", "/v1/me/anchor")).status_code == 204
    assert await found(services) == set()
    with thief.changing("anchor"):
        thief.put("anchor", *first)
        assert await found(services) == {f"back anchor {person.id}"}
