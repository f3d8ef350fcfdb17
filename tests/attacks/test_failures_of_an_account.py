"""Failures of callers who are known: one account spends one bucket, and no thief or stranger keeps
it from being used."""

import secrets
from uuid import uuid4

import pytest

from auth.visitor import Visitor
from tests.attacks.pace import AT_ONCE, STRUCTURE, Clock, Strict, forget_rates, serving
from tests.attacks.test_sessions import signed_in
from tests.auth.steps import begin
from tests.fixtures import MakePerson, MakeWorker
from tests.steps import granted
from vault.services import Services
from web.pages.cookies import name_of


async def test_false_tokens_do_not_keep_out_who_has_just_signed_in(
    strict: Strict, make_person: MakePerson
) -> None:
    """They use up all the look-ups of a network that is beyond its pace."""
    person = await make_person()
    pending, code = await begin(strict.services, person.phone)
    body = {"secret": pending.secret, "code": code}
    opened = await strict.send("POST", f"/v1/sign-ins/{pending.id}", "192.0.2.9", json=body)
    path, headers = "/v1/documents", _bearer(opened.json()["token"])
    await strict.burn()
    for _ in range(10):
        false = _bearer("uf_" + secrets.token_urlsafe(32))
        assert (await strict.send("GET", "/v1/documents", STRUCTURE, headers=false)).is_error
    assert (await strict.send("GET", path, STRUCTURE, headers=headers)).status_code == 200


async def test_who_took_a_session_does_not_keep_its_holder_from_ending_it(
    strict: Strict, make_person: MakePerson
) -> None:
    """A session that was stolen spends all that the account has, and goes on; the holder sees their
    sessions from another one, and ends it."""
    person = await make_person()
    stolen = await signed_in(strict.services, person.phone, Visitor())
    thief, path = _bearer(stolen.token), f"/v1/documents/{uuid4()}"
    shown = await strict.send("GET", "/v1/sessions", STRUCTURE, headers=person.headers)
    ended = shown.json()["items"][0]["id"]
    while (await strict.send("GET", path, "192.0.2.66", headers=thief)).status_code != 429:
        pass
    for _ in range(20):
        answer = await strict.send("GET", "/v1/sessions", STRUCTURE, headers=person.headers)
        assert answer.status_code == 200
    answer = await strict.send("DELETE", f"/v1/sessions/{ended}", STRUCTURE, headers=person.headers)
    assert answer.status_code == 204


async def test_a_browser_spends_its_own_and_nothing_of_its_account(
    strict: Strict, make_person: MakePerson
) -> None:
    """That of a thief whose session was ended keeps its cookie."""
    person, ours, thiefs = await make_person(), secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    failures = strict.app.state.failures
    failures.remember(person.token, person.id)
    cookies = {}
    for secret in (ours, thiefs):
        failures.remember(secret, person.id)
        name = name_of(strict.services.settings, "browser")
        cookies[secret] = {"Cookie": f"{name}={secret}"}
    statuses = [
        (await strict.send("POST", "/sign-in", STRUCTURE, headers=cookies[thiefs])).status_code
        for _ in range(AT_ONCE * 10 + 20)
    ]
    assert statuses.count(403) == AT_ONCE
    for path, headers in (("/sign-in", cookies[ours]), ("/v1/me/erasure/cancel", person.headers)):
        answer = await strict.send("POST", path, STRUCTURE, headers=headers)
        assert answer.status_code != 429, path


async def test_many_sessions_of_one_worker_are_one_account(
    strict: Strict, make_worker: MakeWorker, make_person: MakePerson
) -> None:
    """Also where the use case authenticates by itself: each session had a bucket of its own."""
    person, worker = await make_person(), await make_worker()
    grant = await granted(strict.client, person, worker.headers, "income_tax_notice")
    tokens = [worker.token] + [
        (await signed_in(strict.services, worker.email, Visitor())).token for _ in range(2)
    ]
    for token in tokens:
        path = f"/v1/grants/{grant}/documents"
        assert (
            await strict.send("GET", path, STRUCTURE, headers=_bearer(token))
        ).status_code == 200
    statuses = []
    for turn in range(AT_ONCE * 10 + 60):
        path, token = f"/v1/grants/{uuid4()}/documents", tokens[turn % 3]
        answer = await strict.send("GET", path, STRUCTURE, headers=_bearer(token))
        statuses.append(answer.status_code)
    # Each has a reserve of ten, then nothing.
    assert statuses == [404] * (AT_ONCE * 10 + 30) + [429] * 30


@pytest.mark.parametrize("first", ["a=b", "{name}=uf_{false}"], ids=["other", "false"])
async def test_a_session_in_the_second_of_two_headers_is_the_same_account(
    services: Services, frozen: Clock, make_worker: MakeWorker, first: str
) -> None:
    """Pages read every `Cookie` header, the limit read the first alone: what failed was counted for
    nobody, or for the network of each false token."""
    await forget_rates(services)
    worker, name = await make_worker(), name_of(services.settings, "worker")
    statuses = []
    async with serving(services, frozen, failures_at_once=1) as strict:
        strict.app.state.failures.remember(worker.token, worker.id)
        for _ in range(30):
            shown = first.format(name=name, false=secrets.token_urlsafe(32))
            sent = [("Cookie", shown), ("Cookie", f"{name}={worker.token}")]
            answer = await strict.client.get(f"/pro/grants/{uuid4()}", headers=sent)
            statuses.append(answer.status_code)
    # Ten of the account, and the ten of the session's reserve.
    assert statuses == [404] * 20 + [429] * 10


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
