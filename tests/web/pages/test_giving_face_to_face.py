"""What was chosen to be given goes through a meeting: after two yes, one goes on from there."""

import re
from datetime import timedelta

import httpx
import pytest

from tests.fixtures import MakePerson, MakeWorker, MoveClock, Served, SomePerson, SomeWorker
from tests.steps import deposit, granted
from tests.vault.decoding import corpus
from tests.web.pages.answers import Pairs, send, yes_of
from tests.web.pages.test_meetings import press, text_in, text_of, typed
from tests.web.pages.test_pages import browser_of
from vault.consent import people

SHOW = "/meetings?giving=yes"


@pytest.fixture
async def two(make_person: MakePerson, make_worker: MakeWorker) -> tuple[SomePerson, SomeWorker]:
    return await make_person(), await make_worker(name="Camille Moreau")


async def shown(browser: httpx.AsyncClient, fields: Pairs) -> tuple[str, str, str]:
    """Show a code; returns the meeting's address, what it carries, and the digits."""
    opened = await send(browser, SHOW, fields)
    address, _, carried = opened.headers["location"].partition("?")
    text = await text_of(browser, opened.headers["location"])
    assert "Avec ce code, personne ne voit encore rien." in text
    return address, carried, digits_in(text)


def digits_in(text: str) -> str:
    digits = re.search(r'class="digits" dir="ltr"><strong>(\d{3} \d{3})<', text)
    assert digits, text
    return digits[1]


def goes_on(text: str) -> str:
    found = re.search(r'href="([^"]+)"[^>]*>(?:<svg.*?</svg>)?Montrer des papiers mainten', text)
    assert found, text
    return found[1].replace("&amp;", "&")


def main_button(text: str) -> str:
    """The solid button of a page, as a link."""
    main = text.split("<main", 1)[1].partition("</main>")[0]
    return main.partition('class="button main"')[2].partition("</a>")[0]


def asks_before_the_yes(text: str) -> None:
    """Who it is, then a question, then the yes."""
    asked = text.index("Y a-t-il le même mot ?")
    assert text.index("Camille Moreau") < asked < text.index("Oui, et c’est")
    assert "doit montrer" not in text


def names_the_paper_and_its_day(opened: str) -> None:
    """A grant, on its person's page, as above it: the paper by its name, the end by its day."""
    assert "Paie de mai" in opened.split('id="grants"')[1]
    assert "papier choisi" not in opened
    assert "23 h 59" not in opened.replace("\xa0", " ")


