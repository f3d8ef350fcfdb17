"""A PIN, a card's code, a code of one time or who somebody is on their identity paper, in a
browser's history: with a page that answers a form it keeps what the form holds, for whoever goes
back there and loads it again. So none does.
"""

import re
from collections.abc import Iterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from auth import administration, pin_hashes
from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson, SomeWorker
from vault.services import Services
from web.app import bare_app
from web.http.failure_limit import FailureLimit, Ticket
from web.pages import forms, sealed_values
from web.pages.rendering import FOLDER

# Where a form with such a field stands, and where it goes.
FORMS = {
    "card/code.html": {"/card"},
    "card/pin.html": {"{{ action }}"},
    "code.html": {"{{ action }}"},
    "desk/anchor.html": {"/pro/desk/vault/turn"},
    "desk/free.html": {"/pro/desk/free"},
    "desk/pin.html": {"{{ task }}/open"},
    "desk/stop_code.html": {"/pro/desk/stop"},
    "erasure.html": {"/erasure"},
    "export.html": {"/me/export"},
    "imports/import.html": {"/me/import/{{ found.id }}/yes"},
    "invitations/person.html": {"{{ path }}"},
    "joins/code.html": {"/me/joins/code"},
    "joins/join.html": {"{{ path }}"},
    "joins/start.html": {"/me/joins"},
    "means/anchor.html": {"/me/anchor"},
    "means/anchor_end.html": {"/me/anchor/remove"},
    "means/change.html": {"/me/means/{{ one.id }}/{{ act }}"},
    "means/new_card.html": {"/me/cards"},
    "means/phone_code.html": {"{{ action }}"},
    "means/pin.html": {"/me/pin"},
    "meetings/code.html": {"{{ mine }}/meetings/code"},
    "recovery/code.html": {"/pro/desk/recovery/second"},
    "recovery/left.html": {"/pro/desk/recovery/left"},
    "recovery/phone.html": {"/pro/desk/recovery/phone"},
    "recovery/who.html": {"/pro/desk/recovery/who"},
    "own_recovery/asked.html": {"{{ address }}/confirm", "{{ address }}/stop"},
    "own_recovery/recovery.html": {"/recovery"},
    "recovery/cancel.html": {"/pro/desk/recovery/cancel"},
    "stop_recovery.html": {"/stop-recovery"},
    "pro/beside.html": {"/pro/beside"},
    "protection/protection.html": {"/me/protection"},
    "protection/remove.html": {"/me/protection/remove"},
    "desk/judgement.html": {"/pro/desk/judgement"},
    "representation/code.html": {"/represented/code"},
    "representation/new.html": {"/me/representative/new"},
    "representation/offer.html": {"/represented/new"},
    "representation/remove.html": {"/me/representative/{{ found.id }}/remove"},
    "representation/theirs.html": {"/represented/{{ found.id }}/{{ what }}"},
    "trusted/code.html": {"/trusted/code"},
    "trusted/for_me.html": {"/trusted/{{ found.id }}/vouch"},
    "trusted/new.html": {"/me/trusted/new"},
    "trusted/remove.html": {"/me/trusted/{{ found.id }}/remove"},
}
# The routes that take what they hold.
TAKE = {
    "/card",
    "/card/{step_id}",
    "/erasure",
    "/invitations/{invitation_id}",
    "/me/anchor",
    "/me/anchor/remove",
    "/me/cards",
    "/me/export",
    "/me/joins",
    "/me/joins/code",
    "/me/joins/{join_id}",
    "/me/means/{means_id}/free",
    "/me/means/{means_id}/remove",
    "/me/phone/{sign_in_id}",
    "/me/pin",
    "/me/protection",
    "/me/protection/remove",
    "/me/representative/new",
    "/me/representative/{representation_id}/remove",
    "/represented/new",
    "/pro/desk/judgement",
    "/me/trusted/new",
    "/me/trusted/{naming_id}/remove",
    "/meetings/code",
    "/pro/beside",
    "/pro/desk/free",
    "/pro/desk/recovery/cancel",
    "/pro/desk/recovery/left",
    "/pro/desk/recovery/open",
    "/pro/desk/recovery/phone",
    "/pro/desk/recovery/second",
    "/pro/desk/recovery/who",
    "/pro/desk/stop",
    "/pro/desk/vault/open",
    "/pro/desk/vault/turn",
    "/pro/meetings/code",
    "/pro/sign-in/{sign_in_id}",
    "/recoveries/{recovery_id}/confirm",
    "/recoveries/{recovery_id}/stop",
    "/recovery",
    "/stop-recovery",
    "/sign-in/{sign_in_id}",
    "/trusted/code",
    "/trusted/{naming_id}/vouch",
}
# Of a thing that is not there, another page says so by its address.
OF_NOTHING = {
    "/recoveries/{recovery_id}/confirm": "/documents?done=recovery_gone",
    "/recoveries/{recovery_id}/stop": "/documents?done=recovery_gone",
    "/stop-recovery": "/stop-recovery?done=recovery_stop_noted",
    "/card/{step_id}": "/card?done=card_late",
    "/me/joins/{join_id}": "/me/joins?done=join_gone",
    "/me/means/{means_id}/free": "/me/means?done=means_gone",
    "/me/means/{means_id}/remove": "/me/means?done=means_gone",
    "/me/representative/{representation_id}/remove": "/me/representative?done=representation_gone",
    "/represented/{representation_id}/desk": "/me/representative?done=representation_gone",
    "/represented/{representation_id}/enter": "/me/representative?done=representation_gone",
    "/me/trusted/{naming_id}/remove": "/me/trusted?done=trust_gone",
    "/trusted/{naming_id}/vouch": "/me/trusted?done=trust_gone",
}
# There is nothing to end: the page that would say it leads on.
LEADS_ON = {"/me/anchor/remove": "/me/anchor", "/me/protection/remove": "/me/protection"}
_FORM = re.compile(r'<form [^>]*?action="([^"]*)"[^>]*>(.*?)</form>', re.DOTALL)
_FIELD = re.compile(
    r"fields\.(?:code|pin|chosen_pin|card_code)\(|two_pins\(|proving\.asked\(|shown_card\.field\(|anchor\.all\("
    r'|(?:name=|fields\.text\()"(?:again|card|code|pin|proof)"'
)
SECRET, TYPED = "482693", "ZQ-5571"
# What is shown again, once, to be corrected: a card's code, who somebody is on their paper.
SHOWN_AGAIN = {"card", "family_name", "given_name", "birth_date", "document_end"}
HIDDEN = {one: TYPED if one in SHOWN_AGAIN else SECRET for one in sorted(forms.SECRETS)}


