"""« Tutelle » on the pages, without script: named, read at the desk, entered, left, and over."""

import re
from datetime import timedelta

import httpx
import pytest

from auth import pin_hashes
from base import clock
from base.database import Database
from tests.auth.means_steps import pin_of, wrong
from tests.fixtures import MakePerson, MakeWorker, MoveClock, Served, SomePerson, SomeWorker
from tests.recoveries import agent
from tests.representations import ANCHOR, NAME, bound, mine, theirs
from tests.steps import deposit
from tests.trusted import with_pin
from tests.vault.decoding import corpus
from tests.web.pages.test_joins import post
from tests.web.pages.test_own_means import said
from tests.web.pages.test_pages import browser_of
from web.pages import forms

MINE, NEW = "/me/representative", "/me/representative/new"
WORDS = {"label": "Ma <b>tutrice</b>", "own_name": "Amina"}


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a PIN costs to guess is not tested here."""
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


@pytest.fixture
async def reader(served: Served, as_owner: Database, make_worker: MakeWorker) -> SomeWorker:
    return await agent(served.services, as_owner, make_worker, "Camille Moreau")


@pytest.fixture
async def amina(client: httpx.AsyncClient, make_person: MakePerson) -> SomePerson:
    made = await make_person()
    await with_pin(client, made)
    return made


@pytest.fixture
async def jeanne(client: httpx.AsyncClient, make_person: MakePerson) -> SomePerson:
    """Who represents her."""
    made = await make_person()
    await with_pin(client, made)
    return made


def digits(page: httpx.Response) -> str:
    found = re.search(r'class="digits" dir="ltr"><strong>(\d{4}) (\d{4})</strong>', page.text)
    assert found, page.text
    return found[1] + found[2]


def told(**changes: str) -> dict[str, str]:
    """What a worker types of a judgement."""
    today = clock.now().date()
    return {
        "representative": NAME,
        "court": "Tribunal judiciaire de Lille",
        "decided_on": (today - timedelta(days=20)).isoformat(),
        "ends_on": f"{today + timedelta(days=200):%d/%m/%Y}",
        **changes,
    }


def browser_with(served: Served, who: SomePerson) -> httpx.AsyncClient:
    """One whose cookie another takes the place of."""
    at = browser_of(served, who)
    at.cookies.clear()
    at.cookies.set("unefois-person", who.token, domain="127.0.0.1")
    return at


async def test_named_on_one_side_and_typed_on_the_other(
    served: Served, client: httpx.AsyncClient, amina: SomePerson, jeanne: SomePerson
) -> None:
    pins = [await pin_of(served.services, one) for one in (amina, jeanne)]
    async with browser_of(served, amina) as here, browser_of(served, jeanne) as there:
        assert f'href="{MINE}"' in (await here.get("/me/protection")).text
        assert "Son nom est écrit à chaque fois" in said(await here.get(MINE))
        refused = await post(served, amina, here, NEW, proof=wrong(pins[0]), **WORDS)
        assert refused.status_code == 403
        named = await post(served, amina, here, NEW, proof=pins[0], **WORDS)
        shown = await here.get(named.headers["location"])
        assert "<b>tutrice</b>" not in shown.text, "it is text"
        code = digits(shown)
        bad = await post(served, jeanne, there, "/represented/code", code="0000 0000")
        assert "Ce code ne marche pas" in said(bad)
        typed = await post(served, jeanne, there, "/represented/code", code=code)
        address = typed.headers["location"]
        asked = await there.get(address)
        assert "Allez au guichet avec le jugement" in said(asked)
        done = await post(served, jeanne, there, f"{address}/desk", proof=pins[1])
        assert len(digits(await there.get(done.headers["location"]))) == 8
        id_ = address.rpartition("/")[2]
        assert "Elle n’entre pas encore" in said(await here.get(f"{MINE}/{id_}"))
        gone = await post(served, amina, here, f"{MINE}/{id_}/remove", proof=pins[0])
        assert gone.headers["location"] == f"{MINE}?done=representation_ended"
        assert "Terminé le" in said(await there.get(address))
    assert [one["state"] for one in await mine(client, amina)] == ["ended"]


async def test_a_worker_reads_the_judgement_and_what_is_wrong_is_said_beside_its_field(
    served: Served, client: httpx.AsyncClient, jeanne: SomePerson, reader: SomeWorker
) -> None:
    pin, at = await pin_of(served.services, jeanne), "/pro/desk/judgement"
    async with browser_of(served, jeanne) as there, browser_of(served, reader) as front:
        begun = await post(served, jeanne, there, "/represented/new", proof=pin, own_name="Mme D.")
        code = digits(await there.get(begun.headers["location"]))
        assert f'href="{at}"' in (await front.get("/pro/desk")).text
        assert "Ne photographiez rien" in said(await front.get(at))
        token = await forms.token_for(served.services, reader.token)
        for changes, field in (
            ({"code": "00000000"}, "code"),
            ({"court": " "}, "court"),
            ({"ends_on": "hier"}, "ends_on"),
            ({"ends_on": "01/01/2020"}, "ends_on"),
            ({"representative": "Camille Moreau"}, "representative"),
            ({}, "new"),
            ({"new": "yes", **ANCHOR, "document_end": "4"}, "document_end"),
        ):
            data = {"form": token, "code": code, **told(), **changes}
            refused = await front.post(at, data=data)
            page = refused if refused.status_code != 303 else await front.get(at)
            assert f'id="{field}-wrong"' in page.text or field == "new", (field, page.text)
            assert page.status_code >= 400, field
            assert code not in page.text
        paper = ANCHOR | {"birth_date": "00/00/1948"}
        data = {"form": token, "code": code, "new": "yes", **told(), **paper}
        done = await front.post(at, data=data)
        assert done.headers["location"] == "/pro/desk?done=judgement_read"
        shown = said(await there.get(begun.headers["location"]))
        assert "Lu au guichet par Camille Moreau" in shown
    assert [one["state"] for one in await theirs(client, jeanne)] == ["live"]


async def test_into_their_papers_and_back_to_ones_own(
    served: Served,
    client: httpx.AsyncClient,
    amina: SomePerson,
    jeanne: SomePerson,
    reader: SomeWorker,
    moved_clock: MoveClock,
) -> None:
    id_ = await bound(served.services, amina, jeanne, reader)
    await deposit(client, amina, corpus.pdf(1), title="Sa paie")
    await deposit(client, jeanne, corpus.pdf(2), title="La mienne")
    pin, path = await pin_of(served.services, jeanne), f"/represented/{id_}"
    async with browser_with(served, jeanne) as at:
        entered = await post(served, jeanne, at, f"{path}/enter", proof=pin)
        assert entered.headers["location"] == "/documents"
        inside = at.cookies["unefois-person"]
        assert inside.startswith("uft_")
        whole = await at.get("/documents")
        assert re.search("Ce sont les papiers de.*Amina", whole.text), "above each page"
        papers = said(whole)
        assert "Sa paie" in papers
        assert "La mienne" not in papers
        assert "/erasure" not in (await at.get("/me")).text
        token = await forms.token_for(served.services, inside)
        refused = await at.post("/erasure/code", data={"form": token})
        assert "Seule la personne peut le faire" in said(refused)
        back = await at.post("/represented/leave", data={"form": token})
        assert back.headers["location"] == MINE
        assert at.cookies["unefois-person"] == jeanne.token
        assert "La mienne" in said(await at.get("/documents"))
        again = await post(served, jeanne, at, f"{path}/enter", proof=pin)
        assert again.status_code == 303
        moved_clock(timedelta(hours=1, minutes=1))
        over = await at.get("/documents")
        assert over.headers["location"] == "/documents?done=represented_over"
        assert "Ici, ce sont les vôtres" in said(await at.get(over.headers["location"]))


@pytest.mark.parametrize("way", ["/sign-out", "/quick-exit"])
async def test_who_goes_out_leaves_nothing_open(
    way: str,
    served: Served,
    client: httpx.AsyncClient,
    amina: SomePerson,
    jeanne: SomePerson,
    reader: SomeWorker,
) -> None:
    id_ = await bound(served.services, amina, jeanne, reader)
    pin = await pin_of(served.services, jeanne)
    async with browser_with(served, jeanne) as at:
        await post(served, jeanne, at, f"/represented/{id_}/enter", proof=pin)
        inside = at.cookies["unefois-person"]
        token = await forms.token_for(served.services, inside)
        await at.post(way, data={"form": token})
        assert not at.cookies.get("unefois-person")
        assert not at.cookies.get("unefois-own")
    for ended in (inside, jeanne.token):
        headers = {"Authorization": f"Bearer {ended}"}
        assert (await client.get("/v1/me", headers=headers)).status_code == 401
