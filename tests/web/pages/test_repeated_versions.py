"""A newer version that is sent again: a lost answer, a crash, a page that was left open."""

import httpx

from tests.attacks.test_page_uploads import JSON, token
from tests.fixtures import MakePerson, Served, SomePerson
from tests.uploads import id_of, uploaded
from tests.vault.decoding import corpus
from tests.web.pages.draft_steps import keep_for, killed_before_the_end, say, send
from tests.web.pages.test_pages import a_photo, browser_of
from tests.web.pages.test_versions import NEW, date_alone, only, replace


async def a_paper(served: Served, person: SomePerson, browser: httpx.AsyncClient) -> str:
    kept = await keep_for(served, person, browser, {"type": "passport"}, a_photo("green"))
    return kept.headers["location"].split("?")[0]


async def refused_for_its_date(
    served: Served, person: SomePerson, browser: httpx.AsyncClient, address: str
) -> str:
    """What the address of the page then says of its photos, which are kept."""
    answer = await replace(served, person, browser, address, **NEW | {"expires_on_day": "41"})
    again = answer.text.split(f'action="{address}/version')[1].split('"')[0]
    assert again.startswith("?draft=")
    return again


async def test_the_same_form_again_is_the_same_version(
    served: Served, make_person: MakePerson
) -> None:
    """A second tap, or one after an answer that was lost. Another date is another paper."""
    person = await make_person()
    async with browser_of(served, person) as browser:
        address = await a_paper(served, person, browser)
        for _ in range(2):
            done = await replace(served, person, browser, address, **NEW)
            assert done.headers["location"] == f"{address}?done=version"
        assert (await only(served, person)).version == 2
        await replace(served, person, browser, address, **NEW | {"expires_on_year": "2037"})
    document = await only(served, person)
    assert (document.version, str(document.metadata.expires_on)) == (3, "2037-06-05")


async def test_the_same_file_again_by_the_api_is_the_same_version(
    client: httpx.AsyncClient, served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        address = await a_paper(served, person, browser)
    for content, number in ((corpus.pdf(2), 2), (corpus.pdf(2), 2), (corpus.pdf(3), 3)):
        answer = await client.post(
            f"/v1{address}/versions", headers=person.headers, files={"file": ("b.pdf", content)}
        )
        assert (answer.status_code, answer.json()["version"]["number"]) == (201, number)


async def test_the_same_uploads_again_lead_to_the_version_that_they_became(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person, other = await make_person(), await make_person()
    named = id_of(await uploaded(client, person, corpus.plain_jpeg()))
    async with browser_of(served, person) as browser, browser_of(served, other) as stranger:
        address = await a_paper(served, person, browser)
        for _ in range(2):
            sent = await name_them(served, person, browser, address, named)
            assert sent.json() == {"go": f"{address}?done=version"}
        for wrong in ("x", id_of(address)):
            sent = await name_them(served, person, browser, address, wrong)
            assert sent.status_code == 422
        theirs = await a_paper(served, other, stranger)
        assert (await name_them(served, other, stranger, theirs, named)).status_code == 422
    assert (await only(served, person)).version == 2


async def name_them(
    served: Served, person: SomePerson, browser: httpx.AsyncClient, address: str, named: str
) -> httpx.Response:
    parts = {"form": (None, await token(served, person)), "uploads": (None, named)}
    return await browser.post(f"{address}/version", files=parts, headers=JSON)


async def test_a_crash_after_the_commit_leaves_a_draft_that_leads_to_its_version(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        address = await a_paper(served, person, browser)
        again = await refused_for_its_date(served, person, browser, address)
        with killed_before_the_end():
            sent = await date_alone(served, person, browser, f"{address}/version{again}")
            assert sent.status_code == 500
        done = await date_alone(served, person, browser, f"{address}/version{again}")
        assert done.headers["location"] == f"{address}?done=version"
    assert (await only(served, person)).version == 2


async def test_of_photos_that_were_dropped_nobody_says_that_they_are_kept(
    served: Served, make_person: MakePerson
) -> None:
    """In a page that was left open; a photo that it still has is kept."""
    person = await make_person()
    async with browser_of(served, person) as browser:
        address = await a_paper(served, person, browser)
        again = await refused_for_its_date(served, person, browser, address)
        await say(served, person, browser, f"/documents/add/{again.split('=')[1]}/discard")
        seen = await browser.get(f"{address}/version{again}")
        assert seen.headers["location"] == "/documents?done=discarded"
        sent = await date_alone(served, person, browser, f"{address}/version{again}")
        assert sent.status_code == 422
        assert (await only(served, person)).version == 1
        done = await send(served, person, browser, f"{address}/version{again}", a_photo("blue"))
        assert done.headers["location"] == f"{address}?done=version"
        assert (await browser.get(f"{address}/content")).content == a_photo("blue")


async def test_a_draft_that_became_another_paper_is_none_of_this_one(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        address = await a_paper(served, person, browser)
        again = await refused_for_its_date(served, person, browser, address)
        await date_alone(served, person, browser, f"{address}/version{again}")
        kept = await keep_for(served, person, browser, {"type": "payslip"}, a_photo("red"))
        other = kept.headers["location"].split("?")[0]
        assert (await browser.get(f"{other}/version{again}")).status_code == 404


async def test_a_file_that_is_another_paper_already_is_said(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        address = await a_paper(served, person, browser)
        kept = await keep_for(served, person, browser, {"type": "payslip"}, a_photo("red"))
        other = kept.headers["location"].split("?")[0]
        said = "déjà ce même fichier dans un autre papier"
        for photo, here in ((a_photo("blue"), False), (a_photo("red"), True)):
            done = await send(served, person, browser, f"{address}/version", photo)
            page = (await browser.get(done.headers["location"])).text.split("<h1")[0]
            assert (said in page) == here
            assert (f'href="{other}"' in page) == here
        # A new paper of that file is the one that is there.
        await say(served, person, browser, f"{address}/delete")
        held = await keep_for(served, person, browser, {"type": "passport"}, a_photo("red"))
        assert held.headers["location"] == f"{other}?done=held"
