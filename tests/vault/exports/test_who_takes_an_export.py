"""Who may take an export, and for how long it is there."""

from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from base.database import Database
from tests.auth.means_steps import choose_pin, proof_of, usable_pins
from tests.fixtures import MakePerson, MoveClock, SomePerson, sign_in
from tests.steps import blobs, counted, deposit, erase, is_problem, log_of
from tests.uploads import padded_pdf
from tests.vault.decoding import corpus
from tests.vault.exports.steps import asked, begun, made, taken, unpacked
from vault.exports import archives, export_job, exports
from vault.maintenance.cleanup import sweep_blobs


async def test_another_session_proves_it_again(
    client: httpx.AsyncClient, person: SomePerson
) -> None:
    await deposit(client, person, corpus.pdf())
    export = await made(client, person)
    token = await sign_in(person.services, phone=person.phone)
    other = {"Authorization": f"Bearer {token}"}
    path = f"/v1/me/exports/{export['id']}"
    assert (await client.get(path, headers=other)).json()["mine"] is False
    is_problem(await client.get(f"{path}/content", headers=other), 403, "proof_needed")
    again = await asked(client, person, other)
    assert (again.json()["id"], again.json()["mine"]) == (export["id"], True)
    assert (await client.get(f"{path}/content", headers=other)).status_code == 200
    assert (await taken(client, person, export["id"])).status_code == 200


async def test_without_a_proof_or_with_a_wrong_one(
    client: httpx.AsyncClient, person: SomePerson
) -> None:
    wrong = {"proof": await proof_of(client, person) | {"code": "000000"}}
    for body, problem in [({}, "proof_needed"), (wrong, "proof_wrong")]:
        answer = await client.post("/v1/me/export", headers=person.headers, json=body)
        is_problem(answer, 403, problem)
    assert await counted(person.services, "archive", person) == 0
    last = (await log_of(client, person))[0]
    assert (last["action"], last["outcome"]) == ("vault.export_asked", "refused")


async def test_before_it_is_ready(client: httpx.AsyncClient, person: SomePerson) -> None:
    export = await begun(client, person)
    assert export["state"] == "making"
    is_problem(await taken(client, person, export["id"]), 409, "export_not_ready")


async def test_nobody_elses(
    client: httpx.AsyncClient, person: SomePerson, make_person: MakePerson
) -> None:
    export = await made(client, person)
    other = await make_person()
    for method, path in [("GET", ""), ("GET", "/content"), ("DELETE", "")]:
        answer = await client.request(
            method, f"/v1/me/exports/{export['id']}{path}", headers=other.headers
        )
        is_problem(answer, 404, "not_found")
    assert (await taken(client, person, export["id"])).status_code == 200


async def test_gone_after_seven_days(
    client: httpx.AsyncClient, person: SomePerson, moved_clock: MoveClock
) -> None:
    await deposit(client, person, corpus.pdf())
    export = await made(client, person)
    moved_clock(timedelta(days=6, hours=23))
    token = await sign_in(person.services, phone=person.phone)
    at = {"Authorization": f"Bearer {token}"}
    path = f"/v1/me/exports/{export['id']}"
    assert (await client.get(path, headers=at)).status_code == 200
    moved_clock(timedelta(days=7, minutes=1))
    is_problem(await client.get(path, headers=at), 404, "not_found")  # no job has run
    assert await archives.delete_expired(person.services) >= 1
    assert await counted(person.services, "archive_piece", person) == 0


async def test_given_up(client: httpx.AsyncClient, person: SomePerson) -> None:
    await deposit(client, person, corpus.pdf())
    before = await blobs(person.services)
    export = await made(client, person)
    assert await blobs(person.services) > before
    path = f"/v1/me/exports/{export['id']}"
    assert (await client.delete(path, headers=person.headers)).status_code == 204
    assert await blobs(person.services) == before
    is_problem(await taken(client, person, export["id"]), 404, "not_found")
    is_problem(await client.delete(path, headers=person.headers), 404, "not_found")


async def test_given_up_while_it_is_made(client: httpx.AsyncClient, person: SomePerson) -> None:
    await deposit(client, person, corpus.pdf())
    export = await begun(client, person)
    path = f"/v1/me/exports/{export['id']}"
    assert (await client.delete(path, headers=person.headers)).status_code == 204
    before = await blobs(person.services)
    await export_job.make(person.services, person.id, UUID(export["id"]))
    assert await blobs(person.services) == before


async def test_erased_with_its_vault(client: httpx.AsyncClient, person: SomePerson) -> None:
    before = await blobs(person.services)
    await deposit(client, person, corpus.pdf())
    export = await made(client, person)
    await erase(person.services, person)
    assert await blobs(person.services) <= before
    await export_job.make(person.services, person.id, UUID(export["id"]))
    assert await blobs(person.services) <= before


async def test_the_sweep_leaves_the_pieces_of_an_export(
    client: httpx.AsyncClient, person: SomePerson
) -> None:
    await deposit(client, person, corpus.pdf())
    export = await made(client, person)
    await sweep_blobs(person.services, timedelta(0))
    await unpacked(client, person, export["id"])


async def test_three_in_eight_hours(client: httpx.AsyncClient, person: SomePerson) -> None:
    pin = (await usable_pins(person.services, person))[0]
    assert (await choose_pin(client, person, pin)).is_success
    for _ in range(exports.ASKED.at_once):
        export = await begun(client, person)
        again = await begun(client, person)  # the one that is there costs nothing
        assert again["id"] == export["id"]
        await client.delete(f"/v1/me/exports/{export['id']}", headers=person.headers)
    answer = await asked(client, person)
    is_problem(answer, 429, "too_many_requests")
    assert int(answer.headers["retry-after"]) == 3600  # the most that is ever said


_CHANGES = {
    "length": "length = length - 1",
    "pieces": "pieces = pieces - 1",
    "ready": "ready_at = ready_at - interval '1 day'",
    "expiry": "expires_at = expires_at + interval '1 day'",
    "attempt": "attempt = attempt + 1",
}


@pytest.mark.parametrize("change", _CHANGES.values(), ids=_CHANGES)
async def test_an_altered_row_opens_nothing(
    client: httpx.AsyncClient, person: SomePerson, change: str
) -> None:
    export = await made(client, person)
    async with person.services.database.transaction() as tx:
        await tx.execute(
            text(f"UPDATE unefois.archive SET {change} WHERE id = :id"),  # noqa: S608
            {"id": export["id"]},
        )
    is_problem(await taken(client, person, export["id"]), 503, "row_altered")


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("change", ["length = length + 1", "position = position + 100"])
async def test_an_altered_piece_is_not_given(
    client: httpx.AsyncClient, person: SomePerson, as_owner: Database, change: str
) -> None:
    await deposit(client, person, padded_pdf(100_000))
    export = await made(client, person)
    async with as_owner.transaction() as tx:
        await tx.execute(
            text(
                f"UPDATE unefois.archive_piece SET {change}"  # noqa: S608
                " WHERE archive_id = :id AND position = 1"
            ),
            {"id": export["id"]},
        )
    is_problem(await taken(client, person, export["id"]), 503, "content_broken")
