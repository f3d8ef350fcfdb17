"""An anchor over HTTP: enrolled with a proof and at the desk, replaced, removed; what is kept of
it, who is told, and each refusal."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from auth import administration, anchors, pin_hashes
from tests.auth.means_steps import add_card, bearer, choose_pin, enter, pin_of, proof_of, proved
from tests.auth.means_steps import wrong as wrong_pin
from tests.auth.steps import log_of, queued_messages
from tests.fixtures import MakePerson, MakeWorker, MoveClock, SomePerson
from tests.steps import is_problem
from tests.steps import log_of as lines_of
from tests.web.http.test_field_errors import places
from vault.maintenance import erasure
from vault.services import Services

Client = httpx.AsyncClient
WHO = {
    "family_name": "N’Diaye",
    "given_name": "Fatou",
    "birth_date": "1988-04-00",
    "document_end": "4f7k",
}
PATH = "/v1/me/anchor"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a PIN costs to guess is not tested here."""
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


@pytest.fixture
async def person(services: Services, make_person: MakePerson, client: Client) -> SomePerson:
    """With a PIN, which is the proof."""
    made = await make_person()
    assert (await choose_pin(client, made, await pin_of(services, made))).status_code == 204
    return made


async def enrol(client: Client, person: SomePerson, **changes: str) -> httpx.Response:
    return await proved(client, person, "PUT", PATH, {"anchor": WHO | changes})


