"""Recording and reading back: sealed to the person, with a commitment, opened for readers only."""

import hmac
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from audit import sealing
from audit.events import Action, Actor, ActorKind, Event, Outcome, as_values, canonical
from audit.records import events_of
from audit.sealing import InvalidEvent
from base.db_time import instant
from base.ids import new_id
from tests.fixtures import MakePerson, MakeWorker
from tests.steps import deposit, granted, log_of
from tests.vault.decoding import corpus
from vault.services import Services


async def _recorded(services: Services, person: UUID, **fields: str) -> UUID:
    actor = Actor(ActorKind.WORKER, id=new_id(), name="Inès", organisation="CCAS")
    async with services.database.transaction() as tx:
        event = Event(
            id=new_id(),
            at=await instant(tx),
            action=Action.READ,
            outcome=Outcome.ALLOWED,
            actor=actor,
            person=person,
            purpose=fields.get("purpose", "Demande"),
        )
        return await services.audit_log.record(tx, event)


async def test_a_line_reads_back_and_its_commitment_is_that_of_its_canonical_form(
    services: Services, make_person: MakePerson
) -> None:
    person = await make_person()
    event_id = await _recorded(services, person.id, purpose="Été « 2026 »")
    async with services.database.transaction() as tx:
        tag = await services.audit_log.person_tag(person.id)
        rows = await events_of(tx, person_tag=tag, event_id=event_id)
        entry = (await services.audit_log.open_entries(tx, rows))[0]
    assert entry.values is not None
    assert entry.values["purpose"] == "Été « 2026 »"
    assert entry.k_event is not None
    committed = hmac.digest(entry.k_event, canonical(entry.values), sha256)
    assert committed == rows[0].commitment


async def test_a_rolled_back_act_leaves_no_line(
    services: Services, make_person: MakePerson
) -> None:
    person = await make_person()
    before = await _count(services)
    with pytest.raises(RuntimeError, match="the act fails"):
        async with services.database.transaction() as tx:
            event = Event(
                id=new_id(),
                at=await instant(tx),
                action=Action.READ,
                outcome=Outcome.ALLOWED,
                actor=Actor(ActorKind.OWNER),
                person=person.id,
            )
            await services.audit_log.record(tx, event)
            raise RuntimeError("the act fails")
    assert await _count(services) == before


async def test_a_line_moved_altered_or_swapped_does_not_open(
    services: Services, make_person: MakePerson
) -> None:
    """The seal is bound to its row and its key: no entry can replace another."""
    person = await make_person()
    first, second = [await _recorded(services, person.id) for _ in range(2)]
    async with services.database.transaction() as tx:
        tag = await services.audit_log.person_tag(person.id)
        rows = {row.id: row for row in await events_of(tx, person_tag=tag)}
        private = await services.audit_log._private_key(tx, rows[first].key_id)
    assert private is not None
    good = rows[first]

    def opened(sealed: bytes, commitment: bytes, key_id: UUID, event_id: UUID) -> None:
        sealing.open_(sealed, commitment, key_id=key_id, event_id=event_id, private_key=private)

    opened(good.sealed, good.commitment, good.key_id, good.id)
    flipped = bytes([*good.sealed[:-1], good.sealed[-1] ^ 1])
    for wrong in (
        (flipped, good.commitment, good.key_id, good.id),
        (good.sealed[:-1], good.commitment, good.key_id, good.id),
        (b"\x02" + good.sealed[1:], good.commitment, good.key_id, good.id),
        (good.sealed, rows[second].commitment, good.key_id, good.id),
        (good.sealed, good.commitment, new_id(), good.id),
        (good.sealed, good.commitment, good.key_id, second),
        (rows[second].sealed, good.commitment, good.key_id, good.id),
    ):
        with pytest.raises(InvalidEvent):
            opened(*wrong)


async def test_rows_hold_tags_and_no_id_of_anybody(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, corpus.pdf(1), type_="payslip")
    grant = await granted(client, person, worker.headers, "payslip")
    await client.get(f"/v1/grants/{grant}/documents", headers=worker.headers)
    async with services.database.transaction() as tx:
        found = await tx.execute(
            text("SELECT row_to_json(e)::text FROM unefois.access_event e ORDER BY id DESC LIMIT 9")
        )
        dumped = "".join(found.scalars())
    for known in (person.id, worker.id, worker.organisation_id, UUID(document["id"]), UUID(grant)):
        assert str(known) not in dumped
        assert known.hex not in dumped


async def test_sizes_say_little(services: Services, make_person: MakePerson) -> None:
    """A short purpose and a longer one seal to the same length."""
    person = await make_person()
    ids = [await _recorded(services, person.id, purpose="x" * length) for length in (1, 40)]
    async with services.database.transaction() as tx:
        tag = await services.audit_log.person_tag(person.id)
        lengths = {
            len((await events_of(tx, person_tag=tag, event_id=one))[0].sealed) for one in ids
        }
    assert len(lengths) == 1


async def test_one_reads_ones_own_log_only(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, other, worker = await make_person(), await make_person(), await make_worker()
    document = await deposit(client, person, corpus.pdf(1), type_="payslip")
    await granted(client, person, worker.headers, "payslip")
    mine = await log_of(client, person)
    assert document["id"] in str(mine)
    assert document["id"] not in str(await log_of(client, other))
    for entry in mine:
        path = f"/v1/access-log/{entry['id']}"
        assert (await client.get(path, headers=person.headers)).json()["id"] == entry["id"]
        assert (await client.get(path, headers=other.headers)).status_code == 404


async def test_each_line_is_a_sentence_in_french_and_in_english(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker(name="Camille Moreau")
    document = await deposit(client, person, corpus.pdf(1), type_="payslip")
    grant = await granted(client, person, worker.headers, "payslip")
    await client.get(
        f"/v1/grants/{grant}/documents/{document['id']}/content", headers=worker.headers
    )
    french = {entry["id"]: entry["sentence"] for entry in await log_of(client, person, "fr")}
    english = {entry["id"]: entry["sentence"] for entry in await log_of(client, person, "en")}
    assert french.keys() <= english.keys()
    assert all(french[one] != english[one] for one in french)
    assert any(
        "Camille Moreau" in sentence and "ouvert un papier" in sentence
        for sentence in french.values()
    )
    assert not any("{" in sentence for sentence in (*french.values(), *english.values()))


def test_the_canonical_form_is_stable() -> None:
    """A receipt of today must still verify against this form in ten years."""
    event = Event(
        id=UUID(int=1),
        at=datetime(2026, 1, 2, tzinfo=UTC),
        action=Action.READ,
        outcome=Outcome.REFUSED,
        actor=Actor(ActorKind.OWNER),
        reason="revoked",
    )
    assert canonical(as_values(event)) == (
        b'{"action":"document.read","actor":{"kind":"owner"},"at":"2026-01-02T00:00:00.000000Z",'
        b'"id":"00000000-0000-0000-0000-000000000001","outcome":"refused","reason":"revoked","v":1}'
    )


async def _count(services: Services) -> int:
    async with services.database.transaction() as tx:
        return int(
            (await tx.execute(text("SELECT count(*) FROM unefois.access_event"))).scalar_one()
        )
