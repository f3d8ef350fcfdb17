"""« Écouter » where the browser has no voice of the language: sounds of this site, in Chromium,
which has none. Words that are somebody's are not read, said not to be, and sent nowhere."""

import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson
from tests.journeys.test_script import Open, open_page, until
from tests.steps import ask
from tests.web.speech.espeak import espeak, needs_espeak, only
from web.i18n.translations import LANGUAGES, translations
from web.speech import recorder
from web.speech.fixed_sentences import fixed_sentences, sentences, tags, unread
from web.speech.recorder import record
from web.speech.sound_library import SoundLibrary, library_of

__all__ = ["open_page"]

pytestmark = [pytest.mark.browser, needs_espeak]
# Every sound that is played, with what is marked meanwhile; eight times as fast, to save time.
_EARS = """
  window.heard = [];
  const marked = (name) => [...(CSS.highlights.get(name) ?? [])]
    .map((range) => range.toString().replace(/\\s+/g, ' ')).join();
  const Sound = window.Audio;
  window.Audio = class extends Sound {
    constructor() {
      super();
      window.player = this;
      this.defaultPlaybackRate = 8;
      for (const kind of ['playing', 'ended', 'error']) {
        this.addEventListener(kind, () => heard.push(
          [kind, this.src.split('/').at(-1), marked('aloud'), marked('unread')]));
      }
    }
  };
"""
_NO_PAUSES = """
  const later = window.setTimeout;
  window.setTimeout = (call, ms) => later(call, ms === 1500 ? 1 : ms);
"""
_CUT = "at => import(at).then(part => part.sentences().map(one => [one.tag, one.text]))"
WELCOME = "Vos papiers, gardés une fois pour toutes"
KEEP = (
    "Ici, vous gardez vos papiers en sécurité."
    " Vous choisissez qui peut les voir, et vous savez toujours qui a regardé."
)
SIGN_IN = "Recevoir un code"


def parts(text: str, code: str) -> list[str]:
    """The sentences of a text in a language."""
    return list(sentences(translations(code).gettext(text)))


@pytest.fixture
def library(served: Served, monkeypatch: pytest.MonkeyPatch) -> Iterator[SoundLibrary]:
    """Sounds of a few sentences in French and Arabic, by the real program."""
    library = library_of(served.services.settings)
    library.folder.mkdir()
    for code in ("fr", "ar"):
        said = [part for text in (WELCOME, KEEP, SIGN_IN) for part in parts(text, code)]
        monkeypatch.setattr(recorder, "fixed_sentences", only(*said, *sentences(unread(code))))
        record(library, espeak(), code, lambda _done, _total: None)
    yield library
    shutil.rmtree(library.folder)


def sounds_of(library: SoundLibrary, tag: str) -> dict[str, str]:
    """The names of the sounds of a language, by what they say."""
    sounds: dict[str, str] = json.loads(library.lists()[tag].read_text())["sounds"]
    return sounds


async def in_language(page: Page, served: Served, code: str) -> None:
    """The same page in another language."""
    cookie = {"name": "unefois-language", "value": code, "url": served.base_url}
    await page.context.add_cookies([cookie])  # type: ignore[list-item]  # a cookie's shape
    await page.reload()


async def heard_to(page: Page, expression: str) -> None:
    """Wait for it, for as long as a page takes to be read."""
    for _ in range(6):
        with suppress(AssertionError):
            return await until(page, expression)
    raise AssertionError(expression, await page.evaluate("heard"))


@pytest.mark.parametrize("code", ["fr", "ar"])
async def test_sounds_are_played_where_there_is_no_voice_and_the_place_is_shown(
    open_page: Open, served: Served, library: SoundLibrary, code: str
) -> None:
    page = await open_page("/", init=_EARS + _NO_PAUSES)
    await in_language(page, served, code)
    assert await page.evaluate("speechSynthesis.getVoices().length") == 0
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    button = page.locator("[data-aloud] button")
    await expect(button).to_be_visible()
    # Nothing of it is fetched before somebody wants to listen.
    await page.wait_for_load_state("networkidle")
    assert not [path for path in asked if path.startswith("/voices/")]
    await button.click()
    words = translations(code).gettext
    await expect(button).to_have_text(words("Stop"))
    sounds = sounds_of(library, code)
    last = sounds[words(SIGN_IN)]
    await heard_to(page, f"heard.some(one => one[1] === '{last}' && one[0] === 'ended')")
    heard = await page.evaluate("heard")
    # 1. Each sentence that has a sound is heard to its end, in order, and marked meanwhile.
    said = [part for text in (WELCOME, KEEP, SIGN_IN) for part in parts(text, code)]
    assert len(said) >= 4
    for text in said:
        assert ["playing", sounds[text], text, ""] in heard
        assert ["ended", sounds[text], text, ""] in heard
    names = [one[1] for one in heard if one[0] == "ended"]
    order = [names.index(sounds[text]) for text in said]
    assert order == sorted(order)
    assert not [one for one in heard if one[0] == "error"]
    # 2. What has none is underlined, and said not to be read, once for several in a row.
    signs = [sounds[one] for one in sentences(unread(code))]
    signed = [one for one in heard if one[0] == "playing" and one[1] == signs[0]]
    assert signed
    assert all(one[2] == "" and one[3] not in ("", *sounds) for one in signed)
    # 3. Nothing but lists and sounds that are there was asked for.
    there = {path.name for path in library.folder.iterdir()}
    assert {path.removeprefix("/voices/") for path in asked if "static" not in path} <= there


