"""A wrong photo: each step that shows it says what it is called, and takes it again or removes it;
nothing that was typed is lost by that, and no way back leads in a circle."""

import re

import httpx
import pytest

from tests.fixtures import MakePerson, Served, SomePerson
from tests.web.pages.draft_steps import draft_of, pictures_of, say, send
from tests.web.pages.test_pages import a_photo, browser_of

CARD = "/documents/add?type=national_identity_card"
TYPED = {"title": "Malik", "expires_on_day": "3", "expires_on_month": "", "expires_on_year": "2034"}


def plain(page: httpx.Response) -> str:
    return page.text.replace("\xa0", " ")


async def a_card(served: Served, person: SomePerson, browser: httpx.AsyncClient) -> str:
    """An identity card with both its sides, the date still unsaid: the address of its draft."""
    sent = await send(served, person, browser, CARD, a_photo("red"), a_photo("blue"))
    return draft_of(sent)


@pytest.mark.parametrize("step", ["pictures", "details", "check"])
async def test_each_picture_stands_once_under_its_name_with_what_may_be_done(
    served: Served, make_person: MakePerson, step: str
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        draft = await a_card(served, person, browser)
        page = plain(await browser.get(f"{draft}/{step}"))
        assert page.count("/preview") == 2
        assert "Ce ne sont pas les bonnes photos ?" in page
        _, recto, verso = page.split('<div class="shot">')
        assert page.index("<h2>Recto</h2>") < page.index(recto) < page.index("<h2>Verso</h2>")
        for one, name in ((recto, "Recto"), (verso, "Verso")):
            assert f'alt="{name}"' in one
            assert re.search(rf'Reprendre<span class="unseen"> {name}</span>', one)
            assert re.search(rf'Enlever<span class="unseen"> {name}</span>', one)
        # Before what goes on, not below it.
        going_on = {
            "pictures": ">Continuer<",
            "details": ">Continuer<",
            "check": "Garder ce papier",
        }
        assert page.index("Enlever") < page.index(going_on[step])


async def test_pictures_of_other_papers_are_pages(served: Served, make_person: MakePerson) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        address = "/documents/add?type=payslip"
        draft = draft_of(
            await send(served, person, browser, address, a_photo("red"), a_photo("blue"))
        )
        page = plain(await browser.get(f"{draft}/details"))
    assert re.findall(r"<li>\s*<h2>([^<]+)</h2>", page) == ["Page 1", "Page 2"]


@pytest.mark.parametrize("step", ["pictures", "details", "check"])
async def test_one_comes_back_to_where_one_was(
    served: Served, make_person: MakePerson, step: str
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        draft = await a_card(served, person, browser)
        one, two = pictures_of(await browser.get(f"{draft}/check"))
        page = plain(await browser.get(f"{one}?at={step}"))
        assert f'href="{draft}/{step}"' in page
        assert f'action="{one}?at={step}"' in page
        # What is sent in its place is no photo: it is said there, and the way back is the same.
        refused = await send(served, person, browser, f"{one}?at={step}", b"no photo")
        assert refused.status_code == 415, refused.text
        assert f'action="{one}?at={step}"' in refused.text
        assert f'href="{draft}/{step}"' in refused.text
        taken = await send(served, person, browser, f"{one}?at={step}", a_photo("green"))
        assert taken.headers["location"] == f"{draft}/{step}"
        new, _ = pictures_of(await browser.get(f"{draft}/check"))
        gone = await say(served, person, browser, f"{two}/change?at={step}", act="remove")
        assert gone.headers["location"] == f"{draft}/{step}"
        last = await say(served, person, browser, f"{new}/change?at={step}", act="remove")
        assert last.headers["location"] == f"{draft}/pictures"
        # An address of nobody's is none of ours.
        strange = await say(served, person, browser, f"{new}/change?at=//x.example", act="remove")
        assert strange.headers["location"] == f"{draft}/pictures"


@pytest.mark.parametrize("act", ["again", "remove", "more"])
async def test_what_was_typed_stays_when_a_photo_is_changed_first(
    served: Served, make_person: MakePerson, act: str
) -> None:
    """A date of which a part is missing too."""
    person = await make_person()
    async with browser_of(served, person) as browser:
        draft = await a_card(served, person, browser)
        page = await browser.get(f"{draft}/details")
        address = f"{draft}/details"
        if act != "more":
            address = re.findall(r'formaction="([^"]+)" [^>]*value="again"', page.text)[0]
        done = await say(served, person, browser, address, act=act, **TYPED)
        where = {"again": "?at=details", "remove": "/details", "more": "pictures?at=details#more"}
        assert done.headers["location"].endswith(where[act])
        page = await browser.get(f"{draft}/details")
        for name, value in TYPED.items():
            field = re.search(rf'<input[^>]* name="{name}"[^>]*>', page.text)
            assert field, name
            assert f'value="{value}"' in field[0], name
        # It was not said: the step is still to come, and what is then said counts.
        assert (await browser.get("/documents/add")).text.count(f'href="{draft}/details"') == 1
        await say(served, person, browser, f"{draft}/details", **TYPED | {"expires_on_month": "4"})
        assert "3 avril 2034" in plain(await browser.get(f"{draft}/check"))
        assert 'value="4"' in (await browser.get(f"{draft}/details")).text


@pytest.mark.parametrize("act", ["again", "remove", "more", ""])
@pytest.mark.parametrize(
    ("name", "most", "told"),
    [
        ("title", 200, "Un texte dépasse 200 caractères."),
        ("expires_on_day", 2, "Nous n’avons pas compris cette date."),
        ("expires_on_year", 4, "Nous n’avons pas compris cette date."),
    ],
)
async def test_no_more_is_kept_than_a_field_takes(
    served: Served, make_person: MakePerson, act: str, name: str, most: int, told: str
) -> None:
    """It is said beside what was typed, which is all there; nothing else is done."""
    person = await make_person()
    async with browser_of(served, person) as browser:
        draft = await a_card(served, person, browser)
        page = await browser.get(f"{draft}/details")
        address = f"{draft}/details"
        if act in ("again", "remove"):
            address = re.findall(r'formaction="([^"]+)" [^>]*value="again"', page.text)[0]
        filled = TYPED | {"expires_on_month": "4"}
        long = filled | {name: "1" * (most + 1)}
        answer = await say(served, person, browser, address, act=act, **long)
        assert answer.status_code == 422
        shown = plain(answer)
        assert told in shown
        for field, value in long.items():
            assert re.search(rf'<input[^>]* name="{field}"[^>]* value="{value}"', shown), field
        after = await browser.get(f"{draft}/details")
        assert "1" * (most + 1) not in after.text, "it was not kept"
        assert pictures_of(after) == pictures_of(page)
        fits = filled | {name: "1" * most}
        assert (await say(served, person, browser, address, act=act or "more", **fits)).is_redirect


@pytest.mark.parametrize("act", ["again", "more", ""])
async def test_a_year_of_no_calendar_is_said_beside_it(
    served: Served, make_person: MakePerson, act: str
) -> None:
    """With a month, and no day: the last of that month was looked for, and the page failed."""
    person = await make_person()
    async with browser_of(served, person) as browser:
        draft = await a_card(served, person, browser)
        address = f"{draft}/details"
        if act == "again":
            page = (await browser.get(address)).text
            address = re.findall(r'formaction="([^"]+)" [^>]*value="again"', page)[0]
        far = {"expires_on_day": "", "expires_on_month": "4", "expires_on_year": "9" * 12}
        answer = await say(served, person, browser, address, act=act, **TYPED | far)
        assert answer.status_code == 422
        assert "Nous n’avons pas compris cette date." in plain(answer)
        assert f'value="{"9" * 12}"' in answer.text


async def test_a_year_of_incomes_has_four_digits_before_it_is_kept(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        sent = await send(
            served, person, browser, "/documents/add?type=income_tax_notice", a_photo("red")
        )
        details = f"{draft_of(sent)}/details"
        typed = {"act": "more", "income_year": "20255"}
        answer = await say(served, person, browser, details, **typed)
        assert answer.status_code == 422
        assert "l’année des revenus" in plain(answer)
        assert 'value="20255"' in answer.text
        assert "20255" not in (await browser.get(details)).text


async def test_enter_in_a_field_presses_neither_remove_nor_retake(
    served: Served, make_person: MakePerson
) -> None:
    """The first button of a form is what Enter presses."""
    person = await make_person()
    async with browser_of(served, person) as browser:
        draft = await a_card(served, person, browser)
        page = (await browser.get(f"{draft}/details")).text
    form = page.split('<form id="details"')[1]
    assert re.findall(r"<button[^>]*>", form)[0] == "<button hidden>"
    assert 'form="details"' not in page.split('<form id="details"')[0]


async def test_the_way_back_leads_to_the_pictures_and_out_never_in_a_circle(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        draft = await a_card(served, person, browser)
        ways, address = [], f"{draft}/check"
        while address != "/documents":
            found = re.search(
                r'<p class="back"><a href="([^"]+)"', (await browser.get(address)).text
            )
            assert found
            address = found[1]
            ways.append(address.removeprefix(draft))
            assert len(ways) < 9, ways
        assert ways == ["/details", "/pictures", "/documents"]
        # From the way to one more photo: to where it was chosen.
        for step in ("details", "check"):
            page = (await browser.get(f"{draft}/pictures?at={step}")).text
            assert f'<p class="back"><a href="{draft}/{step}">' in page
            # Also where the photo that is sent there is none.
            assert page.count(f'action="{draft}/pictures?at={step}"') == 2
            wrong = await send(served, person, browser, f"{draft}/pictures?at={step}", b"no photo")
            assert wrong.status_code == 415
            assert f'<p class="back"><a href="{draft}/{step}">' in wrong.text
        # What is kept comes first, then what goes on, then one more.
        assert page.index("Enlever") < page.index(">Continuer<") < page.index('id="more"')


async def test_a_list_says_until_when_a_paper_is_good_and_a_viewer_which_side_it_shows(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        draft = await a_card(served, person, browser)
        await say(served, person, browser, f"{draft}/details", **TYPED | {"expires_on_month": "4"})
        kept = await say(served, person, browser, f"{draft}/check")
        address = kept.headers["location"].split("?")[0]
        listed = plain(await browser.get("/documents"))
        assert "Bon jusqu’au 3 avril 2034" in listed
        assert "Ajouté le" not in listed
        back = plain(await browser.get(f"{address}/show?page=2&large=yes"))
        assert '<p class="leaf">Verso, page 2 sur 2</p>' in back
        assert "Agrandir" not in back, "as large as it gets, by one press"
        smaller = re.findall(r'href="([^"]*)">Réduire', back)
        seen = plain(await browser.get(smaller[0].replace("&amp;", "&")))
        assert 'class="screen"' in seen
        assert re.findall(r'href="([^"]*)">Agrandir<', seen) == [
            f"{address}/show?page=2&amp;large=yes#paper"
        ]
