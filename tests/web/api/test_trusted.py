"""Somebody is named as trusted, says yes, vouches, and is trusted no more, over HTTP."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text

from auth import pin_hashes
from auth.message_delivery import inbox
from tests.auth.means_steps import proved
from tests.fixtures import MakePerson, MoveClock, SomePerson
from tests.joins import joined
from tests.steps import is_problem, log_of
from tests.trusted import (
    WEEK,
    WORDS,
    accept_trust,
    answered_naming,
    for_me,
    mine,
    name_trusted,
    trusted,
    type_trusted,
    vouch_for,
    with_pin,
)
from vault.maintenance.cleanup import sweep_rows
from vault.maintenance.erasure import erase
from vault.services import Services
from vault.trusted import naming as namings
from vault.trusted.vouching import to_tell, vouched

SOON = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a PIN costs to guess is not tested here."""
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


async def told(services: Services, person: SomePerson) -> list[str]:
    """What was said to a phone of who is trusted."""
    messages = await inbox(services, to=person.phone)
    return [one.text for one in messages if "personne de confiance" in one.text]


async def lines(client: httpx.AsyncClient, person: SomePerson) -> list[tuple[str, str, str]]:
    """The lines of trust of a log, the last first: what, by whom, why not."""
    log = [one for one in await log_of(client, person) if one["action"].startswith("trusted.")]
    return [(one["action"], one["actor"]["kind"], one["reason"] or "") for one in log]


async def at_desk(services: Services, code: str) -> object:
    async with services.database.transaction() as tx:
        return await vouched(services, tx, code)


async def kept(services: Services, person: SomePerson) -> int:
    """How many namings of a person there are."""
    async with services.database.transaction() as tx:
        query = text("SELECT count(*) FROM unefois.trusted_person WHERE person_id = :id")
        many: int = (await tx.execute(query, {"id": person.id})).scalar_one()
    return many