async def test_all_that_was_chosen_is_there_after_both_said_yes(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    person, worker = two
    async with browser_of(served, person) as theirs, browser_of(served, worker) as at_work:
        paper = await deposit(theirs, person, corpus.pdf(1), type_="payslip", title="Paie de mai")
        chosen = f"document={paper['id']}&purpose_code=housing&duration=P7D"
        who = f"/grants/new/who?{chosen}"
        fields = yes_of((await theirs.get(who)).text, SHOW)
        # An e-mail, or an address of another site, is not carried.
        fields += [("email", "camille@example.org"), ("worker", paper["id"]), ("back", "//else")]
        own, carried, code = await shown(theirs, fields)
        assert carried == f"giving=yes&{chosen}"
        assert f'href="{who.replace("&", "&amp;")}"' in (await theirs.get(f"{own}?{carried}")).text
        asked = (await typed(at_work, "/pro/meetings/code", code)).headers["location"]
        await press(at_work, asked, "yes")
        page = (await theirs.get(f"{own}?{carried}")).text
        asks_before_the_yes(text_in(page))
        agreed = await send(theirs, own, [*yes_of(page, own), ("agree", "yes")])
        assert agreed.headers["location"] == f"{own}?{carried}"
        text = (await theirs.get(agreed.headers["location"])).text
        meeting = own.rpartition("/")[2]
        assert goes_on(text) == f"/grants/new/check?meeting={meeting}&{chosen}"
        main = main_button(text)
        assert "Montrer des papiers maintenant" in main
        assert text.index("Montrer des papiers maintenant") < text.index("Voir si une demande")
        # Who came for something else has no main button: neither is what they came for.
        other = (await theirs.get(own)).text
        assert main_button(other) == ""
        assert other.index("Voir si une demande") < other.index("Montrer des papiers maintenant")
        check = await text_of(theirs, goes_on(text))
        assert "Vous allez montrer 1 papier à Camille Moreau" in check
        assert "Paie de mai" in check
        waits = (await at_work.get(asked)).text
        assert "Demander des papiers" in main_button(waits)
        assert "Regarder encore" in waits
        given = await send(theirs, "/grants/new", yes_of(check, "/grants/new"))
        assert given.headers["location"].startswith("/grants?done=given&of="), given.text
        # The worker is told, and led to the person; a week is no warning on its first day.
        told = (await at_work.get(asked)).text
        assert "La personne vous a donné un accès" in told
        assert "Voir les papiers" in main_button(told)
        led = re.findall('href="(/pro/people/[0-9a-f-]+)"', told)
        names_the_paper_and_its_day((await at_work.get(led[0])).text)
        assert "Se termine bientôt" not in (await at_work.get("/pro/people")).text


async def both_agree(theirs: httpx.AsyncClient, at_work: httpx.AsyncClient, chosen: str) -> str:
    """Meet, to show what was chosen; returns the meeting's id."""
    who = f"/grants/new/who?{chosen}"
    own, _, code = await shown(theirs, yes_of((await theirs.get(who)).text, SHOW))
    asked = (await typed(at_work, "/pro/meetings/code", code)).headers["location"]
    await press(at_work, asked, "yes")
    await press(theirs, own, "yes")
    return own.rpartition("/")[2]


async def test_what_the_one_who_is_there_sees_for_longer_is_said_before_the_yes(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    """« Until Saturday » is not so while another yes shows the same paper for months."""
    person, worker = two
    async with browser_of(served, person) as theirs, browser_of(served, worker) as at_work:
        paper = await deposit(theirs, person, corpus.pdf(1), type_="payslip", title="Paie de mai")
        former = await granted(theirs, person, worker.headers, "payslip", duration="P6M")
        chosen = f"document={paper['id']}&purpose_code=housing&duration=P7D"
        meeting = await both_agree(theirs, at_work, chosen)
        check = await text_of(theirs, f"/grants/new/check?meeting={meeting}&{chosen}")
        assert "Camille Moreau voit déjà, jusqu’au" in check
        fields = yes_of(check, "/grants/new")
        unsaid = await send(theirs, "/grants/new", fields)
        assert unsaid.status_code == 422, "it is asked whether that stops"
        given = await send(theirs, "/grants/new", [*fields, ("longer", "stop")])
        assert given.headers["location"].startswith("/grants?done=given&of=")
        ended = (await theirs.get(f"/v1/grants/{former}", headers=person.headers)).json()
        assert ended["state"] == "ended" or ended["revoked_at"], ended


async def test_a_yes_that_is_sent_again_leads_to_what_became_of_it(
    served: Served, two: tuple[SomePerson, SomeWorker], moved_clock: MoveClock
) -> None:
    """The answer was lost on the way: it was given once, and no page says that it failed. Too late
    for it, what was chosen is not lost."""
    person, worker = two
    async with browser_of(served, person) as theirs, browser_of(served, worker) as at_work:
        paper = await deposit(theirs, person, corpus.pdf(1), type_="payslip")
        chosen = f"document={paper['id']}&purpose_code=housing&duration=P7D"
        meeting = await both_agree(theirs, at_work, chosen)
        page = await text_of(theirs, f"/grants/new/check?meeting={meeting}&{chosen}")
        fields = yes_of(page, "/grants/new")
        assert (await send(theirs, "/grants/new", fields)).headers["location"].startswith("/grants")
        again = await send(theirs, "/grants/new", fields)
        told = await text_of(theirs, again.headers["location"])
        assert "C’est fait" in told
        assert "Rien n’a été" not in told
        listed = (await theirs.get("/v1/grants", headers=person.headers)).json()["items"]
        assert len(listed) == 1
        late = await both_agree(theirs, at_work, chosen)
        page = await text_of(theirs, f"/grants/new/check?meeting={late}&{chosen}")
        moved_clock(timedelta(minutes=31))
        over = await send(theirs, "/grants/new", yes_of(page, "/grants/new"))
        assert over.headers["location"] == f"/meetings/{late}?giving=yes&{chosen}"
        told = await text_of(theirs, over.headers["location"])
        assert "Rien n’a été demandé ni montré" in told
        assert ("document", paper["id"]) in yes_of(told, "/meetings")


async def test_what_is_ticked_goes_along_with_the_button_under_the_list(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    """As a browser sends it: the fields of the form, and the one button that was pressed."""
    person, worker = two
    async with browser_of(served, person) as theirs, browser_of(served, worker) as at_work:
        paper = await deposit(theirs, person, corpus.pdf(1), type_="payslip")
        await granted(theirs, person, worker.headers, "lease")
        listed = (await theirs.get("/grants/new")).text
        form = listed.split('action="/grants/new/why"', 1)[1].split("</form>", 1)[0]
        button = re.search(
            f'<button formaction="{re.escape(SHOW)}" formmethod="post" name="form" value="(.+?)">',
            form,
        )
        assert button, form
        assert not re.search('<input[^>]* name="form"', form), "the token stands in no address"
        token = ("form", button[1])
        own, carried, _ = await shown(theirs, [("document", paper["id"]), token])
        assert carried == f"giving=yes&document={paper['id']}"
        # A no: the way back, and a new code, keep it.
        stopped = await send(
            theirs,
            own,
            [*yes_of((await theirs.get(f"{own}?{carried}")).text, own), ("agree", "no")],
        )
        over = (await theirs.get(stopped.headers["location"])).text
        assert f'href="/grants/new/why?document={paper["id"]}"' in over
        again = await send(theirs, "/meetings", yes_of(over, "/meetings"))
        own = again.headers["location"].partition("?")[0]
        assert again.headers["location"] == f"{own}?{carried}"
        code = digits_in(await text_of(theirs, again.headers["location"]))
        asked = (await typed(at_work, "/pro/meetings/code", code)).headers["location"]
        await press(at_work, asked, "yes")
        page = (await theirs.get(f"{own}?{carried}")).text
        await send(theirs, own, [*yes_of(page, own), ("agree", "yes")])
        text = (await theirs.get(f"{own}?{carried}")).text
        meeting = own.rpartition("/")[2]
        assert goes_on(text) == f"/grants/new/why?meeting={meeting}&document={paper['id']}"
        assert "Étape 2 sur 4" in await text_of(theirs, goes_on(text))
        assert "vous a donné un accès" not in (await at_work.get(asked)).text, "that was before"
        # Nothing was chosen yet: from the first step.
        bare = goes_on((await theirs.get(f"{own}?giving=yes")).text)
        assert bare == f"/grants/new?meeting={meeting}"


async def test_a_form_of_another_site_opens_no_code(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    async with browser_of(served, two[0]) as theirs:
        refused = await send(theirs, SHOW, [("document", "x")])
    assert refused.status_code == 403


async def test_an_end_is_a_warning_when_it_is_near(
    served: Served, two: tuple[SomePerson, SomeWorker], moved_clock: MoveClock
) -> None:
    person, worker = two
    async with browser_of(served, person) as theirs:
        await granted(theirs, person, worker.headers, "payslip", duration="P7D")
    for days, warns in ((4, False), (6, True)):
        moved_clock(timedelta(days=days))
        known = await people.list_people(served.services, worker.subject)
        assert [one.nears_end for one in known.items] == [warns], days


async def test_what_was_given_before_two_met_is_not_what_came_of_it(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    person, worker = two
    async with browser_of(served, person) as theirs:
        await granted(theirs, person, worker.headers, "payslip")
    (known,) = (await people.list_people(served.services, worker.subject)).items
    at = known.last_given_at
    for since, found in ((at, True), (at + timedelta(seconds=1), False)):
        given = await people.known_since(served.services, worker.subject, known.person_id, since)
        assert (given is not None) is found
