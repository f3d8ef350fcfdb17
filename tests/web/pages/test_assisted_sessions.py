"""« Entrer avec la personne »: both in one browser, the worker's pages locked meanwhile."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from auth import pin_hashes
from base.errors import ErrorKind, ServiceError
from tests.assisted import Card, card_of, status_of
from tests.auth.means_steps import wrong
from tests.fixtures import (
    MakePerson,
    MakeWorker,
    MoveClock,
    Served,
    SomePerson,
    SomeWorker,
    last_code,
    new_phone,
)
from tests.steps import ask, deposit, log_of
from tests.vault.decoding import corpus
from tests.web.pages.answers import send, summary, yes_of
from tests.web.pages.test_entering import browser, cookie_of, hidden
from web.http.rate_limit import SignInRateLimit

PDF = corpus.pdf(1)


@pytest.fixture(autouse=True)
def quick_pins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


@pytest.fixture
async def person(make_person: MakePerson) -> SomePerson:
    return await make_person()


@pytest.fixture
async def worker(make_worker: MakeWorker) -> SomeWorker:
    return await make_worker()


@pytest.fixture
async def card(client: httpx.AsyncClient, served: Served, person: SomePerson) -> Card:
    return await card_of(client, served.services, person)


@pytest.fixture
async def at(served: Served, worker: SomeWorker) -> AsyncIterator[httpx.AsyncClient]:
    """The worker's browser."""
    async with browser(served, worker=worker.token, language="fr") as opened:
        yield opened


def token_in(page: str) -> dict[str, str]:
    """What the forms of a page carry."""
    return dict(re.findall(r'name="(form)" value="([^"]+)"', page))


async def enter(at: httpx.AsyncClient, card: Card) -> httpx.Response:
    page = (await at.get("/pro/beside")).text
    data = {**token_in(page), "card": card[0], "code": card[1]}
    return await at.post("/pro/beside", data=data)


async def test_the_person_enters_and_ends_it(
    client: httpx.AsyncClient,
    at: httpx.AsyncClient,
    person: SomePerson,
    worker: SomeWorker,
    card: Card,
) -> None:
    await deposit(client, person, PDF, type_="payslip")
    page = (await at.get("/pro/beside")).text
    assert 'type="password"' in page
    assert "emporter la liste" in page
    entered = await enter(at, card)
    assert (entered.status_code, entered.headers["location"]) == (303, "/documents")
    assert "Max-Age" not in cookie_of(entered, "person")
    assert not [one for one in entered.headers.get_list("set-cookie") if "-browser=" in one]
    assert entered.headers["clear-site-data"] == '"cache"', "no page of the worker's by Back"
    page = (await at.get("/documents")).text
    said = re.sub(r"<[^>]+>|[\u2068\u2069]", "", page)
    assert "Camille Moreau est à côté de vous." in said
    assert re.search(r"Tout se ferme à \d+[\u202f\u00a0 ]h", said)
    assert all(one in page for one in ('<b id="left">15</b>', 'data-device="shared"'))
    assert "sont ouverts aussi" not in page
    assert '<meta http-equiv="refresh"' in page, "without script it goes by itself"
    # What closes all of it stands after what one came for; the bar above leads there.
    assert page.count('action="/sign-out"') == 1
    assert page.index("</main>") < page.index('action="/sign-out" id="end"')
    assert page.index('href="#end"') < page.index("<main")
    # The worker's pages are locked, each of them, and say what to do.
    for address in ("/pro", "/pro/people", "/pro/account", "/pro/beside"):
        locked = await at.get(address)
        assert locked.status_code == 403, address
        assert "Votre espace est fermé pour l’instant" in locked.text
        assert 'action="/pro/beside/end"' in locked.text
    left = await at.post("/sign-out", data=token_in(page))
    assert left.headers["location"] == "/?done=bye_beside"
    over = (await at.get(left.headers["location"])).text
    assert "Revenir à mon espace (Camille Moreau)" in re.sub("[\u2068\u2069]", "", over)
    assert 'name="phone"' not in over
    assert left.headers["clear-site-data"] == '"cache"'
    assert not at.cookies.get("unefois-person")
    goodbye = (await at.get(left.headers["location"])).text
    assert "Rien ne reste sur cet appareil, sauf la feuille de la carte" in goodbye
    assert "effacez-les des téléchargements" in goodbye
    assert (await at.get("/pro/people")).status_code == 200
    assert await status_of(client, worker) == 200