@pytest.fixture(autouse=True)
def quick_pins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


def test_the_forms_with_such_a_field_are_known() -> None:
    found: dict[str, set[str]] = {}
    for file in sorted(FOLDER.rglob("*.html")):
        for action, inside in _FORM.findall(file.read_text()):
            if _FIELD.search(inside):
                found.setdefault(str(file.relative_to(FOLDER)), set()).add(action)
    assert found == FORMS


def posts(found: list[BaseRoute]) -> Iterator[str]:
    for one in found:
        inner: Any = getattr(one, "original_router", None)
        if inner is not None:
            yield from posts(inner.routes)
        elif isinstance(one, APIRoute) and "POST" in (one.methods or ()):
            yield one.path


PAGES = sorted(one for one in posts(bare_app().routes) if not one.startswith(("/v1", "/oauth")))


async def send(
    served: Served, address: str, who: SomePerson | SomeWorker, more: dict[str, str]
) -> tuple[httpx.AsyncClient, httpx.Response]:
    kind = "worker" if isinstance(who, SomeWorker) else "person"
    at = httpx.AsyncClient(base_url=served.base_url, trust_env=False)
    at.cookies.set(f"unefois-{kind}", who.token, domain="127.0.0.1")
    at.cookies.set("unefois-visit", "v" * 32, domain="127.0.0.1")
    own = address.startswith("/pro/") or address == "/pro"
    visits = address.startswith(("/sign-in", "/card", "/pro/sign-in", "/stop-recovery"))
    secret = "v" * 32 if visits else who.token
    assert own is isinstance(who, SomeWorker)
    token = await forms.token_for(served.services, secret)
    headers = {"Accept": "text/html"}
    data = {forms.TOKEN: token, **HIDDEN, **more}
    return at, await at.post(address, data=data, headers=headers)