async def since(client: Client, headers: dict[str, str]) -> str | None:
    answer = await client.get(PATH, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert {*answer.json()} == {"enrolled_at"}, "never of what it is"
    at: str | None = answer.json()["enrolled_at"]
    return at


async def row_of(services: Services, person_id: object) -> Any:
    async with services.database.transaction() as tx:
        found = await tx.execute(
            text("SELECT * FROM unefois.anchor WHERE person_id = :id"), {"id": person_id}
        )
        return found.one_or_none()


async def test_it_is_enrolled_replaced_and_removed(
    services: Services, client: Client, person: SomePerson
) -> None:
    assert await since(client, person.headers) is None
    done = await enrol(client, person)
    assert (done.status_code, done.headers["cache-control"]) == (200, "no-store")
    assert await since(client, person.headers) == done.json()["enrolled_at"]
    first = await row_of(services, person.id)
    again = await enrol(client, person, document_end="88QP")
    assert again.status_code == 200
    second = await row_of(services, person.id)
    assert first.id != second.id
    assert first.tag != second.tag
    removed = await proved(client, person, "DELETE", PATH)
    assert removed.status_code == 204
    assert await since(client, person.headers) is None
    assert await row_of(services, person.id) is None
    is_problem(await proved(client, person, "DELETE", PATH), 404, "not_found")
    assert (await log_of(services, person.id))[-4:] == [
        ("anchor.enrol", "allowed", ""),
        ("anchor.enrol", "allowed", ""),
        ("anchor.remove", "allowed", ""),
        ("anchor.remove", "refused", "not_found"),
    ]
    told = [one["text"] for one in await queued_messages(services, person.phone)]
    assert sum("une preuve d’identité vient d’être enregistrée" in one for one in told) == 2
    assert sum("une preuve d’identité vient d’être effacée" in one for one in told) == 1
    words = [one["sentence"] for one in await lines_of(client, person)]
    assert "Vous avez enregistré une empreinte de votre pièce d’identité." in words


async def test_a_keyed_tag_is_kept_and_nothing_of_the_paper(
    services: Services, client: Client, person: SomePerson
) -> None:
    """Equal for the same paper however it is typed; nothing of it anywhere in the database's row,
    the log's line or the message."""
    await enrol(client, person)
    first = await row_of(services, person.id)
    assert {*first._fields} == {"person_id", "id", "edition", "tag", "enrolled_at", "mac"}
    assert len(first.tag) == 32
    same = {"family_name": "n diaye", "given_name": "FATOU", "document_end": "4F-7K"}
    await enrol(client, person, **same)
    assert (await row_of(services, person.id)).tag == first.tag
    for change in (
        {"family_name": "Diaye"},
        {"given_name": ""},
        {"birth_date": "1988-04-01"},
        {"document_end": "4F7L"},
    ):
        typed = anchors.TypedAnchor(**WHO | change)
        assert await anchors.tag_of(services, typed) != first.tag
    lines = [one for one in await lines_of(client, person) if one["action"] == "anchor.enrol"]
    said = str(lines) + str([one["text"] for one in await queued_messages(services, person.phone)])
    for secret in ("iaye", "atou", "1988", "4f7k", "4F7K", first.tag.hex()):
        assert secret not in said


async def test_letters_that_move_between_the_names_make_another_tag(services: Services) -> None:
    one = anchors.TypedAnchor("Diallo", "Amina", "1988-00-00", "4F7K")
    other = anchors.TypedAnchor("DialloA", "mina", "1988-00-00", "4F7K")
    assert await anchors.tag_of(services, one) != await anchors.tag_of(services, other)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_a_session_alone_changes_nothing(
    services: Services, client: Client, person: SomePerson, method: str
) -> None:
    await enrol(client, person)
    before = await row_of(services, person.id)
    pin = (await proof_of(client, person))["pin"]
    action = {"PUT": "anchor.enrol", "DELETE": "anchor.remove"}[method]
    body = {"anchor": WHO} if method == "PUT" else {}
    for proof, code in ((None, "proof_needed"), ({"pin": wrong_pin(pin)}, "proof_wrong")):
        sent = {**body, **({} if proof is None else {"proof": proof})}
        refused = await client.request(method, PATH, headers=person.headers, json=sent)
        is_problem(refused, 403, code)
        assert (await log_of(services, person.id))[-1] == (action, "refused", code)
    assert await row_of(services, person.id) == before


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"family_name": "-"}, "anchor_name", "family_name"),
        ({"birth_date": "1988-02-30"}, "anchor_date", "birth_date"),
        ({"birth_date": "1988-00-04"}, "anchor_date", "birth_date"),
        ({"document_end": "12AB34567"}, "anchor_document", "document_end"),
    ],
)
async def test_what_is_typed_wrong_is_named_and_keeps_nothing(
    services: Services,
    client: Client,
    person: SomePerson,
    change: dict[str, str],
    code: str,
    field: str,
) -> None:
    refused = await enrol(client, person, **change)
    is_problem(refused, 422, code)
    assert [place for place, _ in places(refused)] == [f"#/anchor/{field}"]
    assert await row_of(services, person.id) is None


async def test_what_is_too_long_or_unknown_is_refused(client: Client, person: SomePerson) -> None:
    for change in ({"family_name": "x" * 101}, {"document_end": "x" * 17}, {"number": "12AB34567"}):
        assert (await enrol(client, person, **change)).status_code == 422


async def test_at_a_pace(
    services: Services, client: Client, person: SomePerson, moved_clock: MoveClock
) -> None:
    """Each is a message; wrong proofs count, too: nothing is looked up beyond it."""
    answers = await asyncio.gather(*(enrol(client, person) for _ in range(anchors.AT_ONCE + 1)))
    assert sorted(one.status_code for one in answers) == [200] * anchors.AT_ONCE + [429]
    refused = await enrol(client, person)
    is_problem(refused, 429, "too_many_anchors")
    assert int(refused.headers["retry-after"]) > 0
    assert (await log_of(services, person.id))[-1] == (
        "anchor.enrol", "refused", "too_many_anchors",
    )  # fmt: skip
    removed = await proved(client, person, "DELETE", PATH)
    assert removed.status_code == 204, "nobody keeps theirs in somebody's vault by that"
    moved_clock(timedelta(hours=5, minutes=1))
    assert (await enrol(client, person)).status_code == 200