async def test_the_worker_ends_it_from_their_own_page(
    client: httpx.AsyncClient, at: httpx.AsyncClient, person: SomePerson, card: Card
) -> None:
    await enter(at, card)
    locked = (await at.get("/pro/people")).text
    refused = await at.post("/pro/beside/end", data={"form": "x"})
    assert refused.status_code == 403
    assert (await at.get("/documents")).status_code == 200, "another site's page ends nothing"
    ended = await at.post("/pro/beside/end", data=token_in(locked))
    assert ended.headers["location"] == "/pro/people?done=beside_ended"
    assert not at.cookies.get("unefois-person")
    assert (await at.get("/pro/people")).status_code == 200
    assert (await at.get("/documents")).headers["location"].startswith("/?done=")
    assert (await log_of(client, person))[0]["action"] == "sign_in.end"


async def test_after_a_quarter_of_an_hour_the_worker_is_back(
    at: httpx.AsyncClient, card: Card, moved_clock: MoveClock
) -> None:
    moved_clock(timedelta())
    await enter(at, card)
    moved_clock(timedelta(minutes=12, seconds=1))
    assert (await at.get("/documents")).status_code == 200, "use does not make it longer"
    moved_clock(timedelta(minutes=15, seconds=2))
    over = await at.get("/documents")
    assert over.headers["location"] == "/?done=signed_out"
    assert over.headers["clear-site-data"] == '"cache"'
    assert not at.cookies.get("unefois-person")
    assert (await at.get("/pro/people")).status_code == 200


async def test_what_was_typed_wrong_is_said(at: httpx.AsyncClient, card: Card) -> None:
    for shown, pin, said in (
        (card[0], wrong(card[1]), "Ce code secret n’ouvre rien"),
        (card[0][:-1], card[1], "faute de frappe"),
    ):
        page = await enter(at, (shown, pin))
        assert page.status_code in {401, 422}
        assert said in page.text
        assert f'value="{shown}"' in page.text, "the code need not be typed again"
        assert pin not in page.text
    assert (await at.get("/pro/people")).status_code == 200


async def test_who_was_in_their_vault_there_before_is_so_no_more(
    client: httpx.AsyncClient,
    at: httpx.AsyncClient,
    make_person: MakePerson,
    card: Card,
) -> None:
    other = await make_person()
    at.cookies.set("unefois-person", other.token, domain="127.0.0.1")
    assert (await enter(at, card)).status_code == 303
    assert await status_of(client, other) == 401


async def test_what_is_forbidden_is_told_on_pages_and_changes_nothing(
    client: httpx.AsyncClient,
    at: httpx.AsyncClient,
    person: SomePerson,
    card: Card,
) -> None:
    await enter(at, card)
    token = token_in((await at.get("/documents")).text)
    for method, address, data in (
        ("POST", "/erasure/code", token),
        ("POST", "/erasure", {**token, "code": "123456"}),
        ("GET", "/access-log.pdf", None),
        ("POST", "/me/export", token),
    ):
        refused = await at.request(method, address, data=data)
        assert refused.status_code == 403, address
        assert "Pas avec quelqu’un à côté" in refused.text
    assert (await client.get("/v1/me", headers=person.headers)).json()["erases_at"] is None


async def test_the_log_says_it_on_each_line(at: httpx.AsyncClient, card: Card) -> None:
    await enter(at, card)
    page = re.sub(r"[\u2066-\u2069]", "", (await at.get("/access-log")).text)
    assert "Vous avez ouvert vos papiers avec une carte" in page
    assert re.search(r"Camille Moreau \(Assistante sociale, [^)]*\) était à côté\.", page)