@pytest.mark.parametrize("ours", [True, False])
async def test_no_page_answers_one_whatever_is_wrong(
    served: Served,
    services: Services,
    make_person: MakePerson,
    make_worker: MakeWorker,
    ours: bool,
) -> None:
    """Every form of every page, with such fields and nothing else that it asks; ours, or not."""
    worker = await make_worker()
    await administration.let_open_vaults(services, worker.organisation_id, allowed=True)
    person = await make_person()
    assert {*PAGES} > TAKE
    for path in PAGES:
        address = re.sub(r"\{[^}]+\}", str(uuid4()), path)
        who = worker if path.startswith("/pro/") else person
        if "out" in path or path.endswith(("/end", "/end-others", "/quick-exit")):
            continue  # ends what is tested with, and leads to the first page
        at, answer = await send(served, address, who, {} if ours else {forms.TOKEN: "x"})
        async with aclosing(at):
            is_page = answer.headers.get("content-type", "").startswith("text/html")
            # A step that takes none of them goes on, whatever else was sent to it.
            assert not is_page or answer.status_code == 200, path
            assert answer.status_code == 303 or path not in TAKE, path
            if answer.status_code != 303:
                continue
            for value in (SECRET, TYPED):
                assert value not in answer.headers["location"], path
                assert value not in str(answer.headers.get_list("set-cookie")), path
            told = at.cookies.get("unefois-told") is not None
            elsewhere = ours and answer.headers["location"] == OF_NOTHING.get(path)
            assert told is not elsewhere or path not in TAKE, (path, "says what went wrong")
            if not told:
                continue
            to, html = answer.headers["location"], {"Accept": "text/html"}
            page, again = [await at.get(to, headers=html) for _ in range(2)]
            if ours and path in LEADS_ON:
                assert page.headers["location"] == LEADS_ON[path]
                continue
            assert page.status_code >= 400, (path, page.status_code)
            assert page.headers["content-type"].startswith("text/html"), path
            assert "<title>Erreur" in page.text, path
            assert SECRET not in page.text, path
            assert page.headers["cache-control"] == "no-store"
            assert "<title>Erreur" not in again.text or path not in TAKE, (path, "said once")
            assert [one for one in (SECRET, TYPED) if one in again.text] == [], path


async def test_what_another_session_was_told_is_said_to_nobody(
    served: Served, make_person: MakePerson
) -> None:
    one, other = await make_person(), await make_person()
    at, _ = await send(served, "/me/pin", one, {})
    async with aclosing(at):
        told = at.cookies.get("unefois-told")
        assert told
        at.cookies.set("unefois-person", other.token, domain="127.0.0.1")
        assert "<title>Erreur" not in (await at.get("/me/pin")).text


@pytest.mark.parametrize(("seconds", "said"), [(280, True), (301, False)])
async def test_what_was_told_is_over_after_minutes_whatever_the_browser_keeps(
    served: Served,
    make_person: MakePerson,
    monkeypatch: pytest.MonkeyPatch,
    seconds: int,
    said: bool,
) -> None:
    person = await make_person()
    at, _ = await send(served, "/me/pin", person, {})
    async with aclosing(at):
        assert at.cookies.get("unefois-told")
        later = datetime.now(UTC) + timedelta(seconds=seconds)
        monkeypatch.setattr(sealed_values, "clock", SimpleNamespace(now=lambda: later))
        assert ("<title>Erreur" in (await at.get("/me/pin")).text) is said


@pytest.mark.parametrize("value", ["x", "é", "A" * 5000, "A" * 200, "no_such_code"])
async def test_a_cookie_that_is_not_ours_says_nothing(
    served: Served, make_person: MakePerson, value: str
) -> None:
    person = await make_person()
    async with httpx.AsyncClient(base_url=served.base_url, trust_env=False) as at:
        cookie = f"unefois-person={person.token}; unefois-told={value}".encode()
        page = await at.get("/me/pin", headers=[(b"cookie", cookie)])
    assert page.status_code == 200
    assert "<title>Erreur" not in page.text


async def test_a_failure_is_counted_once_with_the_form(
    served: Served, make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page that says it costs its reader nothing; the form does."""
    person = await make_person()
    failures: FailureLimit = served.app.state.failures
    counted: list[int] = []
    settle = failures.settle

    def noted(ticket: Ticket | None, status: int, *, recorded: bool = False) -> None:
        counted.append(status)
        settle(ticket, status, recorded=recorded)

    monkeypatch.setattr(failures, "settle", noted)
    at, answer = await send(served, "/me/pin", person, {})
    async with aclosing(at):
        await at.get(answer.headers["location"])
    assert counted == [403, 200], "its proof is missing"
