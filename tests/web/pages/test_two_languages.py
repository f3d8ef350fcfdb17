"""Any page in two languages, line under line; what is said yes to has French beside."""

import re
from dataclasses import replace
from html import unescape

import httpx
import pytest
from markupsafe import escape

from tests.fixtures import MakePerson, MakeWorker, Served
from tests.steps import ask, deposit, granted, log_of
from tests.vault.decoding import corpus
from tests.web.pages.answers import say_yes
from tests.web.printouts.reading import text_of
from web.i18n.languages import languages, offered
from web.pages import forms
from web.pages.rendering import render
from web.pages.two_languages import _parsed, weave

AR, FR = languages()["ar"], languages()["fr"]
OWN = {"Français"}
"""The language that is read, by its own name."""
UNDER = re.compile(r'<bdi class="second" lang="fr" dir="ltr">(.*?)</bdi>', re.S)
TEXT = re.compile(r"<(script|style|title|textarea|option)\b.*?</\1>|<[^>]*>", re.S)


def woven(page: str, other: str) -> str:
    return weave(page, other, AR, FR)


def both(words: str, other: str) -> str:
    second = f'<bdi class="second" lang="fr" dir="ltr">{other}</bdi>'
    return f'<bdi class="both" dir="rtl">{words}{second}</bdi>'


def test_each_line_has_the_other_one_under_it() -> None:
    page = '<h1><svg><path d=""/></svg> نعم</h1><p>واحد <strong>اثنان</strong><br>ثلاثة</p>'
    other = '<h1><svg><path d=""/></svg> Oui</h1><p>Un <strong>deux</strong><br>Trois</p>'
    assert woven(page, other) == (
        f'<h1><svg><path d=""/></svg> {both("نعم", "Oui")}</h1>'
        f"<p>{both('واحد <strong>اثنان</strong>', 'Un <strong>deux</strong>')}"
        f"<br>{both('ثلاثة', 'Trois')}</p>"
    )


def test_what_is_the_same_stands_once_also_between_other_marks() -> None:
    page, other = "<p>“Amina” 06</p>", "<p>«\u00a0Amina\u00a0» 06</p>"
    assert woven(page, other) == page


def test_attributes_titles_and_what_is_typed_stay_and_choices_have_one_line() -> None:
    form = '<title>{0}</title><input value="{0}"><textarea>{0}</textarea><option>{0}</option>'
    page, other = form.format("نعم"), form.format("Oui")
    assert woven(page, other) == page.replace("نعم</option>", "نعم / Oui</option>")


def test_a_part_that_is_built_otherwise_stays_in_its_own_language() -> None:
    page, other = "<div><p>نعم</p></div><p>لا</p>", "<div><ul></ul></div><p>Non</p>"
    assert woven(page, other) == f"<div><p>نعم</p></div><p>{both('لا', 'Non')}</p>"
    assert woven("<p>نعم", "<p>Oui") == "<p>نعم"


@pytest.mark.parametrize("typed", ["<b>x</b>", '"><script>', "</bdi></p>", "&lt;b&gt;", "a > b"])
def test_nothing_typed_becomes_markup(typed: str) -> None:
    page = "<p>نعم {}</p><option>لا {}</option>".format(*[escape(typed)] * 2)
    other = "<p>Oui {}</p><option>Non {}</option>".format(*[escape(typed)] * 2)
    made = woven(page, other)
    assert made.count(str(escape(typed))) == 4
    assert re.findall(r"<[^>]*>", made) == re.findall(
        r"<[^>]*>",
        woven(page.replace(str(escape(typed)), "x"), other.replace(str(escape(typed)), "x")),
    )


def test_an_id_stands_once() -> None:
    made = woven('<p><strong id="a">نعم</strong></p>', '<p><strong id="a">Oui</strong></p>')
    assert made.count('id="a"') == 1


def words_of(html: str) -> set[str]:
    """What a page says in French, line by line, but for what stands once in a list."""
    lines = re.sub(r"[\u2068\u2069«»]|\(\d+\)", "", TEXT.sub("\n", html)).split("\n")
    return {" ".join(line.split()) for line in lines if line.strip()}


