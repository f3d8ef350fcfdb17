"""What pages look like to those who see little, or otherwise: axe on light and dark, text at 200 %,
320 px, right to left, paper, the focus after an error."""

import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, Page

from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson, SomeWorker
from tests.invitations import confirmed, looked_at
from tests.invitations import say as say_to_invitation
from tests.joins import answered_join, ask_join
from tests.mandates import authorisation, prepare, signed
from tests.meetings import answered, met, open_meeting
from tests.steps import ask, deposit, granted, log_of
from tests.vault.decoding import corpus
from tests.web.pages.draft_steps import draft_of, pictures_of, send
from tests.web.pages.test_pages import a_photo, browser_of
from vault.consent.receipt_codes import code_of

AXE = Path(sys.prefix) / "axe/node_modules/axe-core/axe.min.js"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not AXE.exists(), reason="axe: make axe installs it"),
]
# What passes is not described: of no use here, and a part of the time.
_RULES = (
    "{resultTypes: ['violations'],"
    " runOnly: ['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa','best-practice']}"
)
_VIOLATIONS = f"""axe.run(document, {_RULES}).then(found =>
  found.violations.map(one => one.id + ': ' + one.nodes.map(n => n.html).slice(0, 3)))"""
# An element that is wider than the page, or whose words are cut.
_TOO_WIDE = """() => [...document.querySelectorAll('body *')].filter(e => {
  if (e.closest('.unseen, .skip')) return false;
  const box = e.getBoundingClientRect();
  return box.width && (box.right > innerWidth + 1 || box.left < -1);
}).map(e => e.outerHTML.slice(0, 80)).slice(0, 3)"""
# WCAG 1.4.12: more space between letters, words and lines than the page has.
_SPACED = """() => { document.documentElement.style.fontSize = ''
  document.querySelectorAll('body *').forEach(e => Object.assign(e.style,
    {letterSpacing: '.12em', wordSpacing: '.16em', lineHeight: '1.5'})) }"""
_MENU_CUT = """() => [...document.querySelectorAll('nav.tabs a, .bar a, .bar button')].filter(e =>
  e.scrollWidth > e.clientWidth + 1).map(e => e.innerText)"""

LOOKS = (
    ("fr", "light", 1), ("ar", "dark", 1),
    ("falc", "dark", 3), ("ar", "light", 3), ("falc", "light", 3), ("fr", "dark", 3),
)  # fmt: skip
"""Languages, colours, and of how many pages one is looked at each time."""

_BEHIND_THE_EXIT = """() => {
  const wrong = [], exit = document.querySelector('form[action="/quick-exit"] button');
  const bar = exit.closest('li');
  const ends = () => {
    const at = exit.getBoundingClientRect();
    if (at.top < 0 || at.bottom > innerHeight) wrong.push('not in view');
    return bar.getBoundingClientRect().top;
  };
  window.scrollTo(0, 0);
  ends();
  for (const one of document.querySelectorAll(':is(main, .foot) :is(a, button, summary)')) {
    one.focus();
    const { bottom, height } = one.getBoundingClientRect();
    if (document.activeElement === one && height < 300 && bottom > ends() + 1)
      wrong.push(one.textContent.trim());
  }
  window.scrollTo(0, document.body.scrollHeight);
  const bottoms = [...document.querySelectorAll(':is(main, .foot) *')]
    .map(e => e.getBoundingClientRect().bottom);
  if (Math.max(...bottoms) > ends() + 1) wrong.push('the end of the page');
  return wrong;
}"""
_BUTTONS_BEHIND = """() => {
  const wrong = [];
  for (let y = 0; y < document.body.scrollHeight; y += 9) {
    window.scrollTo(0, y);
    for (const one of document.querySelectorAll('main .button')) {
      const { left, top, width, height } = one.getBoundingClientRect();
      const at = document.elementFromPoint(left + width / 4, top + height / 2);
      if (at && !one.contains(at)) wrong.push(one.textContent.trim());
    }
  }
  return [...new Set(wrong)];
}"""
_SHOWN_LARGE = """() => {
  const frame = document.querySelector('.whole'), picture = frame.querySelector('img');
  frame.scrollTo(10000, 10000);
  return [picture.clientWidth,
    picture.getBoundingClientRect().right - frame.getBoundingClientRect().right,
    document.documentElement.scrollWidth - innerWidth];
}"""
_BEGINS = """() => {
  const frame = document.querySelector('.whole'), picture = frame.querySelector('img');
  return picture.getBoundingClientRect().left - frame.getBoundingClientRect().left;
}"""
LOST_CARD = ("desk/stop", "desk/stop/sure", "desk/stop/code")
DESK = ("vault", "has-card", "free", "judgement")
AT_THE_DESK = ("beside", "desk", *(f"desk/{one}" for one in DESK), *LOST_CARD)
ENDS = ("correct", "version", "versions", "show", "show?turned=yes", "delete")
OF_ME = ("", "/name", "/means", "/cards/new", "/pin", "/phone", "/anchor", "/export", "/import")
ME = [f"/me{end}" for end in OF_ME]
TRUST = ("/me/trusted", "/me/trusted/new", "/trusted/code", "/me/protection", "/me/representative")
Addresses = dict[str, list[str]]


