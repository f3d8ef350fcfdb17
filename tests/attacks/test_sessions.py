"""Sessions of others, sessions that ended, sessions written by someone without the key: none opens
anything; and what its holder can see and do about a session that was taken."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from auth import browsers, session_start, sessions
from auth.session_start import NewSession
from auth.visitor import Visitor
from base.embedded.server import Addresses
from base.errors import ServiceError
from base.settings import Settings
from tests.attacks.test_ids_of_others import MALFORMED, UNKNOWN
from tests.auth.steps import begin, queued_messages, redeem, wrong
from tests.fixtures import MakePerson, MakeWorker, SomePerson, SomeWorker, sign_in
from tests.steps import again, is_problem, log_of
from vault.access_log.entries import list_for_person
from vault.services import Services
from web.i18n.event_messages import describe
from web.process.services import open_services

HOME, CAFE = "192.0.2.1", "198.51.100.7"


async def signed_in(services: Services, address: str, visitor: Visitor) -> NewSession:
    """A session as every means of signing in opens it, once the visitor was verified."""
    find = session_start.email_address if "@" in address else session_start.phone_address
    async with services.database.transaction() as tx:
        account = await session_start.lock_account(services, tx, await find(services, address))
        opened = await session_start.start_session(services, tx, account, visitor=visitor)
    assert isinstance(opened, NewSession)
    return opened


def headers_of(session: NewSession) -> dict[str, str]:
    return {"Authorization": f"Bearer {session.token}"}


async def listed(client: httpx.AsyncClient, headers: dict[str, str]) -> list[dict[str, Any]]:
    answer = await client.get("/v1/sessions", headers=headers)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def holds(client: httpx.AsyncClient, headers: dict[str, str]) -> bool:
    """Whether a person's session still opens the list of documents."""
    return (await client.get("/v1/documents", headers=headers)).status_code == 200


