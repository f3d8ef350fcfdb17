"""A vault opened at the desk, page by page, without script: whose turn it is, what each reads, what
is printed, and that the PIN stands nowhere."""

import asyncio
import re
from datetime import timedelta
from html.parser import HTMLParser

import httpx
import pytest

from auth import administration, desk_vaults, pin_hashes
from tests.auth.means_steps import bearer, enter
from tests.fixtures import MakeWorker, Served, SomeWorker
from tests.steps import log_of
from tests.web.api.test_printed_cards import code_on, scanned
from tests.web.pages.answers import HIDDEN, Pairs, send, yes_of
from tests.web.pages.test_pages import browser_of
from tests.web.printouts.reading import text_of
from vault.services import Services
from web.pages import desk_visits

PIN = "482693"
AT = "/pro/desk/vault"
DESK_LINK = 'href="/pro/desk"'
STEPS = ("card", "name", "anchor", "turn", "pin", "open", "print", "sheet.pdf", "end")


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a PIN costs to guess is not tested here."""
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


@pytest.fixture
async def worker(services: Services, make_worker: MakeWorker) -> SomeWorker:
    """Of a structure that opens vaults."""
    made = await make_worker(name="Camille Moreau")
    await administration.let_open_vaults(services, made.organisation_id, allowed=True)
    return made


async def walk(
    at_work: httpx.AsyncClient,
    until: str,
    *,
    language: str = "fr",
    name: str = "",
    pin: str = PIN,
    tick: bool = False,
) -> list[httpx.Response]:
    """The pages from the language to that step, each by the form of the one before."""
    typed: dict[str, Pairs] = {
        "card": [("language", language)],
        "anchor": [("name", name), *([("with_name", "yes")] if tick else [])],
        "open": [("pin", pin), ("again", pin)],
    }
    pages = [await at_work.get(AT)]
    for step in STEPS[: STEPS.index(until) + 1]:
        before = pages[-2] if step == "end" else pages[-1]
        fields = yes_of(before.text, f"{AT}/{step}")
        pages.append(await send(at_work, f"{AT}/{step}", [*fields, *typed.get(step, [])]))
        assert pages[-1].status_code == 200, pages[-1].text
    return pages


def title_of(page: httpx.Response) -> str:
    found = re.search(r"<h1>(.*?)</h1>", page.text, re.DOTALL)
    assert found, page.text
    return re.sub(r"<[^>]*>|\s+", " ", found[1]).strip().replace("\xa0", " ")


class ReadForm(HTMLParser):
    """The fields of a page, as a browser reads them: of two attributes, the first one counts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, dict[str, str | None]] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        read: dict[str, str | None] = {}
        for name, value in attrs:
            read.setdefault(name, value)
        if tag == "input":
            self.found[str(read.get("name"))] = read


async def test_a_vault_is_opened_and_its_printed_card_opens_it(
    served: Served, client: httpx.AsyncClient, worker: SomeWorker
) -> None:
    async with browser_of(served, worker) as at_work:
        assert f'href="{AT}"' in (await at_work.get("/pro/desk")).text
        pages = await walk(at_work, "end", name="Zahra", tick=True)
    *read, sheet, end = pages
    assert [title_of(page) for page in (*read, end)] == [
        "Quelle langue lit la personne ?",
        "Avez-vous déjà une carte ?",
        "Votre nom, si vous voulez",
        "Votre pièce d’identité, si vous voulez",
        "C’est à la personne : donnez-lui l’appareil",
        "Choisissez votre code secret",
        "Rendez l’appareil",
        "Reprenez l’appareil : imprimez la carte",
        "Cinq choses à savoir",
    ]
    assert end.text.split("<main")[1].count("<li>") == 5
    steps = re.findall(r'<a class="(button[^"]*)" href="([^"]+)"', end.text.split("<main")[1])
    assert steps == [("button main", "/pro/beside"), ("button", "/pro/desk")]
    assert sheet.headers["content-type"] == "application/pdf"
    assert "Zahra" in text_of(sheet.content)
    assert "03 20 00 00 00" in text_of(sheet.content).replace("\xa0", " ")
    assert all(page.headers["cache-control"] == "no-store" for page in pages)
    code, address = code_on(sheet.content), scanned(sheet.content)
    for shown in (code, address):
        person = bearer(await enter(client, shown, PIN))
    lines = (await log_of(client, person))[::-1]
    assert [one["action"] for one in lines[:3]] == ["vault.open", "pin.set", "means.add"]
    assert {one["actor"]["name"] for one in lines[:3]} == {"Camille Moreau"}
    for path in ("/v1/people", "/v1/grants", "/v1/consent-requests"):
        assert (await client.get(path, headers=worker.headers)).json()["items"] == []