@pytest.fixture
async def addresses(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> tuple[SomePerson, SomeWorker, Addresses]:
    """Somebody with something on each page, and the pages of each."""
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, corpus.pdf(1), type_="payslip")
    await granted(client, person, worker.headers, "payslip")
    grant = await granted(client, person, worker.headers, "payslip")
    adding = await granted(client, person, worker.headers, actions=["deposit"])
    wanted = {"actions": ["read", "attest"], "may_store": True, "store_for": "P1Y"}
    request = await ask(client, worker.headers, person.phone, "payslip", "passport", **wanted)
    event = (await log_of(client, person))[0]["id"]
    mine = ["/documents", f"/documents/{document['id']}", "/documents/add", "/documents/deleted"]
    mine += await drafts_of(served, person)
    mine += [f"/documents/{document['id']}/{end}" for end in ENDS]
    mine += ["/requests", "/grants", f"/grants/{grant}/stop", "/grants/stop-all"]
    chosen = f"document={document['id']}&duration=P7D&action=read"
    mine += [f"/requests/{request}{end}" for end in ("", "/why", "/papers")]
    mine += [f"/requests/{request}/{step}?{chosen}" for step in ("actions", "until")]
    given = f"document={document['id']}&duration=P7D&purpose_code=housing"
    mine += [f"/grants/new{step}?{given}" for step in ("", "/why", "/until", "/who")]
    chosen += "&may_store=yes"
    mine += [f"/requests/{request}/{step}?{chosen}" for step in ("copy", "check", "aloud")]
    prepared = await mandates_of(client, person, worker, mine)
    meeting, agreed = await answered(client, worker, person), await met(client, worker, person)
    shown = (await open_meeting(client, person))["id"]
    mine += ["/meetings/code", *(f"/meetings/{one}" for one in (shown, meeting, agreed))]
    invited = await invitations_of(client, person, worker, mine)
    mine += [f"/grants/new?meeting={agreed}", "/access-log", "/sessions", "/erasure", "/nowhere"]
    mine += [f"/access-log/{event}/{end}" for end in ("report", "receipt")]
    mine += [*ME, *TRUST, *await joins_of(client, person, await make_person())]
    theirs = ["/pro/people", "/pro/requests", "/pro/requests/new", f"/pro/requests/{request}"]
    theirs += [f"/pro/requests/{request}/withdraw", f"/pro/grants/{grant}", "/pro/doings"]
    theirs += [f"/pro/grants/{grant}/{end}" for end in ("evidence?type=payslip", "give-back")]
    theirs += [f"/pro/grants/{adding}/add", f"/pro/grants/{grant}/documents/{document['id']}"]
    theirs += [f"{theirs[-1]}/type{query}" for query in ("", "?type=passport")]
    known = (await client.get("/v1/people", headers=worker.headers)).json()["items"][0]["id"]
    theirs += [f"/pro/people/{known}", f"/pro/people/{known}/label", f"/pro/mandates/{prepared}"]
    theirs += [f"/pro/{end}" for end in ("account", "sessions", "meetings/code", *AT_THE_DESK)]
    opened = (await open_meeting(client, worker))["id"]
    theirs += [f"/pro/meetings/{one}" for one in (opened, meeting, agreed)]
    theirs += [f"/pro/requests/new?meeting={agreed}", *(f"/pro/invitations/{i}" for i in invited)]
    visit = ["/language", "/", "/card", "/pro", "/problems/not_found", "/styles"]
    visit += [f"/verify/{code}" for code in (await code_of(served.services, UUID(grant)), "no")]
    return person, worker, {"visit": visit, "person": mine, "worker": theirs}