async def test_one_sees_ones_own_sessions_on_what_and_from_where(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    await signed_in(services, person.phone, Visitor("android_phone", "127.0.0.1"))
    await signed_in(services, person.phone, Visitor("windows_computer", CAFE))
    await sign_in(services, phone=person.phone[:-2] + "00")
    found = await listed(client, person.headers)
    assert [(one["device"], one["where"], one["current"]) for one in found] == [
        ("windows_computer", "elsewhere", False),
        ("android_phone", "same_network", False),
        ("unknown", "here", True),
    ]
    assert [one["description"] for one in found] == [
        "Un ordinateur Windows, à l’instant, sur une autre connexion",
        "Un téléphone Android, à l’instant, sur la même connexion que vous",
        "Un appareil inconnu. Vous l’utilisez maintenant.",
    ]
    assert CAFE not in str(found)
    english = {**person.headers, "Accept-Language": "en"}
    assert (await listed(client, english))[1]["description"] == (
        "An Android phone, just now, on the same connection as you"
    )


async def test_two_networks_that_are_unknown_are_not_the_same(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """Behind a proxy that is not listed: it lends its own address to nobody."""
    person = await make_person()
    await signed_in(services, person.phone, Visitor("windows_computer", "unknown"))
    await signed_in(services, person.phone, Visitor("windows_computer", "127.0.0.1"))
    behind = {**person.headers, "X-Forwarded-For": "127.0.0.1"}
    assert [one["where"] for one in await listed(client, behind)] == [
        "elsewhere", "elsewhere", "here"
    ]  # fmt: skip
    assert [one["where"] for one in await listed(client, person.headers)] == [
        "same_network", "elsewhere", "here"
    ]  # fmt: skip


@pytest.mark.parametrize("who", ["person", "worker"])
async def test_the_id_of_anothers_session_is_the_same_404_and_ends_nothing(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    who: str,
) -> None:
    victim: SomePerson | SomeWorker = await (make_person if who == "person" else make_worker)()
    stranger: SomePerson | SomeWorker = await (make_person if who == "person" else make_worker)()
    (theirs,) = await listed(client, victim.headers)
    answers = [
        await client.delete(f"/v1/sessions/{one}", headers=stranger.headers)
        for one in (theirs["id"], UNKNOWN, *MALFORMED[:6])
    ]
    for answer in answers:
        is_problem(answer, 404, "not_found")
    bodies = [{**answer.json(), "request_id": ""} for answer in answers]
    assert bodies == [bodies[0]] * len(bodies)
    assert len(await listed(client, victim.headers)) == 1
    if isinstance(stranger, SomePerson):
        recorded = [(one["action"], one["reason"]) for one in await log_of(client, stranger)]
        assert recorded.count(("sign_in.end", "not_found")) == 2, "a malformed id names nothing"


async def test_an_ended_session_opens_nothing_at_once_nor_in_another_process(
    services: Services, settings: Settings, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    taken = await signed_in(services, person.phone, Visitor("iphone", CAFE))
    assert await holds(client, headers_of(taken))
    async with open_services(settings) as other:
        async with other.database.transaction() as tx:
            assert await _subject(other, tx, taken.token)
        (theirs, _) = await listed(client, person.headers)
        ended = await client.delete(f"/v1/sessions/{theirs['id']}", headers=person.headers)
        assert ended.status_code == 204
        async with other.database.transaction() as tx:
            assert await _subject(other, tx, taken.token) is None
    assert not await holds(client, headers_of(taken))
    assert await holds(client, person.headers)
    again_ = await client.delete(f"/v1/sessions/{theirs['id']}", headers=person.headers)
    is_problem(again_, 404, "not_found")


@pytest.mark.parametrize("this_too", [False, True])
async def test_all_others_end_and_their_browsers_are_unknown_again(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, this_too: bool
) -> None:
    person, stranger = await make_person(), await make_person()
    taken = [await signed_in(services, person.phone, Visitor("iphone", CAFE)) for _ in range(2)]
    async with services.database.transaction() as tx:
        secret = await browsers.remember(services, tx, "person", person.id, Visitor())
    path = "/v1/sessions" + ("?current=true" if this_too else "")
    answer = await client.delete(path, headers=person.headers)
    assert answer.json() == {"ended": 3 if this_too else 2}
    assert [await holds(client, headers_of(one)) for one in taken] == [False, False]
    assert await holds(client, person.headers) is not this_too
    assert await holds(client, stranger.headers)
    async with services.database.transaction() as tx:
        known = await browsers.is_known(services, tx, "person", person.id, Visitor(browser=secret))
    assert not known


@pytest.mark.parametrize("elsewhere", [True, False])
async def test_a_browser_whose_session_was_ended_comes_back_as_new(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, elsewhere: bool
) -> None:
    """Ended by its holder from elsewhere, it is told again when it signs in; whoever ends their own
    session stays known."""
    person = await make_person()
    thief = await signed_in(services, person.phone, Visitor("iphone", CAFE))
    first = (await listed(client, headers_of(thief)))[0]["id"]
    by = person.headers if elsewhere else headers_of(thief)
    assert (await client.delete(f"/v1/sessions/{first}", headers=by)).status_code == 204
    async with services.database.transaction() as tx:
        visitor = Visitor("iphone", CAFE, thief.browser)
        known = await browsers.is_known(services, tx, "person", person.id, visitor)
    assert known is not elsewhere


async def test_the_log_says_which_sessions_opened_and_ended_and_on_what(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """So that a replay of the log can tell which must be over; people read the device in words."""
    person = await make_person()
    for device in ("android_phone", "tablet", "mac_computer"):
        await signed_in(services, person.phone, Visitor(device, CAFE))
    ids = [one["id"] for one in (await listed(client, person.headers))][::-1]
    await client.delete(f"/v1/sessions/{ids[1]}", headers=person.headers)
    await client.delete("/v1/sessions", headers=person.headers)
    page = await list_for_person(services, person.subject, cursor=None, limit=50)
    entries = [one for one in page.items[::-1] if one.action.startswith("sign_in")]
    words = [(one.action, one.details, describe(one, "fr")) for one in entries]
    assert words[1:] == [
        (
            "sign_in.success",
            {"session": ids[1], "device": "android_phone"},
            "Vous avez ouvert vos papiers avec un code, sur un téléphone Android.",
        ),
        (
            "sign_in.success",
            {"session": ids[2], "device": "tablet"},
            "Vous avez ouvert vos papiers avec un code, sur une tablette.",
        ),
        (
            "sign_in.success",
            {"session": ids[3], "device": "mac_computer"},
            "Vous avez ouvert vos papiers avec un code, sur un ordinateur Mac.",
        ),
        (
            "sign_in.end",
            {"session": ids[1], "device": "android_phone"},
            "Vous avez fermé vos papiers sur un téléphone Android.",
        ),
        (
            "sign_in.end",
            {"sessions": 2, "ended": f"{ids[2]} {ids[3]}"},
            "Vous avez fermé vos papiers sur d’autres appareils (2).",
        ),
    ]


async def test_the_log_names_the_device_of_who_asked_for_a_code_and_failed(
    services: Services, make_person: MakePerson
) -> None:
    person = await make_person()
    visitor = Visitor("windows_computer", CAFE)
    started, code = await begin(services, person.phone, visitor)
    with pytest.raises(ServiceError):
        await redeem(services, started, wrong(code), visitor)
    page = await list_for_person(services, person.subject, cursor=None, limit=2)
    assert [describe(one, "fr") for one in page.items] == [
        "Quelqu’un a essayé d’ouvrir vos papiers avec un mauvais code, sur un ordinateur Windows.",
        "Quelqu’un a demandé un code pour ouvrir vos papiers, sur un ordinateur Windows.",
    ]


@pytest.mark.parametrize("kind", ["phone", "email"])
async def test_a_new_device_is_told_once_to_its_holder_a_known_one_is_not(
    services: Services, make_person: MakePerson, make_worker: MakeWorker, kind: str
) -> None:
    if kind == "phone":
        person = await make_person()
        address, subject_id = person.phone, person.id
    else:
        worker = await make_worker()
        address, subject_id = worker.email, worker.id

    async def told() -> list[str]:
        texts = [one["text"] for one in await queued_messages(services, address)]
        return [one for one in texts if "nouvel appareil" in one]

    assert await told() == [], "the sign-in that opens the vault is not told"
    visitor = Visitor("android_phone", CAFE)
    await signed_in(services, address, visitor)
    (message,) = await told()
    assert "un téléphone Android" in message
    assert "C’est vous ? Ne faites rien." in message
    assert "http" not in message
    account = "person" if kind == "phone" else "worker"
    async with services.database.transaction() as tx:
        secret = await browsers.remember(services, tx, account, subject_id, visitor)
    await signed_in(services, address, Visitor("android_phone", HOME, secret))
    assert len(await told()) == 1
    await signed_in(services, address, Visitor("android_phone", CAFE, "A" * 43))
    assert len(await told()) == 2


# Who writes the database without the keys.

_COPY = (
    "INSERT INTO unefois.session SELECT :new, :hash, subject_kind, subject_id, created_at,"
    " expires_at, NULL, sealed, {mac} FROM unefois.session WHERE id = :id"
)
EDITS = {
    "a copy under another token": _COPY.format(mac="mac"),
    "a row of one's own, without a MAC": _COPY.format(mac="NULL"),
    "another account": "UPDATE unefois.session SET subject_id = :other WHERE id = :id",
    "another kind": "UPDATE unefois.session SET subject_kind = 'worker', subject_id = :worker"
    " WHERE id = :id",
    "another token": "UPDATE unefois.session SET token_hash = :hash WHERE id = :id",
    "a longer life": "UPDATE unefois.session SET expires_at = expires_at + interval '1 year'"
    " WHERE id = :id",
    "an earlier beginning": "UPDATE unefois.session SET created_at = created_at - interval '1 day'"
    " WHERE id = :id",
    "another device": "UPDATE unefois.session SET sealed = '\\x00' WHERE id = :id",
    "no MAC": "UPDATE unefois.session SET mac = NULL WHERE id = :id",
}
TOKEN = "uf_" + "B" * 43


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("role", ["superuser", "service"])
async def test_a_session_written_without_the_key_opens_nothing(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    postgres: Addresses,
    edit: str,
    role: str,
) -> None:
    person, victim, worker = await make_person(), await make_person(), await make_worker()
    values = _values(person, victim, worker)
    token = TOKEN if ":hash" in EDITS[edit] else person.token
    if role == "service":
        try:
            async with services.database.transaction() as tx:
                await tx.execute(text(EDITS[edit]), values)
        except ProgrammingError as refused:
            assert "permission denied" in str(refused)
            assert await holds(client, person.headers), "nothing has changed"
            return
    else:
        _as_superuser(postgres, EDITS[edit], values)
    for path in ("/v1/documents", "/v1/grants", f"/v1/grants/{UNKNOWN}/documents"):
        answer = await client.get(path, headers={"Authorization": f"Bearer {token}"})
        is_problem(answer, 503, "row_altered")
    async with services.database.transaction() as tx:
        await tx.execute(
            text("DELETE FROM unefois.session WHERE token_hash = :hash"), {"hash": values["hash"]}
        )


async def test_taking_back_the_end_of_a_session_does_not_bring_it_back(
    client: httpx.AsyncClient, make_person: MakePerson, postgres: Addresses
) -> None:
    person = await make_person()
    assert (await client.delete("/v1/sessions/current", headers=person.headers)).is_success
    undone = "UPDATE unefois.session SET revoked_at = NULL WHERE id = :id"
    _as_superuser(postgres, undone, {"id": person.subject.session_id})
    is_problem(await client.get("/v1/documents", headers=person.headers), 503, "row_altered")


async def test_a_thief_of_the_database_finds_no_network_address_nor_device(
    services: Services, make_person: MakePerson
) -> None:
    person = await make_person()
    await signed_in(services, person.phone, Visitor("android_phone", CAFE))
    await signed_in(services, person.phone, Visitor("iphone", CAFE))
    async with services.database.transaction() as tx:
        rows = await tx.execute(
            text(
                "SELECT t::text, octet_length(sealed) FROM unefois.session t WHERE subject_id=:id"
            ),
            {"id": person.id},
        )
        found = rows.all()
    assert len({size for _, size in found}) == 1, "every device gives the same length"
    whole = "".join(row for row, _ in found)
    for word in (CAFE, "android", "iphone"):
        assert word not in whole
        assert word.encode().hex() not in whole


async def test_a_worker_sees_and_ends_their_own(
    services: Services, client: httpx.AsyncClient, make_worker: MakeWorker
) -> None:
    worker = await make_worker()
    other = await again(services, worker)
    assert len(await listed(client, other)) == 2
    assert (await client.delete("/v1/sessions", headers=other)).json() == {"ended": 1}
    assert (await client.get("/v1/grants", headers=worker.headers)).status_code == 401
    assert (await client.get("/v1/grants", headers=other)).status_code == 200


def _values(person: SomePerson, victim: SomePerson, worker: SomeWorker) -> dict[str, Any]:
    return {
        "id": person.subject.session_id,
        "new": uuid4(),
        "hash": sessions.token_hash(TOKEN),
        "other": victim.id,
        "worker": worker.id,
    }


def _as_superuser(postgres: Addresses, statement: str, values: dict[str, Any]) -> None:
    address = postgres.owner_url.replace("+psycopg", "")
    for name in ("id", "new", "hash", "other", "worker"):
        statement = statement.replace(f":{name}", f"%({name})s")
    with psycopg.connect(address, autocommit=True) as connection:
        used = {name: value for name, value in values.items() if f"%({name})s" in statement}
        connection.execute(statement, used)  # type: ignore[arg-type]  # composed of constants


async def _subject(services: Services, tx: Any, token: str) -> UUID | None:
    found = await sessions.subject_of(services, tx, token)
    return found.id if found else None