async def test_the_pin_stands_on_no_page_and_in_no_address(
    served: Served, worker: SomeWorker
) -> None:
    async with browser_of(served, worker) as at_work:
        pages = await walk(at_work, "end")
        asked = pages[5]
        refused = await send(
            at_work,
            f"{AT}/open",
            [*yes_of(asked.text, f"{AT}/open"), ("pin", PIN), ("again", "482694")],
        )
    assert refused.status_code == 422
    for page in (asked, refused):
        fields = ReadForm(page.text).found
        for name in ("pin", "again"):
            assert fields[name]["type"] == "password", "not shown as it is typed"
            assert fields[name]["value"] == ""
            assert fields[name]["autocomplete"] == "one-time-code", "not kept by the browser"
    for page in (*pages, refused):
        assert PIN.encode() not in page.content
        assert page.headers["cache-control"] == "no-store"
        assert PIN not in str(page.url)
    carried = dict(HIDDEN.findall(pages[-3].text))
    assert carried[desk_visits.FIELD]
    code = code_on(pages[-2].content)
    assert all(code not in page.text for page in (*pages[:-2], pages[-1])), "sealed until printed"


@pytest.mark.parametrize(
    ("pin", "again", "said"),
    [
        ("123456", "123456", "Ce code secret ne peut pas être choisi"),
        ("48269", "48269", "Un code secret a 6 chiffres"),
        (PIN, "482694", "Vous avez écrit deux codes secrets différents"),
        ("", "", "Un code secret a 6 chiffres"),
    ],
)
async def test_a_refused_pin_is_said_plainly_and_the_next_one_does(
    served: Served, client: httpx.AsyncClient, worker: SomeWorker, pin: str, again: str, said: str
) -> None:
    async with browser_of(served, worker) as at_work:
        asked = (await walk(at_work, "pin"))[-1]
        fields = yes_of(asked.text, f"{AT}/open")
        refused = await send(at_work, f"{AT}/open", [*fields, ("pin", pin), ("again", again)])
        assert refused.status_code == 422
        assert said in refused.text.replace("\xa0", " ")
        assert 'class="field bad"' in refused.text
        fields = yes_of(refused.text, f"{AT}/open")
        opened = await send(at_work, f"{AT}/open", [*fields, ("pin", "8305"), ("again", "8305")])
        printing = await send(at_work, f"{AT}/print", yes_of(opened.text, f"{AT}/print"))
        sheet = await send(at_work, f"{AT}/sheet.pdf", yes_of(printing.text, f"{AT}/sheet.pdf"))
    assert (await enter(client, code_on(sheet.content), "8305")).status_code == 201


async def test_the_person_reads_their_language_and_no_menu_of_the_worker(
    served: Served, worker: SomeWorker
) -> None:
    async with browser_of(served, worker) as at_work:
        at_work.cookies.set("unefois-language", "en", domain="127.0.0.1")
        pages = await walk(at_work, "end", language="ar")
    language, card, name, anchor, turn, pin, opened, printing, _, end = pages
    for page in (language, turn, printing):
        assert page.headers["content-language"].startswith("en")
        assert 'href="/pro/people"' in page.text
    for page in (card, name, anchor, end):  # both look at it
        assert page.headers["content-language"] == "ar, en"
    for page in (pin, opened):
        assert page.headers["content-language"].startswith("ar")
        assert 'dir="rtl"' in page.text
        assert re.findall(r'href="/(?!static)[^"]*"', page.text) == [], "leads nowhere else"
        assert "quick-exit" not in page.text
        assert "data-seconds" not in page.text


