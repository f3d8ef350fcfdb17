"""« Si je perds tout », and the same step at the desk: what is asked, what stands on no page."""

import re
from html import unescape

import httpx
import pytest

from auth import administration, pin_hashes
from tests.auth.means_steps import bearer, choose_pin, enter, pin_of
from tests.auth.means_steps import wrong as wrong_pin
from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson, SomeWorker, last_code
from tests.web.api.test_printed_cards import code_on
from tests.web.pages.answers import Pairs, send, yes_of
from tests.web.pages.test_desk_vaults import AT, PIN, title_of, walk
from tests.web.pages.test_own_means import said
from tests.web.pages.test_pages import browser_of
from web.pages import forms

ANCHOR = "/me/anchor"
TYPED = {
    "family_name": "N’Diaye",
    "given_name": "Fatou",
    "birth_date": "00/04/1988",
    "document_end": "4f7k",
}


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a PIN costs to guess is not tested here."""
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


@pytest.fixture
async def person(make_person: MakePerson) -> SomePerson:
    return await make_person()


@pytest.fixture
async def worker(served: Served, make_worker: MakeWorker) -> SomeWorker:
    """Of a structure that opens vaults."""
    made = await make_worker(name="Camille Moreau")
    await administration.let_open_vaults(served.services, made.organisation_id, allowed=True)
    return made


async def since(client: httpx.AsyncClient, headers: dict[str, str]) -> str | None:
    at: str | None = (await client.get("/v1/me/anchor", headers=headers)).json()["enrolled_at"]
    return at


def value_of(page: httpx.Response, field: str) -> str:
    found = re.search(rf'id="{field}" name="{field}" value="([^"]*)"', page.text)
    assert found, page.text
    return unescape(found[1])


async def test_it_is_enrolled_shown_and_removed(
    served: Served, client: httpx.AsyncClient, person: SomePerson
) -> None:
    pin = await pin_of(served.services, person)
    await choose_pin(client, person, pin)
    token = await forms.token_for(served.services, person.token)
    async with browser_of(served, person) as at:
        assert f'href="{ANCHOR}"' in (await at.get("/me")).text
        asked = await at.get(ANCHOR)
        assert "ni nom, ni date, ni numéro" in said(asked)
        assert "/me/anchor/remove" not in asked.text
        assert (await at.get("/me/anchor/remove")).headers["location"] == ANCHOR
        done = await at.post(ANCHOR, data={"form": token, "proof": pin, **TYPED})
        assert done.headers["location"] == "/me?done=anchor_enrolled"
        assert "Nous gardons une empreinte" in said(await at.get("/me?done=anchor_enrolled"))
        assert await since(client, person.headers) is not None
        again = await at.get(ANCHOR)
        assert "C’est enregistré depuis le" in said(again)
        for secret in ("iaye", "Fatou", "1988", "4f7k", "4F7K"):
            assert secret not in again.text, "it is not shown, since it is not there"
        removal = await at.get("/me/anchor/remove")
        assert "Ne plus rien garder de ma pièce d’identité ?" in said(removal)
        wrong = {"form": token, "proof": wrong_pin(pin)}
        refused = await at.post("/me/anchor/remove", data=wrong)
        assert refused.status_code == 403
        assert "Ce n’est pas le bon code" in said(refused)
        assert await since(client, person.headers) is not None
        gone = await at.post("/me/anchor/remove", data={"form": token, "proof": pin})
        assert gone.headers["location"] == "/me?done=anchor_removed"
        assert await since(client, person.headers) is None
        twice = await at.post("/me/anchor/remove", data={"form": token, "proof": pin})
        assert twice.headers["location"] == ANCHOR


async def test_without_a_pin_a_code_is_sent_first(
    served: Served, client: httpx.AsyncClient, person: SomePerson
) -> None:
    token = await forms.token_for(served.services, person.token)
    async with browser_of(served, person) as at:
        asked = await at.get(ANCHOR)
        assert 'name="family_name"' not in asked.text
        sent = await at.post("/me/proof/code", data={"form": token, "back": ANCHOR})
        address = sent.headers["location"]
        assert address.startswith(f"{ANCHOR}?sent=")
        fields = {"sent": address.partition("=")[2], "form": token, **TYPED}
        assert 'name="family_name"' in (await at.get(address)).text
        code = await last_code(served.services, person.phone)
        done = await at.post(ANCHOR, data=fields | {"proof": code})
        assert done.headers["location"] == "/me?done=anchor_enrolled"
        end = "/me/anchor/remove"
        sent = await at.post("/me/proof/code", data={"form": token, "back": end})
        code_id = sent.headers["location"].partition("=")[2]
        code = await last_code(served.services, person.phone)
        wrong = {"form": token, "sent": code_id, "proof": "000000" if code != "000000" else "1" * 6}
        refused = await at.post(end, data=wrong)
        assert "Ce n’est pas le bon code" in said(refused)
        fields = dict(yes_of(refused.text, end))
        assert fields["sent"] == code_id, "the field stays: the good code can be typed"
        gone = await at.post(end, data=fields | {"proof": code})
        assert gone.headers["location"] == "/me?done=anchor_removed"


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"family_name": ""}, "family_name", "Il manque le nom de famille"),
        ({"given_name": "x" * 101}, "given_name", "un nom a plus de 100 lettres"),
        ({"birth_date": "31/02/1988"}, "birth_date", "Cette date de naissance n’existe pas"),
        ({"birth_date": "hier"}, "birth_date", "Cette date de naissance n’existe pas"),
        ({"birth_date": "01/01/2020"}, "birth_date", "Avant 15 ans, ce n’est pas possible"),
        ({"document_end": "12AB34567"}, "document_end", "Il faut exactement 4 signes"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field_and_the_rest_stays(
    served: Served,
    client: httpx.AsyncClient,
    person: SomePerson,
    change: dict[str, str],
    field: str,
    words: str,
) -> None:
    pin = await pin_of(served.services, person)
    await choose_pin(client, person, pin)
    token = await forms.token_for(served.services, person.token)
    async with browser_of(served, person) as at:
        refused = await at.post(ANCHOR, data={"form": token, "proof": pin, **TYPED, **change})
        assert refused.status_code == 422
        assert words in said(refused)
        assert re.search(rf'id="{field}"[^>]*aria-invalid="true"', refused.text)
        kept = {name: value for name, value in TYPED.items() if name != field}
        assert {name: value_of(refused, name) for name in kept} == kept
        assert f'value="{pin}"' not in refused.text
    assert await since(client, person.headers) is None


# At the desk


async def opened_with(at_work: httpx.AsyncClient, page: httpx.Response, typed: Pairs) -> str:
    """From the step of the identity paper to the printed card; its code."""
    turn = await send(at_work, f"{AT}/turn", [*yes_of(page.text, f"{AT}/turn"), *typed])
    assert title_of(turn) == "C’est à la personne : donnez-lui l’appareil"
    pin = await send(at_work, f"{AT}/pin", yes_of(turn.text, f"{AT}/pin"))
    assert title_of(pin) == "Choisissez votre code secret"
    for secret in ("iaye", "Fatou", "1988", "4f7k", "4F7K"):
        assert secret not in turn.text + pin.text, "only its tag goes on, sealed"
    chosen = [*yes_of(pin.text, f"{AT}/open"), ("pin", PIN), ("again", PIN)]
    page = await send(at_work, f"{AT}/open", chosen)
    for step in ("print", "sheet.pdf"):
        page = await send(at_work, f"{AT}/{step}", yes_of(page.text, f"{AT}/{step}"))
    return code_on(page.content)


async def test_at_the_desk_the_person_may_type_it(
    served: Served, client: httpx.AsyncClient, worker: SomeWorker
) -> None:
    async with browser_of(served, worker) as at_work:
        asked = (await walk(at_work, "anchor"))[-1]
        # Before the worker looks away: they may help, and the person reads that they see it.
        helped = re.sub("[\u2068\u2069]", "", said(asked))
        assert "Camille Moreau peut vous aider, et voit ce qui est écrit ici" in helped
        assert "quick-exit" not in asked.text
        for name in TYPED:
            assert re.search(rf'id="{name}"[^>]*autocomplete="off"', asked.text), name
        code = await opened_with(at_work, asked, [*TYPED.items()])
    assert await since(client, bearer(await enter(client, code, PIN))) is not None


@pytest.mark.parametrize("typed", [[], [("without", "yes"), *TYPED.items()]], ids=["", "without"])
async def test_or_not(
    served: Served, client: httpx.AsyncClient, worker: SomeWorker, typed: Pairs
) -> None:
    async with browser_of(served, worker) as at_work:
        asked = (await walk(at_work, "anchor"))[-1]
        code = await opened_with(at_work, asked, typed)
    assert await since(client, bearer(await enter(client, code, PIN))) is None


async def test_at_the_desk_a_wrong_field_is_said_and_corrected(
    served: Served, client: httpx.AsyncClient, worker: SomeWorker
) -> None:
    async with browser_of(served, worker) as at_work:
        asked = (await walk(at_work, "anchor"))[-1]
        wrong = {**TYPED, "document_end": "4F7"}
        fields = [*yes_of(asked.text, f"{AT}/turn"), *wrong.items()]
        # No page answers what was typed: the worker's browser would keep it with that page.
        at_work.follow_redirects = False
        answer = await httpx.AsyncClient.request(at_work, "POST", f"{AT}/turn", data=dict(fields))
        assert answer.headers["location"].partition("?")[0] == f"{AT}/anchor"
        assert answer.content == b""
        refused = await send(at_work, f"{AT}/turn", fields)
        assert refused.status_code == 422
        assert "Il faut exactement 4 signes" in said(refused)
        assert value_of(refused, "family_name") == TYPED["family_name"]
        code = await opened_with(at_work, refused, [*TYPED.items()])
    assert await since(client, bearer(await enter(client, code, PIN))) is not None
