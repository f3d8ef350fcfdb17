"""Adding a paper, disturbed: a second tap, a crash, two at once, pictures that are gone."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from tests.fixtures import MakePerson, Served, SomePerson
from tests.web.pages.draft_steps import (
    draft_of,
    killed_before_the_end,
    pictures_of,
    said,
    say,
    send,
)
from tests.web.pages.test_drafts import DATE, papers, uploads_left
from tests.web.pages.test_pages import a_photo, browser_of
from vault.documents.uploads import draft_rows, drafts, pictures
from vault.documents.uploads.deposit import deposit_uploads
from vault.documents.uploads.whole_files import keep_file


async def begun_by(served: Served, person: SomePerson) -> list[draft_rows.Draft]:
    return await drafts.all_of(served.services, person.subject)


async def test_a_second_tap_leads_to_the_same_paper_and_nobody_else_there(
    served: Served, make_person: MakePerson
) -> None:
    person, other = await make_person(), await make_person()
    async with browser_of(served, person) as browser, browser_of(served, other) as stranger:
        draft = await said(served, person, browser, a_photo())
        taps = await asyncio.gather(
            *(say(served, person, browser, f"{draft}/check") for _ in range(3))
        )
        later = await say(served, person, browser, f"{draft}/check", together="yes")
        led = {one.headers["location"].split("?")[0] for one in (*taps, later)}
        assert len(led) == 1
        assert (await browser.get(led.pop())).status_code == 200
        assert await papers(served, person) == 1
        # It was kept: not keeping it says so, and deletes nothing.
        dropped = await say(served, person, browser, f"{draft}/discard")
        assert dropped.headers["location"].startswith("/documents/0")
        assert await papers(served, person) == 1
        assert (await say(served, other, stranger, f"{draft}/check")).status_code == 404
        assert (await say(served, other, stranger, f"{draft}/discard")).status_code == 404
        assert (await stranger.get(f"{draft}/check")).status_code == 404
        assert draft not in (await browser.get("/documents")).text


async def test_a_second_tap_leads_back_to_the_request_too(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    request = "/requests/01890000-0000-7000-8000-000000000000/papers"
    async with browser_of(served, person) as browser:
        address = f"/documents/add?type=payslip&then={request}"
        draft = draft_of(await send(served, person, browser, address, a_photo()))
        await say(served, person, browser, f"{draft}/details")
        led = [
            (await say(served, person, browser, f"{draft}/check")).headers["location"]
            for _ in range(2)
        ]
    assert led[0].startswith(f"{request}?document=")
    assert led[0] == led[1]


async def test_a_second_tap_finds_dropped_what_was_dropped(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        sent = await send(served, person, browser, "/documents/add", a_photo("red"), a_photo())
        draft = draft_of(sent)
        one, two = pictures_of(await browser.get(f"{draft}/check"))
        for _ in range(2):
            done = await say(served, person, browser, f"{one}/change", act="remove")
            assert done.headers["location"] == f"{draft}/type"
        assert pictures_of(await browser.get(f"{draft}/check")) == [two]
        for _ in range(2):
            await send(served, person, browser, two, a_photo("green"))
        assert len(pictures_of(await browser.get(f"{draft}/check"))) == 1
        for _ in range(2):
            done = await say(served, person, browser, f"{draft}/discard")
            assert done.headers["location"] == "/documents?done=discarded"


async def test_a_crash_after_the_commit_leaves_a_draft_that_leads_to_its_paper(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        draft = await said(served, person, browser, a_photo())
        with killed_before_the_end():
            assert (await say(served, person, browser, f"{draft}/check")).status_code == 500
        assert draft not in (await browser.get("/documents")).text
        kept = await say(served, person, browser, f"{draft}/check")
    assert kept.headers["location"].endswith("?done=held")
    assert await papers(served, person) == 1
    assert await uploads_left(served, person) == 0


async def test_a_crash_at_any_moment_leaves_no_picture_that_no_draft_names(
    served: Served, make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await make_person()
    small, seen = pictures._small_picture, []

    async def looked_at(*args: Any) -> Any:
        """While a picture is decoded, which is long: it is kept, and what if we died now?"""
        async with served.services.database.transaction() as tx:
            rows = await tx.execute(
                text("SELECT id FROM unefois.upload WHERE person_id = :person AND length > 0"),
                {"person": person.id},
            )
            there = {UUID(str(id_)) for id_ in rows.scalars()}
        named = {
            up
            for one in await begun_by(served, person)
            for pic in one.pictures
            for up in pic.uploads()
        }
        seen.append((there, named))
        return await small(*args)

    monkeypatch.setattr(pictures, "_small_picture", looked_at)
    async with browser_of(served, person) as browser:
        await send(served, person, browser, "/documents/add", a_photo("red"), a_photo("blue"))
    assert [len(there) for there, _ in seen] == [1, 3]
    assert all(there == named for there, named in seen)


async def test_a_photo_that_comes_while_the_paper_is_kept_is_not_lost(
    served: Served, make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two connections: one keeps, the other one sends the back of the paper meanwhile."""
    person = await make_person()
    async with browser_of(served, person) as browser, browser_of(served, person) as second:
        sent = await send(served, person, browser, "/documents/add?type=payslip", a_photo("red"))
        draft = draft_of(sent)
        await say(served, person, browser, f"{draft}/details", title="Malik")

        async def disturbed(*args: Any, **more: Any) -> Any:
            added = await send(served, person, second, f"{draft}/pictures", a_photo("blue"))
            assert added.status_code == 303
            return await deposit_uploads(*args, **more)

        monkeypatch.setattr("vault.documents.uploads.drafts.deposit_uploads", disturbed)
        kept = await say(served, person, browser, f"{draft}/check")
        assert kept.headers["location"].endswith("?done=added")
        [left] = await begun_by(served, person)
        assert len(left.pictures) == 1
        assert left.values["title"] == "Malik"
        assert str(left.id) in (await browser.get("/documents")).text


