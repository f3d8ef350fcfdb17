"""What the pages' own module does, in Chromium; it needs nothing that the policy refuses."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Response, Route, expect

from tests.fixtures import MakePerson, Served, SomePerson

pytestmark = pytest.mark.browser
# What the policy refuses is written down by the page itself, before anything else of it runs.
_WATCH = """addEventListener('securitypolicyviolation', e =>
  console.error('VIOLATION ' + e.violatedDirective + ' ' + e.sample));"""
# A device's voice: the browser of the tests has none. It "speaks" when the test says so.
_VOICES = """(voices) => {
  const said = []; let current = null;
  const finish = () => { const one = current; current = null; one?.onend(); };
  Object.assign(window, { said, finish });
  window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
  Object.defineProperty(window, 'speechSynthesis', { value: {
    getVoices: () => voices,
    speak: (one) => { said.push([one.text, one.voice.name]); current = one; },
    cancel: () => { current = null; },
    addEventListener() {},
  } });
}"""
HERE = {"name": "Voix d’ici", "lang": "fr-FR", "localService": True}
AFAR = {"name": "Voix d’ailleurs", "lang": "fr-FR", "localService": False}

Open = Callable[..., Awaitable[Page]]


@pytest.fixture
async def open_page(browser: Browser, served: Served) -> AsyncIterator[Open]:
    """Open a page of a person or of a visitor. Nothing that the policy refuses, and no request to
    another site, passes unseen."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    async def open_(
        path: str, person: SomePerson | None = None, *, init: str = "", script: bool = True
    ) -> Page:
        context = await browser.new_context(
            viewport={"width": 360, "height": 640}, locale="fr-FR", java_script_enabled=script
        )
        contexts.append(context)
        await context.add_init_script(f"{_WATCH}\n{init}")
        await context.route(re.compile(r"^https?://(?!127\.0\.0\.1)"), _elsewhere)
        values = {"language": "fr", **({"person": person.token} if person else {})}
        await context.add_cookies(
            [
                {"name": f"unefois-{name}", "value": value, "url": served.base_url}
                for name, value in values.items()
            ]
        )
        page = await context.new_page()
        page.on("console", lambda said: wrong.append(said.text) if _is_wrong(said.text) else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        await page.goto(served.base_url + path)
        return page

    yield open_
    for context in contexts:
        await context.close()
    assert wrong == []


def _is_wrong(text: str) -> bool:
    return "VIOLATION" in text or "Content Security Policy" in text or "TrustedScript" in text


async def _elsewhere(route: Route) -> None:
    """The neutral page, which the tests do not fetch."""
    await route.fulfill(status=200, content_type="text/html", body="<title>Le temps</title>")


async def until(page: Page, expression: str) -> None:
    """Wait for it to be true. `wait_for_function` would take a policy that allows `eval`."""
    for _ in range(200):
        if await page.evaluate(expression):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(expression)


async def _opens(served: Served, browser: Browser, person: SomePerson) -> bool:
    """Whether the session lives on the server."""
    context = await browser.new_context()
    cookie = {"name": "unefois-person", "value": person.token, "url": served.base_url}
    await context.add_cookies([cookie])  # type: ignore[list-item]  # a cookie's shape
    answer = await context.request.get(f"{served.base_url}/documents", max_redirects=0)
    await context.close()
    return answer.status == 200


@pytest.mark.parametrize("how", ["button", "escape", "no script"])
async def test_cacher_ends_the_session_and_back_returns_nothing(
    open_page: Open, browser: Browser, served: Served, make_person: MakePerson, how: str
) -> None:
    person = await make_person()
    page = await open_page("/documents", person, script=how != "no script")
    await page.click("nav a[href='/requests']")
    neutral = served.services.settings.quick_exit_url
    await page.wait_for_url("**/requests")
    await page.wait_for_load_state("networkidle")
    if how == "escape":
        for _ in range(3):
            await page.keyboard.press("Escape")
    else:
        await page.click("form[action='/quick-exit'] button")
    await page.wait_for_url(neutral)
    for _ in range(50):
        if not await _opens(served, browser, person):
            break
        await asyncio.sleep(0.05)
    assert not await _opens(served, browser, person)
    assert "unefois-person" not in {one.get("name") for one in await page.context.cookies()}
    await page.go_back()
    if how == "no script":
        assert "Mes papiers" not in await page.content()
        assert "Demandes" not in await page.inner_text("body")
    else:
        # Here too: the page before was ours.
        await page.wait_for_url(neutral)


async def test_two_escapes_are_not_three(open_page: Open, make_person: MakePerson) -> None:
    page = await open_page("/documents", await make_person())
    for _ in range(2):
        await page.keyboard.press("Escape")
    await page.keyboard.press("Tab")
    assert page.url.endswith("/documents")
    assert await page.is_visible("h1")


async def test_it_reads_the_page_aloud_sentence_by_sentence(
    open_page: Open, make_person: MakePerson
) -> None:
    voices = f"({_VOICES})({[AFAR, HERE]!r});".replace("True", "true").replace("False", "false")
    page = await open_page("/", init=voices)
    button = page.locator("[data-aloud] button")
    await expect(button).to_be_visible()
    assert (await button.bounding_box() or {"height": 0})["height"] >= 44
    await button.click()
    await expect(button).to_have_text("Stop")
    heard: list[list[str]] = []
    for _ in range(40):
        said = await page.evaluate("said")
        if len(said) == len(heard):
            break
        heard = said
        marked = await page.evaluate(
            "[...CSS.highlights.get('aloud')].map(r => r.toString().replace(/\\s+/g, ' '))"
        )
        assert marked == [heard[-1][0]]
        await page.evaluate("finish()")
    assert heard[0] == ["Vos papiers, gardés une fois pour toutes", "Voix d’ici"]
    assert [text for text, _ in heard[1:3]] == [
        "Ici, vous gardez vos papiers en sécurité.",
        "Vous choisissez qui peut les voir, et vous savez toujours qui a regardé.",
    ]
    assert "Recevoir un code" in [text for text, _ in heard]
    await expect(button).to_have_text("Écouter")
    await button.click()
    await button.click()
    await expect(button).to_have_text("Écouter")
    assert not await page.evaluate("CSS.highlights.has('aloud')")


@pytest.mark.parametrize("voices", [[], [AFAR]])
async def test_without_a_voice_of_the_device_there_is_no_button(
    open_page: Open, voices: list[dict[str, str]]
) -> None:
    """A voice elsewhere would tell somebody else what the page says."""
    shown = repr(voices).replace("False", "false")
    page = await open_page("/", init=f"({_VOICES})({shown});")
    await page.wait_for_load_state("networkidle")
    assert not await page.is_visible("[data-aloud]")


async def test_the_end_of_the_session_is_told_before_it_comes(
    open_page: Open, make_person: MakePerson, served: Served
) -> None:
    """By the page's own clock, which the test moves."""
    page = await open_page("/documents", await make_person())
    await page.clock.install()
    await page.reload()
    await page.wait_for_load_state("networkidle")
    seconds = int(await page.get_attribute("body", "data-seconds") or 0)
    hours = served.services.settings.person_session_hours
    assert 0 < hours * 3600 - seconds < 60
    await page.clock.fast_forward((seconds - 330) * 1000)
    assert not await page.is_visible("#ending")
    await page.clock.fast_forward(60_000)
    await expect(page.locator("#ending")).to_be_visible()
    await page.clock.fast_forward(300_000)
    await expect(page.locator("#ended")).to_be_visible()
    assert not await page.is_visible("#ending")


async def test_the_end_of_the_session_that_one_entered_beside_is_told_too(
    open_page: Open, make_person: MakePerson
) -> None:
    page = await open_page("/documents/add", await make_person())
    await page.clock.install()
    await page.reload()
    await page.wait_for_load_state("networkidle")
    seconds = int(await page.get_attribute("body", "data-seconds") or 0)
    await page.clock.fast_forward((seconds + 60) * 1000)
    await expect(page.locator("#ended")).to_be_visible()
    # The server's clock went on by no more than a moment: the page asks it, and has a session.
    bad = {"name": "b.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"}
    await page.set_input_files("#photo", bad)
    await page.click("button.send >> nth=0")
    await expect(page.locator("form .problem")).to_be_visible()
    await expect(page.locator("#ended")).to_be_hidden()
    await page.clock.fast_forward((seconds - 270) * 1000)
    await expect(page.locator("#ending")).to_be_visible()


async def test_without_network_the_page_says_so_and_nothing_private_is_kept(
    open_page: Open, served: Served, make_person: MakePerson
) -> None:
    page = await open_page("/documents", await make_person())
    await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    await until(page, "navigator.serviceWorker.controller !== null")
    for path in ("/requests", "/documents", "/grants", "/access-log"):
        await page.goto(served.base_url + path)
    kept = await page.evaluate(
        "caches.keys()"
        ".then(names => Promise.all(names.map(n => caches.open(n).then(c => c.keys()))))"
        ".then(all => all.flat().map(r => new URL(r.url).pathname))"
    )
    assert "/offline" in kept
    assert all(one == "/offline" or one.startswith("/static/") for one in kept)
    await page.context.set_offline(True)
    await page.goto(f"{served.base_url}/requests")
    assert "Pas de réseau" in await page.inner_text("h1")
    await page.context.set_offline(False)
    await page.click("main a.button")
    await expect(page.locator("h1")).to_have_text("Demandes")


async def test_the_page_for_no_network_leads_back_to_where_one_was(
    open_page: Open, served: Served, make_person: MakePerson
) -> None:
    """By its button, by another language; and home, where somebody opened its own address."""
    page = await open_page("/documents", await make_person())
    await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    await until(page, "navigator.serviceWorker.controller !== null")
    await page.context.set_offline(True)
    await page.goto(f"{served.base_url}/access-log")
    assert "Pas de réseau" in await page.inner_text("h1")
    await page.context.set_offline(False)
    await page.click("header a[href^='/language']")
    await page.click("main a[href^='/language/en']")
    await page.wait_for_url("**/access-log")
    await page.goto(f"{served.base_url}/offline")
    await page.click("main a.button")
    await page.wait_for_url("**/documents")


async def test_the_worker_does_not_hide_who_asked(
    open_page: Open, served: Served, make_person: MakePerson
) -> None:
    """A page that another site asked for is not compressed (ADR 0039): its request must still say
    so when it passes by the service worker."""
    page = await open_page("/documents", await make_person())
    await until(page, "navigator.serviceWorker.controller !== null")
    said: list[Response] = []

    def note(answer: Response) -> None:
        said.append(answer)

    page.context.on("response", note)
    await page.goto("https://elsewhere.example/")
    await page.evaluate(f"location.href = '{served.base_url}/documents'")
    await page.wait_for_url(f"{served.base_url}/documents")
    answer = [one for one in said if one.url.endswith("/documents")][-1]
    assert "content-encoding" not in await answer.all_headers()
    await page.reload()
    assert await page.is_visible("h1")


async def test_the_discreet_name_is_everywhere_until_it_is_taken_back(
    open_page: Open, make_person: MakePerson
) -> None:
    page = await open_page("/me", await make_person())
    await page.click("summary")
    await page.click("button[name=discreet]")
    await page.wait_for_load_state()
    assert await page.title() == "Moi – Carnet"
    assert "Unefois" not in await page.inner_text("header")
    manifest = await page.get_attribute("link[rel=manifest]", "href")
    shown = await page.evaluate("(address) => fetch(address).then(a => a.json())", manifest)
    assert (shown["name"], shown["short_name"]) == ("Carnet", "Carnet")
    assert "discreet" in shown["icons"][0]["src"]
    await page.goto(page.url.replace("/me", "/language"))
    await _without_network(page, "Pas de réseau – Carnet")
    await page.click("summary:has-text('Cacher le nom')")
    await page.click("button[name=discreet]")
    await page.wait_for_url("**/documents")
    assert await page.title() == "Mes papiers – Unefois"
    await _without_network(page, "Pas de réseau – Unefois")


async def _without_network(page: Page, title: str) -> None:
    """What is kept for when there is no network has that title: soon, once a page is open."""
    kept = "caches.match('/offline', { ignoreVary: true }).then(page => page?.text())"
    await until(page, f"{kept}.then(text => !!text?.includes('<title>{title}</title>'))")


async def test_no_page_needs_what_the_policy_refuses(
    open_page: Open, served: Served, make_person: MakePerson
) -> None:
    page = await open_page("/documents", await make_person())
    paths = ("/documents/add", "/requests", "/grants", "/access-log", "/sessions", "/erasure")
    for path in (*paths, "/language", "/nowhere", "/problems", "/styles", "/offline", "/pro"):
        await page.goto(served.base_url + path)
        await page.wait_for_load_state("networkidle")


async def test_no_text_becomes_a_program(browser: Browser, served: Served) -> None:
    """Trusted Types refuse it, whoever wrote the text."""
    page = await browser.new_page()
    await page.goto(f"{served.base_url}/language")
    for attempt in (
        "document.body.innerHTML = '<b>x</b>'",
        "document.write('<b>x</b>')",
        "new DOMParser().parseFromString('<b>x</b>', 'text/html')",
        "navigator.serviceWorker.register('/service-worker.js')",
        "trustedTypes.createPolicy('another', {})",
        "Object.assign(document.createElement('script'), { text: 'x' })",
    ):
        done = f"(async () => {{ await ({attempt}); return 'done' }})().catch(e => e.name)"
        assert await page.evaluate(done) == "TypeError", attempt
    await page.close()