async def test_a_form_that_is_sent_twice_opens_one_vault(
    served: Served, client: httpx.AsyncClient, worker: SomeWorker
) -> None:
    """At once, and again by « Back » with another PIN: the first one counts, and the page says so;
    nothing compares the second with it."""
    async with browser_of(served, worker) as at_work:
        asked = (await walk(at_work, "pin"))[-1]
        fields = [*yes_of(asked.text, f"{AT}/open"), ("pin", PIN), ("again", PIN)]
        answers = await asyncio.gather(*(send(at_work, f"{AT}/open", fields) for _ in range(3)))
        assert [one.status_code for one in answers] == [200] * 3
        already = ["était déjà choisi" in one.text for one in answers]
        assert sorted(already) == [False, True, True]
        fields = [*yes_of(asked.text, f"{AT}/open"), ("pin", "591764"), ("again", "591764")]
        again = await send(at_work, f"{AT}/open", fields)
        assert "était déjà choisi" in again.text
        printing = await send(at_work, f"{AT}/print", yes_of(again.text, f"{AT}/print"))
        sheets = [
            await send(at_work, f"{AT}/sheet.pdf", yes_of(printing.text, f"{AT}/sheet.pdf"))
            for _ in range(2)
        ]
    codes = {code_on(sheet.content) for sheet in sheets}
    assert len(codes) == 1, "printed again, the same"
    (code,) = codes
    assert (await enter(client, code, "591764")).status_code == 401
    person = bearer(await enter(client, code, PIN))
    opened = [one for one in await log_of(client, person) if one["action"] == "vault.open"]
    assert len(opened) == 1


async def test_two_desks_at_once_open_two_vaults_of_which_each_card_opens_its_own(
    served: Served,
    client: httpx.AsyncClient,
    services: Services,
    worker: SomeWorker,
    make_worker: MakeWorker,
) -> None:
    """Nobody can know that it is one person: neither desk learns of the other."""
    other = await make_worker(worker.organisation_id, name="Nadia Benali")
    sheets = []
    for one in (worker, other):
        async with browser_of(served, one) as at_work:
            sheets.append((await walk(at_work, "sheet.pdf"))[-1].content)
    codes = [code_on(sheet) for sheet in sheets]
    for code, name in zip(codes, ("Camille Moreau", "Nadia Benali"), strict=True):
        person = bearer(await enter(client, code, PIN))
        assert {one["actor"].get("name") for one in (await log_of(client, person))[-3:]} == {name}


async def test_in_two_windows_nobody_chooses_the_pin_of_the_others_card(
    served: Served, worker: SomeWorker
) -> None:
    """A browser keeps one visit, the last: the window of the first one, loaded again, begins anew
    rather than going on with somebody else's card; and theirs is still theirs."""
    async with browser_of(served, worker) as at_work:
        first = (await walk(at_work, "pin"))[-1]
        second = (await walk(at_work, "open", name="Zahra"))[-2:]
        again = await at_work.get(str(first.url))
        assert again.headers.get("location") == "/pro/desk"
        for page in second:
            assert (await at_work.get(str(page.url))).status_code == 200
        # The form that the first one has already is of their own card.
        fields = [*yes_of(first.text, f"{AT}/open"), ("pin", "8305"), ("again", "8305")]
        opened = await send(at_work, f"{AT}/open", fields)
        assert "était déjà choisi" not in opened.text
        gone = await at_work.get(str(second[-1].url))
        assert gone.headers.get("location") == "/pro/desk"


async def test_nothing_is_printed_before_the_vault_is_open(
    served: Served, worker: SomeWorker
) -> None:
    async with browser_of(served, worker) as at_work:
        asked = (await walk(at_work, "pin"))[-1]
        fields = yes_of(asked.text, f"{AT}/open")
        for step in ("print", "sheet.pdf", "end"):
            assert (await send(at_work, f"{AT}/{step}", fields)).status_code == 403, step