async def test_a_yes_to_her_request_has_its_limits_on_pages(
    client: httpx.AsyncClient,
    at: httpx.AsyncClient,
    person: SomePerson,
    worker: SomeWorker,
    card: Card,
) -> None:
    paper = await deposit(client, person, PDF, type_="payslip")
    asked = await ask(client, worker.headers, person.phone, "payslip", duration="P12M")
    await enter(at, card)
    address, picked = f"/requests/{asked}/approve", ("document", paper["id"])
    refused = await send(at, address, yes_of(await summary(at, asked, picked), address))
    assert refused.status_code == 403
    assert "Trop long avec cette personne à côté" in refused.text
    shorter = await summary(at, asked, picked, ("duration", "P3M"))
    answer = await send(at, address, yes_of(shorter, address))
    assert answer.headers.get("location") == "/grants?done=approved", answer.text


async def test_a_copy_without_an_end_is_too_long_on_pages(
    client: httpx.AsyncClient,
    at: httpx.AsyncClient,
    person: SomePerson,
    worker: SomeWorker,
    card: Card,
) -> None:
    """As the workers' page asks for one."""
    paper = await deposit(client, person, PDF, type_="payslip")
    wanted = {"duration": "P1M", "may_store": True, "store_for": None}
    asked = await ask(client, worker.headers, person.phone, "payslip", **wanted)
    await enter(at, card)
    address, picked = f"/requests/{asked}/approve", ("document", paper["id"])
    kept = await summary(at, asked, picked, ("may_store", "yes"))
    refused = await send(at, address, yes_of(kept, address))
    assert refused.status_code == 403
    assert "ou sans copie gardée" in refused.text
    not_kept = await summary(at, asked, picked, ("may_store", "no"))
    answer = await send(at, address, yes_of(not_kept, address))
    assert answer.headers.get("location") == "/grants?done=approved", answer.text


async def test_a_sensitive_paper_stays_so_on_pages(
    client: httpx.AsyncClient, at: httpx.AsyncClient, person: SomePerson, card: Card
) -> None:
    paper = await deposit(client, person, PDF, type_="bank_statement")
    await enter(at, card)
    form = await at.get(f"/documents/{paper['id']}/correct")
    fields = {**token_in(form.text), "type": "payslip"}
    refused = await at.post(f"/documents/{paper['id']}/correct", data=fields)
    assert refused.status_code == 403
    assert "reste délicat tant qu’elle est là" in refused.text


@pytest.mark.parametrize("inside", [False, True], ids=["nobody inside", "the person inside"])
async def test_beside_a_worker_there_is_no_other_way_in(
    client: httpx.AsyncClient,
    at: httpx.AsyncClient,
    person: SomePerson,
    card: Card,
    inside: bool,
) -> None:
    """By a card or a phone of any vault: the limits of an assisted session would come off."""
    if inside:
        await enter(at, card)
    before = len(await log_of(client, person))
    for address, field, typed in (("/card", "card", card[0]), ("/sign-in", "phone", person.phone)):
        page = (await at.get("/card")).text
        data = {**hidden(page), field: typed, "device": "own"}
        led = await at.post(address, data=data)
        assert (led.status_code, led.headers["location"]) == (303, "/pro/beside?done=enter_beside")
    assert len(await log_of(client, person)) == before, "no code was sent"
    shown = await at.get("/pro/beside?done=enter_beside")
    assert shown.status_code == (403 if inside else 200)
    said = "Votre espace est fermé" if inside else "sortez d’abord de votre espace"
    assert said in shown.text


@pytest.mark.parametrize("way", ["card", "phone"])
async def test_nor_one_that_was_begun_before(
    served: Served, worker: SomeWorker, card: Card, way: str
) -> None:
    """The last step alone opens: it is where it is refused too."""
    async with browser(served, language="fr") as at:
        address, field, phone = "/card", {"card": card[0]}, new_phone()
        if way == "phone":
            address, field = "/sign-in", {"phone": phone}
        page = (await at.get("/card")).text
        begun = (await at.post(address, data={**hidden(page), **field})).headers["location"]
        code = card[1] if way == "card" else await last_code(served.services, phone)
        at.cookies.set("unefois-worker", worker.token, domain="127.0.0.1")
        data = {**hidden((await at.get(begun)).text), "code": code}
        led = await at.post(begun, data=data)
        assert led.headers["location"] == "/pro/beside?done=enter_beside"
        assert not at.cookies.get("unefois-person")
        # Once the worker left, it goes on.
        at.cookies.delete("unefois-worker")
        entered = await at.post(begun, data=data)
        assert entered.headers["location"] == "/documents"