async def test_it_is_another_persons_business(
    client: Client, make_person: MakePerson, make_worker: MakeWorker, person: SomePerson
) -> None:
    await enrol(client, person)
    assert await since(client, (await make_person()).headers) is None
    worker = await make_worker()
    assert (await client.get(PATH, headers=worker.headers)).status_code == 403
    assert (await client.get(PATH)).status_code == 401


async def test_two_people_may_have_the_same(
    services: Services, client: Client, make_person: MakePerson, person: SomePerson
) -> None:
    """Refusing the second would tell them of the first."""
    other = await make_person()
    assert (await choose_pin(client, other, await pin_of(services, other))).status_code == 204
    assert (await enrol(client, person)).status_code == 200
    assert (await enrol(client, other)).status_code == 200


async def test_an_erasure_takes_it(services: Services, client: Client, person: SomePerson) -> None:
    await enrol(client, person)
    assert await row_of(services, person.id) is not None
    await erasure.erase(services, person.subject)
    assert await row_of(services, person.id) is None


async def test_a_row_that_was_moved_or_changed_is_refused(
    services: Services, client: Client, make_person: MakePerson, person: SomePerson
) -> None:
    """Whoever writes in the database gives nobody the anchor of another."""
    await enrol(client, person)
    other = await make_person()
    async with services.database.transaction() as tx:
        await tx.execute(
            text(
                "INSERT INTO unefois.anchor SELECT :other, id, edition, tag, enrolled_at, mac"
                " FROM unefois.anchor WHERE person_id = :id"
            ),
            {"other": other.id, "id": person.id},
        )
    is_problem(await client.get(PATH, headers=other.headers), 503, "row_altered")


# At the desk


@pytest.fixture
async def at_desk(services: Services, make_worker: MakeWorker) -> dict[str, str]:
    made = await make_worker()
    await administration.let_open_vaults(services, made.organisation_id, allowed=True)
    return made.headers


async def test_a_vault_is_opened_with_one(
    services: Services, client: Client, at_desk: dict[str, str]
) -> None:
    body = {"pin": "482693", "again": "482693", "anchor": WHO}
    answer = await client.post("/v1/desk/vaults", headers=at_desk, json=body)
    assert answer.status_code == 201, answer.text
    assert {*answer.json()} == {"code", "secret", "label"}
    person = bearer(await enter(client, answer.json()["code"], "482693"))
    assert await since(client, person) is not None
    line = next(one for one in await lines_of(client, person) if one["action"] == "anchor.enrol")
    assert line["actor"]["name"] == "Camille Moreau"
    assert "à côté de vous quand vous avez enregistré votre pièce" in line["sentence"]


async def test_nothing_is_opened_where_it_is_wrong(
    services: Services, client: Client, at_desk: dict[str, str]
) -> None:
    async with services.database.transaction() as tx:
        count = text("SELECT count(*) FROM unefois.person")
        before = (await tx.execute(count)).scalar_one()
    body = {"pin": "482693", "again": "482693", "anchor": WHO | {"birth_date": "1988-13-01"}}
    refused = await client.post("/v1/desk/vaults", headers=at_desk, json=body)
    is_problem(refused, 422, "anchor_date")
    async with services.database.transaction() as tx:
        assert (await tx.execute(count)).scalar_one() == before


async def test_a_vault_of_cards_alone_proves_with_one(
    services: Services, client: Client, person: SomePerson
) -> None:
    pin = (await proof_of(client, person))["pin"]
    card = await add_card(client, person, pin)
    (phone, _) = (await client.get("/v1/me/means", headers=person.headers)).json()["items"]
    path = f"/v1/me/means/{phone['id']}"
    assert (await proved(client, person, "DELETE", path)).status_code == 204
    body = {"anchor": WHO, "proof": {"pin": pin}}
    is_problem(await client.put(PATH, headers=person.headers, json=body), 403, "proof_needed")
    body["proof"] = {"pin": pin, "card": card["code"]}
    assert (await client.put(PATH, headers=person.headers, json=body)).status_code == 200