async def test_a_sound_stops_at_once(open_page: Open, library: SoundLibrary) -> None:
    page = await open_page("/", init=_EARS.replace("= 8", "= 1"))
    button = page.locator("[data-aloud] button")
    await button.click()
    await until(page, "heard.length === 1")
    await button.click()
    await expect(button).to_have_text("Écouter")
    assert await page.evaluate("player.paused")
    assert not await page.evaluate("CSS.highlights.has('aloud') || CSS.highlights.has('unread')")
    await page.wait_for_timeout(300)
    assert len(await page.evaluate("heard")) == 1
    # And begins again, from the top.
    await button.click()
    await until(page, "heard.length === 2")
    first, again = await page.evaluate("heard")
    assert first == again


async def test_words_of_somebody_are_not_read_and_go_nowhere(
    open_page: Open, served: Served, make_person: MakePerson, library: SoundLibrary
) -> None:
    person = await make_person()
    page = await open_page("/me", person, init=_EARS)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.url} {request.post_data}"))
    digits = await _digits(person)
    assert digits in "".join((await page.inner_text("main")).split())
    await page.locator("[data-aloud] button").click()
    await until(
        page,
        "[...(CSS.highlights.get('unread') ?? [])].some(range =>"
        f" range.toString().replace(/\\D/g, '').includes('{digits}'))",
    )
    # Sounds of what is not read were heard, and the words of the page stayed in it.
    known = ("fr.json", *sounds_of(library, "fr").values())
    voices = [one for one in asked if "/voices/" in one]
    assert {one.rpartition("/voices/")[2] for one in voices} <= {f"{name} None" for name in known}
    assert not [one for one in asked if digits in one]


async def _digits(person: SomePerson) -> str:
    """The phone's last ones, as the page shows them."""
    return "".join(sign for sign in person.phone if sign.isdigit())[-8:]


async def test_without_sounds_of_the_language_there_is_no_button(
    open_page: Open, served: Served, library: SoundLibrary
) -> None:
    page = await open_page("/", init=_EARS)
    await expect(page.locator("[data-aloud]")).to_be_visible()
    await in_language(page, served, "en")
    await page.wait_for_load_state("networkidle")
    assert not await page.is_visible("[data-aloud]")
    # The French under it has some; the page's own language has none.
    assert await page.get_attribute("[data-aloud]", "data-voices") == "fr"


async def test_the_page_cuts_its_words_as_the_sounds_were_made(
    browser: Browser, served: Served, make_person: MakePerson, library: SoundLibrary
) -> None:
    """In each language, and in the French under it: pages that say nothing of somebody."""
    context = await browser.new_context()
    person = await make_person()
    cookie = {"name": "unefois-person", "value": person.token, "url": served.base_url}
    await context.add_cookies([cookie])  # type: ignore[list-item]  # a cookie's shape
    page = await context.new_page()
    known = {tag: set(fixed_sentences(tag)) for tag in tags()}
    for tag in known:
        if tag not in library.lists():
            library.write_list(tag, {"sounds": {}, "unread": []})
    for code in LANGUAGES:
        cookie = {"name": "unefois-language", "value": code, "url": served.base_url}
        await context.add_cookies([cookie])  # type: ignore[list-item]  # a cookie's shape
        for path in ("/documents/add", "/requests"):
            await page.goto(served.base_url + path)
            module = await page.get_attribute("script[type=module]", "src") or ""
            module = module.replace("page.js", "aloud.js")
            shown = await page.evaluate(_CUT, module)
            assert shown
            assert [text for tag, text in shown if text not in known[tag]] == [], (code, path)
    # Where browsers would cut otherwise: before a small letter, after a shortened word.
    for text in ("Reçus, etc. ici.  M. Dupont\u00a0!", "« Oui ! » 2.5 Mo… fin", "من؟ أنت. نعم"):
        write = "(text) => { document.getElementById('main').textContent = text; }"
        await page.evaluate(write, text)
        shown = await page.evaluate(_CUT, module)
        assert [one for _tag, one in shown] == list(sentences(text))
    await context.close()


async def test_words_that_somebody_wrote_in_french_are_read_as_french(
    open_page: Open,
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
) -> None:
    """Within a line of another language too."""
    person, worker = await make_person(), await make_worker()
    request = await ask(client, worker.headers, person.phone, "payslip")
    page = await open_page(f"/requests/{request}/why", person)
    await in_language(page, served, "ar")
    module = await page.get_attribute("script[type=module]", "src") or ""
    cut = await page.evaluate(_CUT, module.replace("page.js", "aloud.js"))
    tags_of = {tag for tag, text in cut if "Demande de logement social" in text}
    assert tags_of == {"fr"}
    assert {tag for tag, _text in cut} == {"ar", "fr"}