async def joins_of(client: httpx.AsyncClient, person: SomePerson, other: SomePerson) -> list[str]:
    """The page that shows digits, and the one that says what would come."""
    shown = (await ask_join(client, person)).json()["id"]
    plan = (await answered_join(client, other, person))["id"]
    return [f"/me/joins{end}" for end in ("", "/code", f"/{shown}", f"/{plan}")] + ["/nowhere"]


async def invitations_of(
    client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker, mine: list[str]
) -> list[str]:
    """One that waits for a yes, one that has it, one that was stopped; and their pages on the
    phone."""
    stopped = await confirmed(client, worker, person)
    await say_to_invitation(client, person, stopped, agree=False)
    said = await confirmed(client, worker, person)
    invited = [await looked_at(client, worker, person), said, stopped]
    mine += [f"/invitations/{one}" for one in invited]
    return invited


async def mandates_of(
    client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker, mine: list[str]
) -> str:
    """The pages of a mandate that waits, and of one that was signed; the id of the first."""
    prepared = await prepare(client, worker, person)
    mandate = await signed(client, worker, person, authorisation("lease"))
    mine += [f"/mandates/{prepared['id']}", f"/mandates/{mandate['id']}/signed"]
    return str(prepared["id"])


async def drafts_of(served: Served, person: SomePerson) -> list[str]:
    """The pages of a paper that is being added."""
    async with browser_of(served, person) as browser:
        address = "/documents/add?type=national_identity_card"
        sent = await send(served, person, browser, address, a_photo("red"), corpus.pdf(1))
        draft = draft_of(sent)
        picture = pictures_of(await browser.get(f"{draft}/check"))[0]
    steps = ("pictures", "type", "type?family=health", "details", "check", "discard")
    return [picture, *(f"{draft}/{step}" for step in steps)]