async def test_a_photo_that_arrives_after_the_paper_was_kept_begins_another(
    served: Served, make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser, browser_of(served, person) as second:
        draft = await said(served, person, browser, a_photo("red"))

        async def disturbed(*args: Any) -> Any:
            monkeypatch.setattr("vault.documents.uploads.pictures.keep_file", keep_file)
            assert (await say(served, person, second, f"{draft}/check")).status_code == 303
            return await keep_file(*args)

        monkeypatch.setattr("vault.documents.uploads.pictures.keep_file", disturbed)
        added = await send(served, person, browser, f"{draft}/pictures", a_photo("blue"))
        another = draft_of(added)
        assert another != draft
        assert len(pictures_of(await browser.get(f"{another}/check"))) == 1
    assert await papers(served, person) == 1


@pytest.mark.parametrize("end", ["check", "discard"])
async def test_a_photo_for_a_paper_that_ended_begins_another(
    served: Served, make_person: MakePerson, end: str
) -> None:
    """From a page that was left open; of somebody else's, nothing is."""
    person, other = await make_person(), await make_person()
    async with browser_of(served, person) as browser, browser_of(served, other) as stranger:
        draft = await said(served, person, browser, a_photo("red"))
        await say(served, person, browser, f"{draft}/{end}")
        late = await send(served, person, browser, f"{draft}/pictures", a_photo("blue"))
        another = draft_of(late)
        assert another != draft
        assert len(pictures_of(await browser.get(f"{another}/check"))) == 1
        bad = await send(served, other, stranger, f"{draft}/pictures", a_photo("blue"))
        assert bad.status_code == 404
    assert await papers(served, person) == (1 if end == "check" else 0)


async def test_a_photo_that_comes_after_a_crash_stays(
    served: Served, make_person: MakePerson
) -> None:
    """The others became the paper just before it."""
    person = await make_person()
    async with browser_of(served, person) as browser:
        draft = await said(served, person, browser, a_photo())
        with killed_before_the_end():
            await say(served, person, browser, f"{draft}/check")
        await send(served, person, browser, f"{draft}/pictures", a_photo("blue"))
        kept = await say(served, person, browser, f"{draft}/check")
        assert kept.headers["location"].endswith("?done=held")
        [left] = await begun_by(served, person)
        assert len(left.pictures) == 1
    assert await papers(served, person) == 1


async def test_a_script_s_photo_in_the_place_of_one_that_is_gone_stays(
    served: Served, make_person: MakePerson
) -> None:
    """It was taken again without network, and comes late."""
    person = await make_person()
    async with browser_of(served, person) as browser:
        sent = await send(served, person, browser, "/documents/add", a_photo("red"), a_photo())
        draft = draft_of(sent)
        one, two = pictures_of(await browser.get(f"{draft}/check"))
        await say(served, person, browser, f"{one}/change", act="remove")
        browser.headers["accept"] = "application/json"
        late = await send(served, person, browser, one, a_photo("green"))
        assert late.json() == {"go": f"{draft}/type"}
        del browser.headers["accept"]
        left = pictures_of(await browser.get(f"{draft}/check"))
        assert (left[0], len(left)) == (two, 2)


async def test_pictures_expire_with_their_draft(served: Served, make_person: MakePerson) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        sent = await send(served, person, browser, "/documents/add?type=payslip", a_photo("red"))
        draft = draft_of(sent)
        await say(served, person, browser, f"{draft}/details", title="Malik")
        await send(served, person, browser, f"{draft}/pictures", a_photo("blue"))
        (first, _second) = pictures_of(await browser.get(f"{draft}/check"))
        await send(served, person, browser, first, a_photo("green"))
    async with served.services.database.transaction() as tx:
        query = text("SELECT expires_at FROM unefois.upload WHERE person_id = :person")
        ends = (await tx.execute(query, {"person": person.id})).scalars().all()
    assert len(ends) == 5
    assert len(set(ends)) == 1


async def test_what_is_missing_is_told_and_the_rest_and_what_was_typed_are_kept(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        address = "/documents/add?type=national_identity_card"
        sent = await send(served, person, browser, address, a_photo("red"), a_photo("blue"))
        draft = draft_of(sent)
        await say(served, person, browser, f"{draft}/details", title="Malik", **DATE)
        (first, second) = pictures_of(await browser.get(f"{draft}/check"))
        await _delete(browser, person, first)
        told = await say(served, person, browser, f"{draft}/check")
        assert told.status_code == 422
        words = told.text.replace("\u00a0", " ")
        assert "ne sont plus là : 1. Il en reste : 1." in words
        assert "Malik" in words
        assert "3 avril 2031" in words
        assert pictures_of(told) == [second]
        kept = await say(served, person, browser, f"{draft}/check")
        paper = kept.headers["location"].split("?")[0]
        assert (await browser.get(f"{paper}/content")).content == a_photo("blue")
        # All of them.
        draft = draft_of(await send(served, person, browser, address, a_photo("green")))
        await say(served, person, browser, f"{draft}/details", title="Rose", **DATE)
        await _delete(browser, person, pictures_of(await browser.get(f"{draft}/check"))[0])
        assert (await say(served, person, browser, f"{draft}/check")).status_code == 422
        again = await send(served, person, browser, f"{draft}/pictures", a_photo("green"))
        assert again.headers["location"] == f"{draft}/check"
        assert "Rose" in (await browser.get(f"{draft}/check")).text


async def _delete(browser: Any, person: SomePerson, picture: str) -> None:
    headers = person.headers | {"Tus-Resumable": "1.0.0"}
    upload = picture.rsplit("/", 1)[1]
    assert (await browser.delete(f"/v1/uploads/{upload}", headers=headers)).status_code == 204