async def test_papers_go_to_the_worker_beside_by_their_name(
    client: httpx.AsyncClient,
    at: httpx.AsyncClient,
    person: SomePerson,
    worker: SomeWorker,
    card: Card,
) -> None:
    paper = await deposit(client, person, PDF, type_="payslip")
    await enter(at, card)
    first = (await at.get(f"/grants/new?document={paper['id']}")).text
    assert "lui montrer un code" not in first
    assert ">Sortir<" not in re.sub(r"<svg.*?</svg>", "", first)
    chosen = f"document={paper['id']}&purpose_code=housing"
    until = (await at.get(f"/grants/new/until?{chosen}&worker={worker.subject.id}")).text
    assert "3 mois" in until
    assert "6 mois" not in until
    who = (await at.get(f"/grants/new/who?{chosen}&duration=P3M")).text
    assert "lui montrer un code" not in who
    assert "Camille Moreau, à côté de vous" in who
    assert f'value="{worker.subject.id}" checked' in who
    sent = [*yes_of(who, "/grants/new/check"), ("worker", str(worker.subject.id))]
    check = await send(at, "/grants/new/check", sent)
    given = await send(at, "/grants/new", yes_of(check.text, "/grants/new"))
    assert given.status_code == 303, given.text
    left = await at.post("/sign-out", data=token_in((await at.get("/documents")).text))
    assert left.headers["location"].startswith("/?done=bye_beside&of=")
    over = re.sub("[\u2068\u2069\xa0]", " ", (await at.get(left.headers["location"])).text)
    assert "peut voir 1 papier que vous venez de donner, jusqu’au" in over
    # Nobody else's, whatever the address says.
    other = await at.get("/?done=bye_beside&of=01890000-0000-7000-8000-000000000000")
    assert "peut voir" not in other.text


@pytest.mark.parametrize("by", ["person", "worker"])
async def test_what_the_person_chose_there_does_not_stay(
    at: httpx.AsyncClient, card: Card, by: str
) -> None:
    """The worker's own languages are put back, whoever ends it."""
    at.cookies.set("unefois-language", "es", domain="127.0.0.1")
    await enter(at, card)
    await at.get("/language/uk")
    await at.get("/second-language/none")
    page = (await at.get("/documents")).text
    assert 'lang="uk"' in page
    if by == "person":
        await at.post("/sign-out", data=token_in(page))
    else:
        locked = (await at.get("/pro/people")).text
        await at.post("/pro/beside/end", data=token_in(locked))
    assert 'lang="es"' in (await at.get("/pro/people")).text
    assert not at.cookies.get("unefois-second")
    assert not at.cookies.get("unefois-aside")


async def test_where_the_person_was_is_not_kept(at: httpx.AsyncClient, card: Card) -> None:
    """« Back » asks for one of their pages: whoever enters next is not led there."""
    await enter(at, card)
    page = (await at.get("/documents")).text
    await at.post("/sign-out", data=token_in(page))
    back = await at.get("/requests", headers={"Accept": "text/html"})
    assert back.headers["location"] == "/?done=signed_out"
    assert not at.cookies.get("unefois-next")


async def _none_left(_limit: SignInRateLimit, _source: bytes) -> None:
    """As the limit of sign-ins of an address that somebody spent."""
    raise ServiceError(ErrorKind.TOO_MANY, "too_many_sign_ins", retry_after=60)


async def test_nobody_behind_the_same_address_keeps_the_worker_from_it(
    at: httpx.AsyncClient, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sign-ins of strangers are counted by address, these by the worker's account."""
    monkeypatch.setattr(SignInRateLimit, "take", _none_left)
    assert (await at.post("/card", data={"card": card[0]})).status_code == 429
    assert (await enter(at, card)).headers["location"] == "/documents"
