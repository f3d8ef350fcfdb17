"""Writes that cost a stranger nothing: each refusal is a line of the public log, for ever.

One address wrote 39 to 55 a second. Beyond the pace of its network it is answered 429: nothing is
looked up, and one line a minute counts what was answered so.
"""

import asyncio
import secrets
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import event, func, select
from starlette.routing import BaseRoute

from audit.records import AccessEvent
from auth.records.sessions import revoke_sessions_of
from base import pipeline
from tests.attacks.pace import A_MINUTE, AT_ONCE, REFUSED, STRUCTURE, Strict
from tests.fixtures import MakePerson, MakeWorker
from tests.rows import last_events
from tests.steps import granted
from vault.services import Services
from web.http.failure_limit import FailureLimit
from web.pages.cookies import name_of
from web.process.refused_requests import record, record_refused_requests

PUBLIC = ("/log/vkey", "/v1/document-types", "/healthz", "/", "/pro", "/jwks.json")


async def lines(services: Services) -> int:
    """The lines of the log, each a leaf."""
    async with services.database.transaction() as tx:
        return int((await tx.execute(select(func.count()).select_from(AccessEvent))).scalar_one())


@pytest.fixture
def statements(services: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every statement that this process sends to the database."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    engines = [services.database.engine.sync_engine, services.database._separate.sync_engine]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    run = pipeline._Connection.run

    async def noted(self: Any, bound: Any) -> Any:
        sent.extend(one.statement.sql.decode() for one in bound)
        return await run(self, bound)

    monkeypatch.setattr(pipeline._Connection, "run", noted)
    yield sent
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


async def test_a_stranger_at_full_speed_writes_no_more_than_the_pace(
    strict: Strict, client: httpx.AsyncClient
) -> None:
    """300 bad assertions: 300 lines without the limit, 60 with it, then 30 a minute."""
    before = await lines(strict.services)
    for _ in range(300):
        await client.post("/oauth/token", data=REFUSED)
    assert await lines(strict.services) - before == 300
    before = await lines(strict.services)
    statuses = [await strict.refused() for _ in range(300)]
    assert statuses == [401] * AT_ONCE + [429] * (300 - AT_ONCE)
    assert await lines(strict.services) - before == AT_ONCE
    for minute in range(1, 4):
        strict.clock.move(60)
        await asyncio.gather(*(strict.refused() for _ in range(100)))
        assert await lines(strict.services) - before == AT_ONCE + minute * A_MINUTE


async def test_what_is_sent_at_once_passes_no_more(strict: Strict) -> None:
    """Charged when they come in: none passes while the others are being refused."""
    before = await lines(strict.services)
    statuses = await asyncio.gather(*(strict.refused() for _ in range(200)))
    assert sorted(statuses) == [401] * AT_ONCE + [429] * (200 - AT_ONCE)
    assert await lines(strict.services) - before == AT_ONCE


async def test_beyond_the_pace_nothing_is_looked_up(strict: Strict, statements: list[str]) -> None:
    await strict.burn()
    await asyncio.sleep(0.3)  # what was under way is written
    statements.clear()
    before = [
        await strict.refused(),
        (await strict.send("POST", f"/v1/sign-ins/{uuid4()}", STRUCTURE, json={"code": "123456"})),
        (await strict.send("POST", "/v1/sign-ins", STRUCTURE, json={"phone": "0612345678"})),
        (await strict.send("POST", f"/sign-in/{uuid4()}", STRUCTURE, data={"code": "123456"})),
        (await strict.send("DELETE", "/v1/me", STRUCTURE)),
        (await strict.send("GET", "/v1/documents", STRUCTURE, headers=_bearer("nonsense"))),
        (await strict.send("GET", "/documents", STRUCTURE, headers=_cookie("nonsense"))),
    ]
    assert {one if isinstance(one, int) else one.status_code for one in before} == {429}
    assert statements == []


async def test_the_answer_says_what_to_do_and_tells_nothing_of_others(strict: Strict) -> None:
    await strict.burn()
    told = set()
    for _ in range(5):
        answer = await strict.token(STRUCTURE)
        strict.clock.move(0.3)
        told.add(answer.headers["retry-after"])
    assert told == {"60"}
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (429, "too_many_failures")
    assert "Attendez une minute" in problem["what_to_do"]
    assert answer.headers["cache-control"] == "no-store"
    page = await strict.send("POST", "/sign-in", STRUCTURE, headers={"Accept": "text/html"})
    assert page.status_code == 429
    assert page.headers["retry-after"] == "60"
    assert "<html" in page.text
    assert "Attendez une minute" in page.text


async def test_a_colleague_behind_the_same_address_goes_on(
    strict: Strict, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Known by their session, by the API and by pages; and so does one who signs in meanwhile."""
    person, worker, late = await make_person(), await make_worker(), await make_worker()
    grant = await granted(strict.client, person, worker.headers, "income_tax_notice")
    reading = f"/v1/grants/{grant}/documents"
    page = _cookie(person.token)
    assert (await strict.send("GET", "/documents", STRUCTURE, headers=page)).status_code == 200
    await strict.burn()
    for _ in range(20):
        answer = await strict.send("GET", reading, STRUCTURE, headers=worker.headers)
        assert answer.status_code == 200
        shown = await strict.send("GET", "/documents", STRUCTURE, headers=page)
        assert shown.status_code == 200
        assert await strict.refused() == 429
    # A valid token that this process has never seen is looked up.
    answer = await strict.send("GET", "/v1/grants", STRUCTURE, headers=late.headers)
    assert answer.status_code == 200
    # Their own mistakes stop nobody else, and are their own.
    for _ in range(AT_ONCE + 1):
        lost = await strict.send("GET", f"/v1/grants/{uuid4()}", STRUCTURE, headers=late.headers)
        assert lost.status_code == 404


async def test_a_browser_that_signed_in_before_is_not_barred_by_its_neighbours(
    strict: Strict, make_person: MakePerson
) -> None:
    person, secret = await make_person(), secrets.token_urlsafe(32)
    strict.app.state.failures.remember(secret, person.id)
    await strict.burn()
    theirs = {"Cookie": f"{name_of(strict.services.settings, 'browser')}={secret}"}
    signing_in = "/sign-in"
    assert (await strict.send("POST", signing_in, STRUCTURE)).status_code == 429
    for _ in range(3):  # its own failures do not make it a stranger
        answer = await strict.send("POST", signing_in, STRUCTURE, headers=theirs)
        assert answer.status_code == 403, answer.text
    unknown = {"Cookie": theirs["Cookie"][:-1] + "_"}
    answer = await strict.send("POST", signing_in, STRUCTURE, headers=unknown)
    assert answer.status_code == 429


async def test_ones_own_failures_stop_oneself_alone(
    strict: Strict, make_worker: MakeWorker
) -> None:
    """An account has ten times as much, wherever it calls from and however it writes its header."""
    worker, other = await make_worker(), await make_worker()
    statuses: dict[int, int] = {}
    for turn in range(AT_ONCE * 10 + 20):
        word = ("Bearer ", "bearer ", "Bearer   ")[turn % 3]
        path, address = f"/v1/grants/{uuid4()}", f"203.0.113.{turn % 250}"
        answer = await strict.send(
            "GET", path, address, headers={"Authorization": word + worker.token}
        )
        statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
    # The first came before its token was known, and was its network's; the last ten are
    # its reserve.
    assert statuses == {404: AT_ONCE * 10 + 11, 429: 9}
    answer = await strict.send("GET", "/v1/grants", "203.0.113.1", headers=other.headers)
    assert answer.status_code == 200
    strict.clock.move(1)
    again = [
        (await strict.send("GET", "/v1/grants", "203.0.113.1", headers=worker.headers)).status_code
        for _ in range(10)
    ]
    assert again == [200] * 10  # slowed, not barred; what succeeds is not spent


async def test_a_token_that_was_only_sent_is_not_known(
    strict: Strict, statements: list[str]
) -> None:
    """Sent to addresses that answer 200 to anyone, then beyond the pace: looked up five times a
    second at most, and nothing is written."""
    tokens = ["uf_" + secrets.token_urlsafe(32) for _ in range(40)]
    for token in tokens:
        for path, headers in (
            ("/v1/document-types", _bearer(token)),
            ("/log/vkey", _bearer(token)),
            ("/?done=bye", _cookie(token)),
            ("/pro", _cookie(token, "worker")),
            ("/healthz", _bearer(token)),
        ):
            answer = await strict.send("GET", path, STRUCTURE, headers=headers)
            assert answer.status_code == 200, path
    await strict.burn()
    before = await lines(strict.services)
    statements.clear()
    for second in range(1, 4):
        for token in tokens:
            headers = {**_bearer(token), **_cookie(token)}
            for path in (f"/v1/sign-ins/{uuid4()}", "/oauth/token", f"/sign-in/{uuid4()}"):
                answer = await strict.send("POST", path, STRUCTURE, headers=headers)
                assert answer.status_code == 429
        assert sum("session" in statement for statement in statements) <= 5 * second
        strict.clock.move(1)
        assert [await strict.refused() for _ in range(3)].count(401) <= 1  # half of one a second
    assert await lines(strict.services) - before <= 2


@pytest.mark.parametrize("way", ["api", "pages"])
async def test_an_ended_session_is_a_strangers(
    strict: Strict, make_person: MakePerson, way: str
) -> None:
    """Forgotten where it is found ended: until then it is known by the process alone."""
    person = await make_person()
    path, headers, ended = (
        ("/v1/documents", person.headers, 401)
        if way == "api"
        else ("/documents", _cookie(person.token), 303)
    )
    assert (await strict.send("GET", path, STRUCTURE, headers=headers)).status_code == 200
    async with strict.services.database.transaction() as tx:
        await revoke_sessions_of(tx, "person", person.id)
    assert (await strict.send("GET", path, STRUCTURE, headers=headers)).status_code == ended
    while await strict.refused() == 401:
        pass
    assert (await strict.send("GET", path, STRUCTURE, headers=headers)).status_code == 429


async def test_a_64_shares_and_others_do_not(strict: Strict) -> None:
    """Every address of a home's /64 spends the same bucket; an IPv4 address is the same however
    it is written."""
    for turn in range(AT_ONCE):
        assert await strict.refused(f"2001:db8:1:2:{turn:x}::{turn:x}") == 401
    assert await strict.refused("2001:db8:1:2::ffff") == 429
    assert await strict.refused("2001:db8:1:3::1") == 401
    await strict.burn("192.0.2.55")
    assert await strict.refused("::ffff:192.0.2.55") == 429
    assert await strict.refused("192.0.2.56") == 401
    assert await strict.refused("2001:db8:1:2::7%eth0") == 429  # with its zone


async def test_public_reads_go_on(strict: Strict) -> None:
    await strict.burn()
    for path in (
        "/log/vkey",
        "/v1/document-types",
        "/healthz",
        "/?done=bye",
        "/pro",
        "/jwks.json",
    ):
        for headers in ({}, _bearer("uf_" + secrets.token_urlsafe(32))):
            answer = await strict.send("GET", path, STRUCTURE, headers=headers)
            assert answer.status_code in {200, 503}, path


async def test_a_get_without_credentials_writes_nothing(strict: Strict) -> None:
    """It does not count, at any address: none of them may leave a line."""
    before = await lines(strict.services)
    paths = {path for route in strict.app.routes for path in _paths(route)}
    assert len(paths) > 40
    for path in paths:
        answer = await strict.send("GET", path, STRUCTURE)
        assert answer.status_code != 429, path
    assert await lines(strict.services) == before


async def test_one_line_counts_what_was_answered_so(strict: Strict) -> None:
    """How many requests, from how many networks; no address. One a minute at most."""
    limit: FailureLimit = strict.app.state.failures
    for address in ("192.0.2.71", "192.0.2.72"):
        await strict.burn(address)
        for _ in range(9):
            await strict.refused(address)
    before = await lines(strict.services)
    await record(strict.services, limit.refused)
    await record(strict.services, limit.refused)
    assert await lines(strict.services) - before == 1
    entry = await _last(strict.services)
    assert entry["action"] == "network.pace"
    assert entry["outcome"] == "refused"
    assert entry["actor"] == {"kind": "service"}
    assert entry["details"] == {"requests": 20, "networks": 2, "accounts": 0}
    assert "192.0.2" not in str(entry)
    # And what is left when the process stops.
    async with record_refused_requests(strict.services, limit.refused):
        await strict.refused("192.0.2.71")
        assert await lines(strict.services) - before == 1
    assert await lines(strict.services) - before == 2
    assert (await _last(strict.services))["details"]["requests"] == 1


async def test_what_cannot_be_recorded_is_counted_later(
    strict: Strict, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit: FailureLimit = strict.app.state.failures
    await strict.burn()

    async def unwritable(*_: object) -> None:
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr(type(strict.services.audit_log), "record", unwritable)
        await record(strict.services, limit.refused)
    await strict.refused()
    await record(strict.services, limit.refused)
    assert (await _last(strict.services))["details"]["requests"] == 2


async def _last(services: Services) -> dict[str, Any]:
    async with services.database.transaction() as tx:
        (entry,) = await services.audit_log.open_entries(tx, await last_events(tx, 1))
    assert entry.values is not None
    return entry.values


def _paths(route: BaseRoute) -> Iterator[str]:
    """The paths of a route and of those that it includes, with unknown ids."""
    included = getattr(route, "original_router", None)
    if included is not None:
        for inner in included.routes:
            yield from _paths(inner)
    elif "GET" in (getattr(route, "methods", None) or ()):
        path = str(getattr(route, "path", ""))
        while "{" in path:
            start, _, rest = path.partition("{")
            path = start + str(UUID(int=secrets.randbits(128))) + rest.partition("}")[2]
        yield path


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _cookie(token: str, kind: str = "person") -> dict[str, str]:
    return {"Cookie": f"unefois-{kind}={token}"}