async def context_of(
    browser: Browser, served: Served, language: str, scheme: str, **tokens: str
) -> BrowserContext:
    """Scripts run: axe waits by timers. The pages have none, and their policy allows none."""
    context = await browser.new_context(
        viewport={"width": 360, "height": 640},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    values = {"language": language, **tokens}
    await context.add_cookies(
        [
            {"name": f"unefois-{name}", "value": value, "url": served.base_url}
            for name, value in values.items()
        ]
    )
    return context


async def each_page(
    browser: Browser,
    served: Served,
    addresses: tuple[SomePerson, SomeWorker, Addresses],
    language: str,
    scheme: str,
    *,
    every: int = 1,
) -> AsyncIterator[Page]:
    """A page each, open; `every=3`: of three, one."""
    person, worker, pages = addresses
    for reader, paths in pages.items():
        tokens = {"person": person.token, "worker": worker.token}
        own = {reader: tokens[reader]} if reader in tokens else {}
        context = await context_of(browser, served, language, scheme, **own)
        page = await context.new_page()
        for path in paths[::every]:
            await page.goto(served.base_url + path)
            yield page
        await context.close()


async def test_no_page_breaks_a_rule_of_accessibility(
    browser: Browser, served: Served, addresses: tuple[SomePerson, SomeWorker, Addresses]
) -> None:
    """Every page in French, and in Arabic with French under it; one of three in the others. With
    `AXE=all` every page in each of the six."""
    axe = AXE.read_text(encoding="utf-8")
    seen, wrong = 0, []
    for language, scheme, some in LOOKS:
        every = 1 if os.environ.get("AXE") == "all" else some
        async for page in each_page(browser, served, addresses, language, scheme, every=every):
            # The page's own policy refuses a script element: the debugger runs the text.
            await page.evaluate(axe)
            wrong += [f"{page.url} {one}" for one in await page.evaluate(_VIOLATIONS)]
            seen += 1
    assert wrong == []
    assert seen > 85


async def test_every_component_in_the_other_colours(browser: Browser, served: Served) -> None:
    for language, scheme in (("fr", "dark"), ("en", "light")):
        context = await context_of(browser, served, language, scheme)
        page = await context.new_page()
        await page.goto(f"{served.base_url}/styles")
        await page.evaluate(AXE.read_text(encoding="utf-8"))
        assert await page.evaluate(_VIOLATIONS) == [], (language, scheme)
        await context.close()


async def test_nothing_is_cut_at_320_px_nor_at_200_percent_nor_from_right_to_left(
    browser: Browser, served: Served, addresses: tuple[SomePerson, SomeWorker, Addresses]
) -> None:
    """In French at both, in Arabic with French under it at both; in each other language at 320."""
    wrong = []
    sizes = ((320, "112.5%"), (360, "225%"))
    for language in ("fr", "ar", "uk", "es"):
        async for page in each_page(browser, served, addresses, language, "light"):
            for width, size in sizes if language in ("fr", "ar") else sizes[:1]:
                await page.set_viewport_size({"width": width, "height": 640})
                await page.evaluate("size => document.documentElement.style.fontSize = size", size)
                for found in (_TOO_WIDE, _MENU_CUT):
                    wrong += [(language, page.url, size, one) for one in await page.evaluate(found)]
            await page.evaluate(_SPACED)
            wrong += [(language, page.url, "spaced", one) for one in await page.evaluate(_TOO_WIDE)]
    assert wrong == []


async def test_the_quick_exit_is_always_at_hand_and_hides_nothing(
    browser: Browser, served: Served, addresses: tuple[SomePerson, SomeWorker, Addresses]
) -> None:
    """At the end of a long page too; neither the focus nor the last line is behind it."""
    person, _, _ = addresses
    context = await context_of(browser, served, "fr", "light", person=person.token)
    page = await context.new_page()
    wrong = []
    for width, size in ((360, "112.5%"), (320, "225%")):
        await page.set_viewport_size({"width": width, "height": 640})
        for address in ("/documents", "/grants", "/me"):
            await page.goto(served.base_url + address)
            await page.evaluate("size => document.documentElement.style.fontSize = size", size)
            wrong += [(width, address, one) for one in await page.evaluate(_BEHIND_THE_EXIT)]
    assert wrong == []
    await context.close()


@pytest.mark.parametrize(("width", "height"), [(360, 640), (1366, 768)])
async def test_a_paper_is_shown_whole_then_large_within_the_page(
    browser: Browser,
    served: Served,
    addresses: tuple[SomePerson, SomeWorker, Addresses],
    width: int,
    height: int,
) -> None:
    person, _, pages = addresses
    context = await context_of(browser, served, "fr", "light", person=person.token)
    page = await context.new_page()
    await page.set_viewport_size({"width": width, "height": height})
    shown = served.base_url + next(one for one in pages["person"] if one.endswith("/show"))
    await page.goto(shown.removesuffix("/show"))
    assert await page.evaluate(_BUTTONS_BEHIND) == [], "however far its page is scrolled"
    await page.goto(shown)
    await page.wait_for_load_state("networkidle")
    for seen in (".whole img", ".back a", "text=Agrandir"):
        box = await page.locator(seen).bounding_box()
        exit_ = await page.locator(".hide").bounding_box()
        assert box and exit_ and box["y"] >= 0, seen
        assert box["y"] + box["height"] <= exit_["y"], seen
    assert await page.evaluate(_BUTTONS_BEHIND) == []
    await page.click("text=Agrandir")
    await page.wait_for_load_state("networkidle")
    for seen in (".whole", "text=Réduire"):
        box = await page.locator(seen).bounding_box()
        exit_ = await page.locator(".hide").bounding_box()
        assert box and exit_ and box["y"] >= 0, seen
        assert box["y"] + box["height"] <= exit_["y"], seen
    # By one press from there.
    wide, left, over = await page.evaluate(_SHOWN_LARGE)
    assert wide >= 900, "a line of numbers can be read"
    assert left <= 1, "its end too, by scrolling the picture"
    assert over <= 0, "the page itself stays as wide as the screen"
    # Far down in it, both ways out stand in the strip, side by side.
    await page.evaluate("scrollTo(0, document.body.scrollHeight)")
    leaving, hiding = [
        await page.locator(f".hide form[action='/{end}'] button").bounding_box()
        for end in ("sign-out", "quick-exit")
    ]
    assert leaving and hiding
    assert leaving["y"] == hiding["y"] >= height - 80
    assert leaving["x"] + leaving["width"] < hiding["x"], "one is not hit for the other"
    await _begins_at_its_left_in_arabic(served, context, page)
    await context.close()


async def _begins_at_its_left_in_arabic(
    served: Served, context: BrowserContext, page: Page
) -> None:
    """A paper does, also where words begin at the right."""
    arabic = {"name": "unefois-language", "value": "ar", "url": served.base_url}
    await context.add_cookies([arabic])  # type: ignore[list-item]
    await page.reload()
    await page.wait_for_load_state("networkidle")
    assert await page.evaluate(_BEGINS) == pytest.approx(0, abs=2), "beside its border"


async def test_after_an_error_one_is_at_the_message(browser: Browser, served: Served) -> None:
    """Without script: the page itself says where the focus is."""
    context = await context_of(browser, served, "fr", "light")
    page = await context.new_page()
    await page.goto(f"{served.base_url}/")
    await page.fill("#phone", "06 12")
    async with page.expect_navigation():
        await page.keyboard.press("Enter")
    # The browser moves there with its first picture of the page.
    await page.wait_for_function("document.activeElement.className.includes('problem')")
    assert await page.get_attribute("#phone", "aria-invalid") == "true"
    described = await page.get_attribute("#phone", "aria-describedby")
    assert "n’est pas complet" in await page.inner_text(f"#{described}")
    await page.click(".problem a")
    assert await page.evaluate("document.activeElement.id") == "phone"
    await context.close()


async def test_paper_has_the_words_and_no_buttons(
    browser: Browser, served: Served, addresses: tuple[SomePerson, SomeWorker, Addresses]
) -> None:
    person, _, _ = addresses
    context = await context_of(browser, served, "fr", "dark", person=person.token)
    page = await context.new_page()
    await page.goto(f"{served.base_url}/access-log")
    await page.emulate_media(media="print")
    for gone in ("nav.tabs", ".bar ul", ".foot", "main .button >> nth=0"):
        assert not await page.is_visible(gone), gone
    assert await page.is_visible("main .card >> nth=0")
    colours = "(e => [e.backgroundColor, e.color])(getComputedStyle(document.body))"
    assert await page.evaluate(colours) == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]
    await context.close()


def test_axe_is_here_in_continuous_integration() -> None:
    assert AXE.exists() or os.environ.get("CI") != "true"
