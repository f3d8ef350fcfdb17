"""Papers that are being added have limits of their own, and say what to do."""

import pytest

from tests.fixtures import MakePerson, Served
from tests.web.pages.draft_steps import draft_of, keep_for, pictures_of, say, send
from tests.web.pages.test_pages import a_photo, browser_of
from vault.documents.uploads import drafts, uploads

TUS = {"Tus-Resumable": "1.0.0", "Upload-Length": "10"}


async def test_photos_take_no_place_of_files_in_pieces(
    served: Served, make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MAX_UPLOADS", 2)
    person = await make_person()
    colours = ("red", "blue", "green")
    async with browser_of(served, person) as browser:
        for colour in colours:
            fields = {"type": "payslip"}
            assert (await keep_for(served, person, browser, fields, a_photo(colour))).is_redirect
        photos = [a_photo(colour) for colour in (*colours, "white")]
        assert (await send(served, person, browser, "/documents/add", *photos)).is_redirect
        for status in (201, 201, 409):
            answer = await browser.post("/v1/uploads", headers=person.headers | TUS)
            assert answer.status_code == status
        more = await send(served, person, browser, "/documents/add", a_photo("brown"))
        assert more.is_redirect


async def test_of_too_many_photos_one_is_told_to_remove_some(
    served: Served, make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "MAX_PICTURES", 2)
    person = await make_person()
    async with browser_of(served, person) as browser:
        two = [a_photo("red"), a_photo("blue")]
        draft = draft_of(await send(served, person, browser, "/documents/add?type=payslip", *two))
        for address in ("/documents/add", f"{draft}/pictures"):
            refused = await send(served, person, browser, address, a_photo("green"))
            assert refused.status_code == 409
            assert "enlevez des photos" in refused.text
            assert f'href="{draft}/details"' in refused.text, "the paper that was begun is there"
        (first, _) = pictures_of(await browser.get(f"{draft}/check"))
        await say(served, person, browser, f"{first}/change", act="remove")
        again = await send(served, person, browser, f"{draft}/pictures", a_photo("green"))
        assert again.is_redirect
        await say(served, person, browser, f"{draft}/details")
        await say(served, person, browser, f"{draft}/check")
        # What was kept, or dropped, makes room at once.
        for _ in range(3):
            sent = await send(served, person, browser, "/documents/add", *two)
            await say(served, person, browser, f"{draft_of(sent)}/discard")
    assert await drafts.all_of(served.services, person.subject) == []


async def test_a_photo_that_cannot_be_read_leaves_what_was_said(
    served: Served, make_person: MakePerson
) -> None:
    """Of a paper whose only photo was removed."""
    person = await make_person()
    async with browser_of(served, person) as browser:
        sent = await send(served, person, browser, "/documents/add?type=payslip", a_photo("red"))
        draft = draft_of(sent)
        (only,) = pictures_of(await browser.get(f"{draft}/check"))
        await say(served, person, browser, f"{draft}/details", title="Malik")
        await say(served, person, browser, f"{only}/change", act="remove")
        bad = await send(served, person, browser, f"{draft}/pictures", a_photo("blue")[:300])
        assert bad.status_code == 422
        good = await send(served, person, browser, f"{draft}/pictures", a_photo("blue"))
        assert good.headers["location"] == f"{draft}/check"
        assert "Malik" in (await browser.get(f"{draft}/check")).text