async def test_what_goes_from_page_to_page_is_of_one_session_and_some_minutes(
    served: Served,
    worker: SomeWorker,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = await make_worker(worker.organisation_id)
    async with browser_of(served, worker) as at_work, browser_of(served, other) as beside:
        printing = (await walk(at_work, "print"))[-1]
        fields = dict(yes_of(printing.text, f"{AT}/sheet.pdf"))
        own = dict(yes_of((await beside.get(AT)).text, f"{AT}/card"))
        stolen = [*own.items(), (desk_visits.FIELD, fields[desk_visits.FIELD])]
        assert (await send(beside, f"{AT}/sheet.pdf", stolen)).status_code == 403
        for value in ("", "x", "é" * 9, "A" * 5000, fields[desk_visits.FIELD][:-8] + "AAAAAAAA"):
            changed = {**fields, desk_visits.FIELD: value}
            answer = await at_work.post(f"{AT}/sheet.pdf", data=changed)
            assert answer.status_code == 403, value
        assert (await at_work.post(f"{AT}/sheet.pdf", data=fields)).status_code == 200
        monkeypatch.setattr(desk_visits, "LIFE", timedelta(0))
        begin = yes_of((await at_work.get(AT)).text, f"{AT}/card")
        asked = await send(at_work, f"{AT}/card", [*begin, ("language", "fr")])
        late = await send(at_work, f"{AT}/name", yes_of(asked.text, f"{AT}/name"))
        assert late.status_code == 403


async def test_only_where_the_operator_allows_it(
    served: Served, services: Services, worker: SomeWorker
) -> None:
    async with browser_of(served, worker) as at_work:
        asked = (await walk(at_work, "pin"))[-1]
        await administration.let_open_vaults(services, worker.organisation_id, allowed=False)
        fields = [*yes_of(asked.text, f"{AT}/open"), ("pin", PIN), ("again", PIN)]
        assert (await send(at_work, f"{AT}/open", fields)).status_code == 403
        assert (await at_work.get(AT)).headers["location"] == "/pro/desk"
        shown = (await at_work.get("/pro/desk")).text
        assert "Demandez ce droit" in shown
        assert AT not in shown
        # What leads there is not offered, and comes back with the right.
        assert DESK_LINK not in (await at_work.get("/pro/people")).text
        await administration.let_open_vaults(services, worker.organisation_id, allowed=True)
        assert DESK_LINK in (await at_work.get("/pro/people")).text


async def test_the_page_says_whom_to_ask_for_the_right(
    served: Served, make_worker: MakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = vars(served.services.settings)
    monkeypatch.setitem(settings, "operator_email", "equipe@unefois.example")
    async with browser_of(served, await make_worker()) as at_work:
        assert "equipe@unefois.example" in (await at_work.get("/pro/desk")).text


async def test_a_step_that_is_reached_by_its_address_begins_again(
    served: Served, worker: SomeWorker
) -> None:
    async with browser_of(served, worker) as at_work:
        for step in STEPS:
            assert (await at_work.get(f"{AT}/{step}")).headers["location"] == "/pro/desk"
        begin = yes_of((await at_work.get(AT)).text, f"{AT}/card")
        answer = await send(at_work, f"{AT}/card", [*begin, ("language", "tlh")])
        assert answer.headers["location"] == AT


async def test_a_name_that_is_too_long_is_said_and_nothing_is_lost(
    served: Served, worker: SomeWorker
) -> None:
    async with browser_of(served, worker) as at_work:
        named = (await walk(at_work, "name"))[-1]
        fields = [*yes_of(named.text, f"{AT}/anchor"), ("name", "x" * (desk_vaults.MAX_NAME + 1))]
        refused = await send(at_work, f"{AT}/anchor", fields)
        assert refused.status_code == 422
        assert title_of(refused) == "Votre nom, si vous voulez"
        fields = [*yes_of(refused.text, f"{AT}/anchor"), ("name", "Zahra")]
        asked = await send(at_work, f"{AT}/anchor", fields)
        assert title_of(asked) == "Votre pièce d’identité, si vous voulez"