async def test_every_page_is_whole_in_both(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Each line of the French page stands in the Arabic one that has French under it."""
    person, worker = await make_person(), await make_worker()
    document = (await deposit(client, person, corpus.pdf(1), type_="payslip"))["id"]
    grant = await granted(client, person, worker.headers, "payslip")
    request = await ask(client, worker.headers, person.phone, "payslip", "passport")
    event = (await log_of(client, person))[0]["id"]
    mine = ["/documents", f"/documents/{document}", "/documents/add", "/documents/deleted"]
    mine += [f"/documents/{document}/{end}" for end in ("correct", "version", "delete")]
    mine += [f"/documents/{document}/{end}" for end in ("show", "versions")]
    mine += ["/grants/new", "/grants/stop-all", "/me"]
    mine += [f"/me/{end}" for end in ("name", "means", "cards/new", "pin", "phone")]
    mine += [f"/requests/{request}/{step}" for step in ("why", "papers")]
    mine += ["/requests", f"/requests/{request}", "/grants", f"/grants/{grant}/stop", "/erasure"]
    mine += ["/access-log", f"/access-log/{event}/report", "/sessions", "/nowhere"]
    theirs = [
        "/pro/people",
        "/pro/requests",
        "/pro/account",
        "/pro/requests/new",
        f"/pro/grants/{grant}",
        "/pro/doings",
    ]
    theirs += [f"/pro/grants/{grant}/evidence?type=payslip", "/pro/sessions"]
    missing = []
    for cookies, paths in (
        ({}, ["/", "/card", "/pro", "/styles"]),
        ({"unefois-person": person.token}, mine),
        ({"unefois-worker": worker.token}, theirs),
    ):
        for path in paths:
            french = await page_in(served, path, {**cookies, "unefois-language": "fr"})
            pair = await page_in(served, path, {**cookies, "unefois-language": "ar"})
            _parsed(french)
            shown = words_of(pair)
            missing += [(path, line) for line in words_of(french) - shown - OWN]
            assert UNDER.search(pair), path
    assert missing == []


async def page_in(served: Served, path: str, cookies: dict[str, str]) -> str:
    async with httpx.AsyncClient(base_url=served.base_url, cookies=cookies) as browser:
        return (await browser.get(path)).text


@pytest.mark.parametrize(
    ("language", "second", "expected"),
    [
        ("ar", None, "fr"), ("en", None, "fr"), ("fr", None, ""), ("falc", None, ""),
        ("ar", "none", ""), ("ar", "es", "es"), ("fr", "ar", "ar"), ("ar", "ar", ""),
        ("ar", "unknown", "fr"),
    ],
)  # fmt: skip
async def test_which_language_stands_under(
    served: Served, language: str, second: str | None, expected: str
) -> None:
    cookies = {"unefois-language": language} | ({"unefois-second": second} if second else {})
    async with httpx.AsyncClient(base_url=served.base_url, cookies=cookies) as browser:
        answer = await browser.get("/")
    found = re.findall(r'class="second" lang="([^"]*)"', answer.text)
    assert set(found) == ({languages()[expected].tag} if expected else set())
    said = [languages()[one].tag for one in (language, expected) if one]
    assert answer.headers["content-language"] == ", ".join(dict.fromkeys(said))


@pytest.mark.parametrize("second", ["none", "es"])
async def test_a_request_has_french_beside_whatever_was_chosen(
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    second: str,
) -> None:
    person, worker = await make_person(), await make_worker()
    request = await ask(client, worker.headers, person.phone, "payslip")
    cookies = {
        "unefois-person": person.token, "unefois-language": "uk", "unefois-second": second
    }  # fmt: skip
    pages = [await page_in(served, f"/requests/{request}{end}", cookies) for end in ("", "/why")]
    under = UNDER.findall("".join(pages))
    no = "Non, je ne montre rien"
    assert {no, "Pourquoi\u00a0?", "Ce n’est pas moi"} <= set(under)
    assert no not in UNDER.findall(await page_in(served, "/documents", cookies))


@pytest.mark.parametrize("second", ["none", "es"])
async def test_papers_given_unasked_have_french_beside_whatever_was_chosen(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, second: str
) -> None:
    """On each step, on what is read before the yes, and where it is asked again."""
    person = await make_person()
    paper = await deposit(client, person, corpus.pdf(1), type_="payslip")
    cookies = {
        "unefois-person": person.token, "unefois-language": "uk", "unefois-second": second
    }  # fmt: skip
    token = await forms.token_for(served.services, person.token)
    said = {"document": paper["id"], "purpose_code": "housing", "duration": "P7D"}
    sent = {"form": token, **said, "email": "a@structure.example"}
    async with httpx.AsyncClient(base_url=served.base_url, cookies=cookies) as browser:
        first = await browser.get("/grants/new")
        check = await browser.post("/grants/new/check", data=sent)
        again = await browser.post("/grants/new", data=sent | {"seen": "", "once": "a"})
    for page, words in (
        (first, "Quels papiers laissez-vous voir"),
        (check, "Oui, montrer"),
        (again, "Oui, montrer"),
    ):
        under = " ".join(UNDER.findall(page.text)).replace("\xa0", " ")
        assert words in re.sub("<[^>]+>", "", under), page.url
        assert page.headers["content-language"] == "uk, fr"


async def test_a_copy_that_may_be_stored_is_told_in_french_beside(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    wanted = {"may_store": True, "store_for": "P2Y"}
    request = await ask(client, worker.headers, person.phone, "payslip", **wanted)
    cookies = {"unefois-person": person.token, "unefois-language": "uk"}
    said = "type=payslip&duration=asked&may_store=yes"
    for end, words in (
        ("why", "Oui, pendant 2 ans"),
        ("until", "Camille Moreau demande"),
        ("copy", "Oui, pendant 2 ans"),
        ("check", "Oui, pendant 2 ans"),
    ):
        page = await page_in(served, f"/requests/{request}/{end}?{said}", cookies)
        under = " ".join(UNDER.findall(page)).replace("\xa0", " ").replace("\u202f", " ")
        assert words in re.sub("<[^>]+>", "", under), end
        assert "pendant 2 ans" not in re.sub("<[^>]+>", "", UNDER.sub("", page)), end


async def test_it_is_chosen_and_taken_back_on_the_page_of_languages(served: Served) -> None:
    async with httpx.AsyncClient(base_url=served.base_url) as browser:
        for address in ("/second-language/ar?back=/pro", "/language/fr?back=/pro&with=none"):
            page = unescape((await browser.get("/language?back=/pro")).text)
            assert f'href="{address}"' in page
            chosen = await browser.get(address)
            assert chosen.headers["location"] == "/pro"
            browser.cookies.update(chosen.cookies)
            assert ('class="second" lang="ar"' in (await browser.get("/pro")).text) == (
                "/ar" in address
            )
        for unknown in ("/second-language/xx", "/language/ar?with=xx", "/language/xx?with=fr"):
            assert (await browser.get(unknown)).status_code == 404


@pytest.mark.parametrize("language", ["ar", "uk"])
async def test_one_or_two_languages_are_chosen_without_reading_french(
    served: Served, language: str
) -> None:
    """The name alone gives that language alone; with French, it says so in its own words."""
    with_french = {"ar": "مع الفرنسية تحتها", "uk": "з французькою під нею"}[language]
    async with httpx.AsyncClient(base_url=served.base_url) as browser:
        page = unescape((await browser.get("/language")).text)
        to = f'<a class="button" href="(/language/{language}[^"]*)" lang="{language}"[^>]*>(.*)</a>'
        said = dict(re.findall(to, page))
        links = {address: re.sub("<[^>]+>", "", words).split() for address, words in said.items()}
        alone, two = links
        name = languages()[language].name.split()
        assert links == {alone: name, two: [*name, "+", "Français", *with_french.split()]}
        for address, expected in ((alone, set()), (two, {"fr"})):
            chosen = await browser.get(address)
            browser.cookies.update(chosen.cookies)
            shown = (await browser.get("/pro")).text
            assert f'<html lang="{language}"' in shown
            assert set(re.findall(r'class="second" lang="([^"]*)"', shown)) == expected
            choices = unescape((await browser.get("/language")).text)
            (current,) = re.findall(r'href="([^"]*)"[^>]*aria-current="true"', choices)
            assert current == address


def test_what_depends_on_the_language_stays_that_of_the_first() -> None:
    """The note that nobody read the translation, in the page's language and in French under it."""
    shown = {"area": "visit", "path": "", "here": "", "form_token": "", "done": "", "back": "/"}
    shown |= {"discreet": False, "path": "/language"}
    page = render("language.html", "ar", "fr", **shown)
    assert '<html lang="ar" dir="rtl">' in page
    assert any("n’a pas encore été relue" in line for line in UNDER.findall(page))
    assert replace(AR, reviewed_by="A. B., 2027-01").unread is False
    assert {"es", "ar", "uk"} <= set(offered())


@pytest.mark.parametrize(
    ("language", "names"), [("uk", "Українська, Français"), ("falc", "Français facile")]
)
async def test_the_receipt_names_the_languages_that_were_read(
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    language: str,
    names: str,
) -> None:
    person, worker = await make_person(), await make_worker()
    request = await ask(client, worker.headers, person.phone, "payslip")
    cookies = {"unefois-person": person.token, "unefois-language": language}
    async with httpx.AsyncClient(base_url=served.base_url, cookies=cookies) as browser:
        await say_yes(browser, request, ("type", "payslip"))
    given = (await client.get("/v1/grants", headers=person.headers)).json()["items"][0]["id"]
    for who, told in ((person, True), (worker, False)):
        answer = await client.get(f"/v1/grants/{given}/receipt.pdf", headers=who.headers)
        assert (f"Demande lue en {names}" in text_of(answer.content)) == told
        record = await client.get(f"/v1/grants/{given}/receipt", headers=who.headers)
        assert "shown_in" not in record.text