async def test_named_and_accepted_once(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    amina, awa = await make_person(), await make_person()
    named = await name_trusted(client, amina)
    assert (named["side"], named["state"], named["name"]) == ("trusts", "open", "Ma sœur Awa")
    typed = await type_trusted(client, awa, f"{named['code'][:4]} {named['code'][4:]}")
    assert typed.headers["cache-control"] == "no-store"
    asked = typed.json()
    assert (asked["side"], asked["state"], asked["name"]) == ("is_trusted", "answered", "Amina")
    assert asked["code"] is None
    assert await told(services, amina) == []
    accepted = await accept_trust(client, awa, asked["id"])
    assert (accepted.status_code, accepted.json()["state"]) == (200, "accepted")
    assert not accepted.json()["may_vouch"]
    assert len(await told(services, amina)) == 1
    again = await accept_trust(client, awa, asked["id"])
    assert again.json() == accepted.json()
    assert len(await told(services, amina)) == 1, "a second yes changes nothing"


async def test_vouched_from_a_week_on_and_heard_at_the_desk_once(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, moved_clock: MoveClock
) -> None:
    amina, awa = await make_person(), await make_person()
    naming = await trusted(client, amina, awa)
    moved_clock(WEEK - SOON)
    refused = await vouch_for(client, awa, naming)
    is_problem(refused, 409, "trusted_too_new")
    assert refused.json()["what_to_do"].endswith("Jours à attendre : 1.")
    moved_clock(WEEK + SOON)
    (seen,) = await for_me(client, awa)
    assert seen["may_vouch"]
    vouching = await vouch_for(client, awa, naming)
    assert vouching.status_code == 201, vouching.text
    code = vouching.json()["code"]
    assert (await mine(client, amina))[0]["code"] is None, "it is for who vouches"
    is_problem(await type_trusted(client, amina, code), 403, "trusted_code_wrong")
    assert await at_desk(services, code) == amina.id
    assert await at_desk(services, code) is None, "it is spent"
    (seen,) = await for_me(client, awa)
    assert seen["code"] is None

    assert await lines(client, amina) == [
        ("trusted.see", "owner", "trusted_code"),
        ("trusted.vouch", "anonymous", ""),
        ("trusted.accept", "anonymous", ""),
        ("trusted.see", "anonymous", ""),
        ("trusted.name", "owner", ""),
    ]
    assert await lines(client, awa) == [
        ("trusted.vouch", "owner", ""),
        ("trusted.vouch", "owner", "trusted_too_new"),
        ("trusted.accept", "owner", ""),
        ("trusted.see", "owner", ""),
    ]


async def test_digits_that_vouch_serve_half_an_hour_and_the_last_ones_alone(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, moved_clock: MoveClock
) -> None:
    amina, awa = await make_person(), await make_person()
    naming = await trusted(client, amina, awa)
    moved_clock(WEEK + SOON)
    first = (await vouch_for(client, awa, naming)).json()["code"]
    second = (await vouch_for(client, awa, naming)).json()["code"]
    assert first != second
    assert await at_desk(services, first) is None
    moved_clock(WEEK + timedelta(minutes=32))
    (seen,) = await for_me(client, awa)
    assert seen["code"] is None
    assert await at_desk(services, second) is None, "half an hour later"
    third = (await vouch_for(client, awa, naming)).json()["code"]
    ended = await proved(client, amina, "DELETE", f"/v1/me/trusted/{naming}")
    assert ended.status_code == 204, ended.text
    assert await at_desk(services, third) is None, "once they are trusted no more"
    is_problem(await vouch_for(client, awa, naming), 409, "trusted_over")
    for nothing in ("", "é", "1", "1" * 9):
        assert await at_desk(services, nothing) is None


@pytest.mark.parametrize("by_who_trusts", [True, False])
async def test_each_of_the_two_ends_it_and_the_person_is_told(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    moved_clock: MoveClock,
    by_who_trusts: bool,
) -> None:
    amina, awa = await make_person(), await make_person()
    naming = await trusted(client, amina, awa)
    if by_who_trusts:
        path = f"/v1/me/trusted/{naming}"
        is_problem(await client.request("DELETE", path, headers=amina.headers, json={}), 403,
                   "proof_needed")  # fmt: skip
        for _ in range(2):
            assert (await proved(client, amina, "DELETE", path)).status_code == 204
    else:
        for _ in range(2):
            path = f"/v1/trusted/{naming}"
            assert (await client.delete(path, headers=awa.headers)).status_code == 204
    assert "retirée" in (await told(services, amina))[0]
    assert len(await told(services, amina)) == 2
    assert await told(services, awa) == []
    for one, side in ((amina, await mine(client, amina)), (awa, await for_me(client, awa))):
        assert next(line for line in await lines(client, one) if not line[2]) == (
            "trusted.end", "owner" if (one is amina) == by_who_trusts else "anonymous", "",
        )  # fmt: skip
        assert [shown["state"] for shown in side] == ["ended"]
    for days, left in ((29, 1), (31, 0)):
        moved_clock(timedelta(days=days))
        await sweep_rows(services)
        assert await kept(services, amina) == left


async def test_who_was_removed_is_told_of_a_recovery_for_a_week(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, moved_clock: MoveClock
) -> None:
    amina, awa, ines = [await make_person() for _ in range(3)]
    naming = await trusted(client, amina, awa)
    await answered_naming(client, amina, ines)

    async def are_told() -> list[object]:
        async with services.database.transaction() as tx:
            return [*await to_tell(services, tx, amina.id)]

    assert await are_told() == [awa.id], "not who was only asked"
    assert (await proved(client, amina, "DELETE", f"/v1/me/trusted/{naming}")).is_success
    moved_clock(WEEK - SOON)
    assert await are_told() == [awa.id]
    moved_clock(WEEK + SOON)
    assert await are_told() == []


async def test_two_at_most_and_nobody_twice(
    client: httpx.AsyncClient, make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    amina, awa, ines, zoe = [await make_person() for _ in range(4)]
    await with_pin(client, amina)
    first = await trusted(client, amina, awa)
    twice = await name_trusted(client, amina)
    is_problem(await type_trusted(client, awa, twice["code"]), 403, "trusted_code_wrong")
    waiting = await answered_naming(client, amina, ines)
    # One that was begun while there was room, said yes to when there is none.
    with monkeypatch.context() as fewer:
        fewer.setattr(namings, "AT_MOST", 1)
        is_problem(await accept_trust(client, ines, waiting["id"]), 409, "trusted_over")
    assert (await accept_trust(client, ines, waiting["id"])).status_code == 200
    third = await proved(client, amina, "POST", "/v1/me/trusted", WORDS)
    is_problem(third, 409, "too_many_trusted")
    assert (await proved(client, amina, "DELETE", f"/v1/me/trusted/{first}")).is_success
    assert await trusted(client, amina, zoe)
    monkeypatch.setattr(namings, "FOR_AT_MOST", 1)
    asked = await answered_naming(client, awa, zoe)
    is_problem(await accept_trust(client, zoe, asked["id"]), 409, "too_many_trusted")


async def test_what_is_begun_is_over_when_it_is_late_or_begun_again(
    client: httpx.AsyncClient, make_person: MakePerson, moved_clock: MoveClock, services: Services
) -> None:
    amina, awa = await make_person(), await make_person()
    former = (await name_trusted(client, amina))["code"]
    asked = await answered_naming(client, amina, awa)
    is_problem(await type_trusted(client, awa, former), 403, "trusted_code_wrong")
    moved_clock(timedelta(minutes=31))
    is_problem(await accept_trust(client, awa, asked["id"]), 409, "trusted_over")
    assert (await lines(client, awa))[0] == ("trusted.accept", "owner", "trusted_over")
    assert await mine(client, amina) == await for_me(client, awa) == []
    late = (await name_trusted(client, amina))["code"]
    moved_clock(timedelta(minutes=42))
    is_problem(await type_trusted(client, awa, late), 403, "trusted_code_wrong")
    moved_clock(timedelta(minutes=92))
    await sweep_rows(services)
    assert await kept(services, amina) == 0


async def test_a_no_and_digits_of_a_session_that_was_closed(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    amina, awa = await make_person(), await make_person()
    asked = await answered_naming(client, amina, awa)
    no = await client.delete(f"/v1/trusted/{asked['id']}", headers=awa.headers)
    assert no.status_code == 204
    is_problem(await accept_trust(client, awa, asked["id"]), 409, "trusted_over")
    code = (await name_trusted(client, amina))["code"]
    assert (await client.delete("/v1/sessions/current", headers=amina.headers)).is_success
    is_problem(await type_trusted(client, awa, code), 403, "trusted_code_wrong")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"label": " "}, "text_empty"),
        ({"own_name": "\u200b"}, "text_empty"),
        ({"label": "x" * 61}, "text_too_long"),
    ],
)
async def test_words_that_cannot_be_kept(
    client: httpx.AsyncClient, make_person: MakePerson, changes: dict[str, str], code: str
) -> None:
    person = await make_person()
    answer = await proved(client, person, "POST", "/v1/me/trusted", WORDS | changes)
    is_problem(answer, 422, code)
    assert next(iter(changes)) in answer.text
    assert await mine(client, person) == []


@pytest.mark.parametrize("who_trusts", [True, False])
async def test_with_the_vault_of_one_it_ends_and_the_other_sees_it(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, who_trusts: bool
) -> None:
    amina, awa = await make_person(), await make_person()
    await trusted(client, amina, awa)
    gone, left = (amina, awa) if who_trusts else (awa, amina)
    assert await erase(services, gone.subject) is True
    assert (await lines(client, left))[0] == ("trusted.end", "anonymous", "")
    assert len(await told(services, amina)) == (1 if who_trusts else 2)
    assert await mine(client, left) == await for_me(client, left) == []


async def test_with_a_vault_that_ends_in_another_it_ends_too(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, moved_clock: MoveClock
) -> None:
    amina, awa, stays = [await make_person() for _ in range(3)]
    naming = await trusted(client, amina, awa)
    moved_clock(WEEK + SOON)
    code = (await vouch_for(client, awa, naming)).json()["code"]
    await joined(client, amina, stays)
    assert await at_desk(services, code) is None
    (seen,) = await for_me(client, awa)
    assert seen["state"] == "ended"
    assert (await lines(client, awa))[0] == ("trusted.end", "anonymous", "")
    assert await mine(client, stays) == []
