"""Two vaults of one person that become one, over HTTP: what comes, what ends, each refusal."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from storage.errors import KeyDestroyed
from tests.auth.means_steps import (
    add_card,
    add_phone,
    bearer,
    choose_pin,
    enter,
    enter_by_phone,
    means,
    proof_of,
    remove,
    usable_pins,
    wrong,
)
from tests.auth.steps import queued_messages
from tests.fixtures import MakePerson, MakeWorker, MoveClock, SomePerson, last_code
from tests.joins import answered_join, ask_join, joined, say_yes, type_join
from tests.steps import ask, counted, deposit, erase, granted, is_problem, log_of
from tests.vault.decoding import corpus
from vault.documents.content_tags import tag_again
from vault.services import Services

PDF = corpus.pdf(1)


async def card_alone(
    client: httpx.AsyncClient, services: Services, person: SomePerson, pin: str
) -> str:
    """A vault as a desk opens it: one card, no phone; the card's code."""
    card = await add_card(client, person, pin)
    (phone, _) = await means(client, person.headers)
    assert (await remove(client, person, phone["id"])).status_code == 204
    return str(card["code"])


async def papers(client: httpx.AsyncClient, headers: dict[str, str]) -> list[dict[str, Any]]:
    answer = await client.get("/v1/documents", headers=headers)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def content(client: httpx.AsyncClient, headers: dict[str, str], document: str) -> bytes:
    answer = await client.get(f"/v1/documents/{document}/content", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.content


async def test_digits_of_another_script_are_typed(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    ended, stays = await make_person(), await make_person()
    code = (await ask_join(client, ended)).json()["code"]
    typed = code.translate({ord(str(digit)): 0x0660 + digit for digit in range(10)})
    assert (await type_join(client, stays, typed)).status_code == 200


async def test_a_card_from_a_desk_and_a_phone_become_one_vault(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson
) -> None:
    carded, phone = await make_person(), await make_person()
    first, second, *_ = await usable_pins(services, carded, phone)
    code = await card_alone(client, services, carded, first)
    theirs = await deposit(client, carded, PDF, type_="payslip", title="Paie de mai")
    mine = await deposit(client, phone, corpus.pdf(2), type_="lease")
    elsewhere = bearer(await enter(client, code, first))

    plan = await answered_join(client, carded, phone)
    assert (plan["side"], plan["state"], plan["code"]) == ("stays", "answered", None)
    shown = plan["plan"]
    assert (shown["papers"], shown["asks_pin"], shown["left"]) == (1, True, [])
    assert [one["kind"] for one in shown["coming"]] == ["card"]
    done = await say_yes(client, phone, plan["id"], second)
    assert done.status_code == 200, done.text
    assert (done.json()["state"], done.json()["plan"]) == ("joined", None)
    # The papers of both, with what is known of them.
    held = {one["id"]: one for one in await papers(client, phone.headers)}
    assert held.keys() == {theirs["id"], mine["id"]}
    assert held[theirs["id"]]["title"] == "Paie de mai"
    assert await content(client, phone.headers, theirs["id"]) == PDF
    # The card and the phone, by the PIN that was chosen; nothing of the other vault is open.
    assert {one["kind"] for one in await means(client, phone.headers)} == {"phone", "card"}
    for session in (carded.headers, elsewhere):
        assert (await client.get("/v1/documents", headers=session)).status_code == 401
    assert (await enter(client, code, first)).status_code == 401
    by_card = bearer(await enter(client, code, second))
    by_phone = bearer(await enter_by_phone(client, services, phone.phone, second))
    for session in (by_card, by_phone):
        assert len(await papers(client, session)) == 2


async def test_one_line_in_each_log_and_that_of_the_ended_vault_is_kept(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    ended, stays, worker = await make_person(), await make_person(), await make_worker()
    await deposit(client, ended, PDF)
    before = await log_of(client, ended)
    join = await joined(client, ended, stays)
    assert [one["action"] for one in await log_of(client, stays)].count("vault.join") == 1
    (listed,) = (await client.get("/v1/me/joins", headers=stays.headers)).json()["items"]
    assert listed["id"] == join
    path = f"/v1/me/joins/{join}/access-log"
    kept = (await client.get(path, headers=stays.headers)).json()["items"]
    assert [one["action"] for one in kept].count("vault.leave") == 1
    assert kept[0]["action"] == "vault.leave"
    assert {one["id"] for one in before} <= {one["id"] for one in kept}
    is_problem(await client.get(path, headers=worker.headers), 403, "wrong_caller")
    is_problem(await client.get(path, headers=(await make_person()).headers), 404, "not_found")
    # A second time changes nothing.
    again = await client.post(f"/v1/me/joins/{join}/yes", headers=stays.headers, json={})
    assert (again.status_code, again.json()["state"]) == (200, "joined")
    assert [one["action"] for one in await log_of(client, stays)].count("vault.join") == 1


async def test_the_reverse_brings_the_phone_and_tells_it(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson
) -> None:
    carded, phone = await make_person(), await make_person()
    pin = (await usable_pins(services, carded, phone))[0]
    code = await card_alone(client, services, carded, pin)
    theirs = await deposit(client, phone, PDF)
    join = await joined(client, phone, carded, pin)
    assert [one["id"] for one in await papers(client, carded.headers)] == [theirs["id"]]
    opened = bearer(await enter_by_phone(client, services, phone.phone, pin))
    assert len(await papers(client, opened)) == 1
    assert (await enter(client, code, pin)).status_code == 201
    told = [one["text"] for one in await queued_messages(services, phone.phone)]
    assert any("réunis" in one for one in told)
    assert any("demande à réunir" in one for one in told)
    seen = await client.get(f"/v1/me/joins/{join}", headers=carded.headers)
    assert seen.json()["state"] == "joined"


async def test_accesses_and_requests_end_and_no_new_one_arises(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    ended, stays, worker = await make_person(), await make_person(), await make_worker()
    paper = await deposit(client, ended, PDF, type_="payslip")
    grant = await granted(client, ended, worker.headers, "payslip")
    read = f"/v1/grants/{grant}/documents/{paper['id']}/content"
    assert (await client.get(read, headers=worker.headers)).status_code == 200
    request = await ask(client, worker.headers, ended.phone, "lease")
    plan = (await answered_join(client, ended, stays))["plan"]
    who = {"name": worker.subject.name, "organisation": worker.subject.organisation}
    assert (plan["grants"], plan["requests"]) == ([who], [who])
    # Two phones: that of the vault that stays is the one, and no PIN is asked.
    assert ([one["kind"] for one in plan["left"]], plan["asks_pin"]) == (["phone"], False)
    await joined(client, ended, stays)

    is_problem(await client.get(read, headers=worker.headers), 403, "grant_revoked")
    seen = await client.get(f"/v1/grants/{grant}", headers=worker.headers)
    assert (seen.status_code, seen.json()["state"]) == (200, "revoked")
    sent = await client.get(f"/v1/consent-requests/{request}", headers=worker.headers)
    assert sent.json()["state"] == "waiting"  # as one that nobody answered
    for mine in ("/v1/grants", "/v1/consent-requests"):
        assert (await client.get(mine, headers=stays.headers)).json()["items"] == []
    assert len(await papers(client, stays.headers)) == 1


async def test_who_has_an_access_sees_what_comes_only_where_later_papers_are_given(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Nobody gave them the papers of the other vault, though these are older than the access."""
    ended, stays = await make_person(), await make_person()
    today, later = await make_worker(), await make_worker()
    paper = await deposit(client, ended, PDF, type_="payslip")
    mine = await deposit(client, stays, corpus.pdf(2), type_="payslip")
    grants = {
        worker.id: await granted(
            client, stays, worker.headers, "payslip", narrower={"covers_future": future}
        )
        for worker, future in ((today, False), (later, True))
    }
    plan = await answered_join(client, ended, stays)
    assert plan["plan"]["seen_by"] == [
        {"name": later.subject.name, "organisation": later.subject.organisation}
    ]
    assert (await say_yes(client, stays, plan["id"])).status_code == 200
    for worker, sees in ((today, {mine["id"]}), (later, {mine["id"], paper["id"]})):
        path = f"/v1/grants/{grants[worker.id]}/documents"
        listed = (await client.get(path, headers=worker.headers)).json()["items"]
        assert {one["id"] for one in listed} == sees
        read = await client.get(f"{path}/{paper['id']}/content", headers=worker.headers)
        assert (read.status_code == 200) is (paper["id"] in sees)


async def test_a_paper_that_both_hold_is_not_doubled(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson
) -> None:
    ended, stays = await make_person(), await make_person()
    kept = await deposit(client, stays, PDF)
    await deposit(client, ended, PDF)
    photos = [corpus.pdf(1), corpus.pdf(3)]
    other = await deposit(client, ended, photos[1])
    await joined(client, ended, stays)
    held = await papers(client, stays.headers)
    assert {one["id"] for one in held} == {kept["id"], other["id"]}
    # What came is found again when it is sent again, once its job has run.
    await tag_again(services, stays.id, await version_of(services, other["id"]))
    files = [("file", ("scan.pdf", photos[1]))]
    sent = await client.post(
        "/v1/documents", headers=stays.headers, files=files, data={"type": "lease"}
    )
    assert (sent.status_code, sent.json()["id"]) == (200, other["id"])


async def version_of(services: Services, document: str) -> Any:
    async with services.database.transaction() as tx:
        query = text("SELECT version_id FROM unefois.document WHERE id = :id")
        return (await tx.execute(query, {"id": document})).scalar_one()


async def test_wrong_codes_answer_alike_and_are_few(
    client: httpx.AsyncClient, make_person: MakePerson, moved_clock: MoveClock
) -> None:
    ended, stays, stranger = await make_person(), await make_person(), await make_person()
    code = (await ask_join(client, ended)).json()["code"]
    assert len(code) == 8
    own = await type_join(client, ended, code)
    typed = await type_join(client, stays, f"{code[:4]} {code[4:]}")
    assert typed.status_code == 200
    twice = await type_join(client, stranger, code)
    unknown = await type_join(client, stranger, wrong(code))
    for answer in (own, twice, unknown):
        is_problem(answer, 403, "join_code_wrong")
    late = (await ask_join(client, ended)).json()["code"]
    moved_clock(timedelta(minutes=10))
    is_problem(await type_join(client, stranger, late), 403, "join_code_wrong")
    for _ in range(2):
        is_problem(await type_join(client, stranger, wrong(late)), 403, "join_code_wrong")
    is_problem(await type_join(client, stranger, wrong(late)), 429, "too_many_requests")
    # Another code takes the place of the first: what was shown of it is over.
    path = f"/v1/me/joins/{typed.json()['id']}"
    is_problem(await client.get(path, headers=stays.headers), 404, "not_found")


async def test_a_yes_needs_proofs_in_both_and_comes_in_time(
    client: httpx.AsyncClient, make_person: MakePerson, moved_clock: MoveClock
) -> None:
    ended, stays = await make_person(), await make_person()
    unproved = await client.post("/v1/me/joins", headers=ended.headers, json={})
    is_problem(unproved, 403, "proof_needed")
    plan = await answered_join(client, ended, stays)
    yes = f"/v1/me/joins/{plan['id']}/yes"
    is_problem(await client.post(yes, headers=stays.headers, json={}), 403, "proof_needed")
    # Whoever shows the code, and who stands beside, cannot say it.
    by_other = await client.post(yes, headers=ended.headers, json={})
    assert (by_other.status_code, by_other.json()["side"]) == (200, "ends")
    assert by_other.json()["state"] == "answered"
    stranger = await make_person()
    is_problem(await client.post(yes, headers=stranger.headers, json={}), 404, "not_found")
    moved_clock(timedelta(minutes=30))
    is_problem(await say_yes(client, stays, plan["id"]), 409, "join_over")
    assert (await client.get("/v1/documents", headers=ended.headers)).status_code == 200


@pytest.mark.parametrize("where", ["ended", "stays"])
async def test_not_while_a_proof_waits(
    client: httpx.AsyncClient, make_person: MakePerson, where: str
) -> None:
    ended, stays = await make_person(), await make_person()
    plan = await answered_join(client, ended, stays)
    waiting = ended if where == "ended" else stays
    wait = await client.post("/v1/me/proof/wait", headers=waiting.headers)
    assert wait.status_code == 202, wait.text
    is_problem(await say_yes(client, stays, plan["id"]), 409, "join_not_now")
    if where == "ended":
        is_problem(await ask_join(client, ended), 409, "join_not_now")
    assert (await client.get("/v1/documents", headers=ended.headers)).status_code == 200


async def test_not_while_an_erasure_waits(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson
) -> None:
    ended, stays = await make_person(), await make_person()
    plan = await answered_join(client, ended, stays)
    await client.post("/v1/me/erasure/code", headers=ended.headers)
    code = await last_code(services, ended.phone)
    asked = await client.request("DELETE", "/v1/me", headers=ended.headers, json={"code": code})
    assert asked.status_code == 202, asked.text
    is_problem(await say_yes(client, stays, plan["id"]), 409, "join_not_now")
    is_problem(await ask_join(client, ended), 409, "join_not_now")


async def test_limits_are_those_of_any_vault(
    client: httpx.AsyncClient,
    services: Services,
    make_person: MakePerson,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended, stays = await make_person(), await make_person()
    pin = (await usable_pins(services, ended, stays))[0]
    for _ in range(3):
        await add_card(client, ended, pin)
    for _ in range(2):
        await add_card(client, stays, pin)
    plan = await answered_join(client, ended, stays)
    is_problem(await say_yes(client, stays, plan["id"], pin), 409, "too_many_cards")
    # Nothing happened: everything opens as before.
    assert len(await means(client, ended.headers)) == 4
    (_, card, *_) = await means(client, ended.headers)
    assert (await remove(client, ended, card["id"])).status_code == 204
    await deposit(client, ended, PDF)
    with monkeypatch.context() as small:
        small.setattr(services.settings, "max_vault_documents", 0)
        plan = await answered_join(client, ended, stays)  # other means: the first one is withdrawn
        is_problem(await say_yes(client, stays, plan["id"], pin), 409, "too_many_documents")
    assert len(await papers(client, ended.headers)) == 1
    assert (await say_yes(client, stays, plan["id"], pin)).status_code == 200
    assert len(await means(client, stays.headers)) == 5


async def test_a_phone_that_two_share_tells_nothing_of_the_other(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson
) -> None:
    """A couple on one phone; one of them joins a card's vault. The PIN of the other is refused as a
    weak one is, and nothing happens until another one is chosen."""
    spouse, ended, carded = [await make_person() for _ in range(3)]
    first, theirs, third, *_ = await usable_pins(services, spouse, ended, carded)
    assert (await choose_pin(client, spouse, theirs)).status_code == 204
    assert (await add_phone(client, services, ended, spouse.phone, first)).status_code == 201
    code = await card_alone(client, services, carded, third)
    paper = await deposit(client, ended, PDF)
    plan = await answered_join(client, ended, carded)
    is_problem(await say_yes(client, carded, plan["id"], theirs), 422, "pin_weak")
    assert [one["id"] for one in await papers(client, ended.headers)] == [paper["id"]]
    assert len(await means(client, ended.headers)) == 1
    # The PIN that it had itself is no other's.
    assert (await say_yes(client, carded, plan["id"], first)).status_code == 200
    assert (await enter(client, code, first)).status_code == 201
    both = {
        pin: bearer(await enter_by_phone(client, services, spouse.phone, pin))
        for pin in (first, theirs)
    }
    assert [one["id"] for one in await papers(client, both[first])] == [paper["id"]]
    assert await papers(client, both[theirs]) == []


async def test_two_yeses_at_once_and_both_ways_at_once(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    one, two = await make_person(), await make_person()
    await deposit(client, one, PDF)
    there, back = await answered_join(client, one, two), await answered_join(client, two, one)
    proofs = {each.id: [await proof_of(client, each)] for each in (one, two)}
    bodies = {each.id: {"proof": proofs[each.id][0]} for each in (one, two)}

    def yes(who: SomePerson, join: str) -> Any:
        path = f"/v1/me/joins/{join}/yes"
        return client.post(path, headers=who.headers, json=bodies[who.id])

    answers = await asyncio.gather(
        yes(two, there["id"]), yes(two, there["id"]), yes(one, back["id"])
    )
    assert 200 in [each.status_code for each in answers]
    living = [
        each
        for each in (one, two)
        if (await client.get("/v1/documents", headers=each.headers)).status_code == 200
    ]
    assert len(living) == 1
    assert len(await papers(client, living[0].headers)) == 1
    lines = await log_of(client, living[0])
    made = [
        each for each in lines if (each["action"], each["outcome"]) == ("vault.join", "allowed")
    ]
    assert len(made) == 1


async def test_one_after_the_other_and_erased_with_all_of_them(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson
) -> None:
    first, second, last = [await make_person() for _ in range(3)]
    await deposit(client, first, PDF)
    await joined(client, first, second)
    await joined(client, second, last)
    assert len(await papers(client, last.headers)) == 1
    listed = (await client.get("/v1/me/joins", headers=last.headers)).json()["items"]
    assert len(listed) == 2
    for one in listed:
        path = f"/v1/me/joins/{one['id']}/access-log"
        lines = (await client.get(path, headers=last.headers)).json()["items"]
        assert lines[0]["action"] == "vault.leave"
    await erase(services, last)
    for person in (first, second, last):
        assert await counted(services, "document", person) == 0
        services.storage.keys.forget_all()
        with pytest.raises(KeyDestroyed):
            await services.storage.keys.owner(person.id)
