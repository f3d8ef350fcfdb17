"""An older row put back whole, which no MAC refuses: `unefois audit reconcile` names it, and what
is read meanwhile is in the log, right.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import psycopg
import pytest

from auth import administration
from tests.attacks.written_database.copies import Copies
from tests.attacks.written_database.edits import Edit, Tables
from tests.attacks.written_database.history import tell
from tests.attacks.written_database.story import Story
from tests.attacks.written_database.verdicts import Judge, Verdict
from tests.auth.means_steps import (
    add_phone,
    choose_pin,
    enter,
    proved,
    remove,
    usable_pins,
    wrong,
)
from tests.fixtures import MakeClient, MakePerson, MakeWorker, new_phone
from tests.steps import revoke
from tests.vault.decoding import corpus
from tests.vault.reconciliation.conftest import Thief
from vault.services import Services

Deed = Callable[[Story], Awaitable[Any]]


async def _revoke(story: Story) -> None:
    await revoke(story.http, story.amina, story.grants["picked"])


async def _delete(story: Story) -> None:
    path = f"/v1/documents/{story.documents['pay']}"
    assert (await story.http.delete(path, headers=story.amina.headers)).is_success


async def _call_sensitive(story: Story) -> None:
    path = f"/v1/documents/{story.documents['pay']}"
    changed = await story.http.patch(path, headers=story.amina.headers, json={"sensitive": True})
    assert changed.is_success, changed.text


async def _renew(story: Story) -> None:
    path = f"/v1/documents/{story.documents['pay']}/versions"
    files = {"file": ("b.pdf", corpus.pdf(7))}
    assert (await story.http.post(path, headers=story.amina.headers, files=files)).is_success


async def _end_session(story: Story) -> None:
    path = "/v1/sessions/current"
    assert (await story.http.delete(path, headers=story.wanda.headers)).is_success


async def _bar_worker(story: Story) -> None:
    await administration.deactivate_worker(story.services, story.wanda.id)


async def _bar_client(story: Story) -> None:
    await administration.deactivate_client(story.services, story.system.client_id)


async def _refuse(story: Story) -> None:
    path = f"/v1/consent-requests/{story.requests['waiting']}/refuse"
    answer = await story.http.post(path, headers=story.amina.headers, json={"reason": "no"})
    assert answer.is_success, answer.text


async def _keep_vault(story: Story) -> None:
    path = "/v1/me/erasure/cancel"
    assert (await story.http.post(path, headers=story.bilal.headers)).is_success


async def _guess(story: Story) -> None:
    for _ in range(5):
        answer = await enter(story.http, story.card["code"], wrong(story.card["pin"]))
        assert answer.status_code == 401


async def _remove_anchor(story: Story) -> None:
    assert (await proved(story.http, story.bilal, "DELETE", "/v1/me/anchor")).is_success


async def _trust_no_more(story: Story) -> None:
    assert story.trusts is not None
    person, naming = story.trusts
    ended = await proved(story.http, person, "DELETE", f"/v1/me/trusted/{naming}")
    assert ended.is_success, ended.text


async def _represent_no_more(story: Story) -> None:
    assert story.representation is not None
    who, id_ = story.representation
    ended = await story.http.delete(f"/v1/representations/{id_}", headers=who.headers)
    assert ended.is_success, ended.text


async def _lose_card(story: Story) -> None:
    assert (await remove(story.http, story.bilal, story.card["id"])).is_success


async def _change_pin(story: Story) -> None:
    newer = (await usable_pins(story.services, story.bilal))[1]
    changed = await choose_pin(story.http, story.bilal, newer)
    assert changed.is_success, changed.text


async def _change_phone(story: Story) -> None:
    added = await add_phone(story.http, story.services, story.bilal, new_phone(), story.card["pin"])
    assert added.is_success, added.text


DEEDS: dict[str, tuple[Deed, tuple[str, ...], str]] = {
    "a grant before its revocation": (_revoke, ("grant",), "grant"),
    "a grant and its history": (_revoke, ("grant", "grant_history"), "grant"),
    "a document before it was called sensitive": (_call_sensitive, ("document",), "document"),
    "a document before its new version": (_renew, ("document",), "document"),
    "a session before its end": (_end_session, ("session",), "session"),
    "a worker before they were barred": (_bar_worker, ("worker", "session"), "worker"),
    "a client before it was barred": (_bar_client, ("client",), "client"),
    "a request before it was refused": (_refuse, ("consent_request",), "consent_request"),
    "a card before wrong PINs barred it": (_guess, ("card",), "card"),
    "an anchor before it was removed": (_remove_anchor, ("anchor",), "anchor"),
    "a trusted person before they were removed": (
        _trust_no_more,
        ("trusted_person",),
        "trusted_person",
    ),
    "a representation before it was ended": (
        _represent_no_more,
        ("representation", "session"),
        "representation",
    ),
    "a card that was lost": (_lose_card, ("card",), "card"),
    "a phone before it was replaced": (_change_phone, ("person",), "person"),
    "an erasure that was cancelled": (_keep_vault, ("pending_erasure",), "pending_erasure"),
    # After those that know the PIN of before.
    "a PIN before it was changed": (_change_pin, ("pin", "card", "person"), "pin"),
    # The last one: its file does not come back.
    "a document before its deletion": (_delete, ("document",), "document"),
}


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_an_older_row_put_back_is_named(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    make_client: MakeClient,
    thief: Thief,
    service: "psycopg.Connection[Any]",
) -> None:
    tables = Tables(thief.connection)
    every = [("unefois", one) for one in tables]
    story = await tell(services, client, make_person, make_worker, make_client)
    told = Copies(thief, "told", every)
    verdicts = {}
    for name, (deed, put_back, _) in DEEDS.items():
        for table in put_back:
            thief.run(f'CREATE TEMP TABLE "old_{table}" AS TABLE unefois."{table}"')
        await deed(story)
        judge = Judge(story, thief, service)
        await judge.begin(every)
        for table in put_back:
            thief.run(f'DELETE FROM unefois."{table}"')  # noqa: S608  (names of tables)
            thief.run(f'INSERT INTO unefois."{table}" TABLE "old_{table}"')
            thief.run(f'DROP TABLE "old_{table}"')
        edit = Edit(name, ", ".join(put_back), "*", Tables.nothing())
        verdicts[name] = await judge.judge_rows(Verdict(edit))
        told.restore()
        story.forget()
        one = verdicts[name]
        print(f"{name}: named {one.named}; opens {one.opened}; refused {one.refused}")
    for name, (_, _, table) in DEEDS.items():
        assert any(fault.endswith(f" {table}") for fault in verdicts[name].named), name
        assert not verdicts[name].untold, name
