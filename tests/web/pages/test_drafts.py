"""A paper that is being added: what was received stays, is changed, is kept or is dropped."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from auth import sessions
from tests.fixtures import MakePerson, Served, SomePerson
from tests.steps import log_of
from tests.vault.decoding import corpus
from tests.web.pages.draft_steps import draft_of, keep_for, pictures_of, say, send
from tests.web.pages.test_pages import a_photo, browser_of, served_with
from vault.documents import own_documents
from vault.documents.uploads.whole_files import read_whole

DATE = {"expires_on_day": "3", "expires_on_month": "4", "expires_on_year": "2031"}


async def papers(served: Served, person: SomePerson) -> int:
    listed = await own_documents.list_own(served.services, person.subject, cursor=None, limit=10)
    return len(listed.items)


async def uploads_left(served: Served, person: SomePerson) -> int:
    """Pictures, and drafts that are to be gone on with: one that ended leads on for an hour."""
    async with served.services.database.transaction() as tx:
        query = text(
            "SELECT count(*) FROM unefois.upload WHERE person_id = :person"
            " AND (length > 0 OR expires_at > now() + interval '1 hour')"
        )
        return int((await tx.execute(query, {"person": person.id})).scalar_one())


async def test_two_sides_are_taken_moved_taken_again_and_kept_as_one(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        address = "/documents/add?type=national_identity_card"
        first = await send(served, person, browser, address, a_photo("red"))
        draft = draft_of(first)
        assert first.headers["location"] == f"{draft}/details"
        said = await say(served, person, browser, f"{draft}/details", title="Malik", **DATE)
        assert said.headers["location"] == f"{draft}/check"
        page = await browser.get(f"{draft}/check")
        assert "Ce papier a deux côtés" in page.text
        more = await send(served, person, browser, f"{draft}/pictures", a_photo("blue"))
        assert more.headers["location"] == f"{draft}/check"
        page = await browser.get(f"{draft}/check")
        assert "Ce papier a deux côtés" not in page.text
        assert "3 avril 2031" in page.text
        one, two = pictures_of(page)
        small = await browser.get(f"{one}/preview")
        assert (small.status_code, small.headers["content-type"]) == (200, "image/jpeg")
        assert small.headers["cache-control"] == "no-store"
        await say(served, person, browser, f"{two}/change", act="earlier")
        assert pictures_of(await browser.get(f"{draft}/check")) == [two, one]
        await send(served, person, browser, one, a_photo("green"))
        second, third = pictures_of(await browser.get(f"{draft}/check"))
        assert second == two
        assert third not in (one, two)
        assert (await browser.get(one)).status_code == 404
        kept = await say(served, person, browser, f"{draft}/check")
        address = kept.headers["location"].split("?")[0]
        for part, colour in ((1, "blue"), (2, "green")):
            photo = await browser.get(f"{address}/content?part={part}")
            assert photo.content == a_photo(colour)
        assert (await browser.get(f"{draft}/check")).headers["location"].startswith(address)
        assert (await browser.get(f"{draft}/pictures")).status_code == 404
    assert await uploads_left(served, person) == 0
    document = (
        await own_documents.list_own(served.services, person.subject, cursor=None, limit=2)
    ).items[0]
    assert document.metadata.title == "Malik"
    assert str(document.metadata.expires_on) == "2031-04-03"


async def test_what_was_received_is_there_after_the_session_ended(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        draft = draft_of(await send(served, person, browser, "/documents/add", a_photo("red")))
        await say(served, person, browser, f"{draft}/type", type="passport")
        ended = await browser.delete("/v1/sessions/current", headers=person.headers)
        assert ended.status_code == 204
        # The session is over: its pages lead to the sign-in, and its forms do nothing.
        assert (await browser.get(f"{draft}/details")).headers["location"].startswith("/?")
        sent = await say(served, person, browser, f"{draft}/details", title="Malik")
        assert sent.status_code == 303
        assert not sent.headers["location"].startswith(draft)
    async with served.services.database.transaction() as tx:
        opened = await sessions.open_session(
            served.services, tx, kind="person", subject_id=person.id
        )
    back = replace(person, token=opened.token)
    async with browser_of(served, back) as browser:
        assert f'href="{draft}/details"' in (await browser.get("/documents")).text
        assert len(pictures_of(await browser.get(f"{draft}/check"))) == 1
        await say(served, back, browser, f"{draft}/details", title="Malik", **DATE)
        kept = await say(served, back, browser, f"{draft}/check")
        assert kept.headers["location"].endswith("?done=added")


async def test_what_was_received_is_for_its_owner_alone(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        sent = await send(served, person, browser, "/documents/add", a_photo("red"))
        draft = draft_of(sent)
        await say(served, person, browser, f"{draft}/type", type="passport")
        for page in ("/documents", "/documents/add"):
            listed = await browser.get(page)
            assert f'href="{draft}/details"' in listed.text, page
    async with httpx.AsyncClient(base_url=served.base_url, trust_env=False) as stranger:
        assert (await stranger.get(f"{draft}/check")).status_code == 303
    other = await make_person()
    async with browser_of(served, other) as browser:
        assert draft not in (await browser.get("/documents")).text
        for end in ("check", "type", "details", "pictures", "discard"):
            assert (await browser.get(f"{draft}/{end}")).status_code == 404
            sent = await say(served, other, browser, f"{draft}/{end}", type="payslip")
            assert sent.status_code == 404
        bad = await send(served, other, browser, f"{draft}/pictures", a_photo("blue"))
        assert bad.status_code == 404


async def test_a_photo_and_a_file_become_one_paper_only_where_that_is_said(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        address = "/documents/add?type=payslip"
        sent = await send(served, person, browser, address, a_photo("red"), corpus.pdf(1))
        assert sent.status_code == 303
        draft = draft_of(sent)
        await say(served, person, browser, f"{draft}/details")
        page = await browser.get(f"{draft}/check")
        assert "Est-ce le même papier" in page.text
        refused = await say(served, person, browser, f"{draft}/check")
        assert refused.status_code == 422
        assert "Est-ce le même papier" in refused.text
        assert await papers(served, person) == 0
        kept = await say(served, person, browser, f"{draft}/check", together="yes")
        assert kept.headers["location"].endswith("?done=added")


async def test_one_that_cannot_be_read_leaves_the_others(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        files = (a_photo("red"), a_photo("blue")[:300], b"MZ" + b"\0" * 5000)
        sent = await send(served, person, browser, "/documents/add?type=payslip", *files)
        assert sent.status_code == 422
        words = " ".join(re.sub(r"<[^>]+>", " ", sent.text).split())
        for said in ("2 choses à corriger", "2 sur 3", "3 sur 3", "gardés : 1"):
            assert said in words
        await say(served, person, browser, f"{draft_of(sent)}/details")
        kept = await say(served, person, browser, f"{draft_of(sent)}/check")
        assert kept.headers["location"].endswith("?done=added")
    assert await uploads_left(served, person) == 0


async def test_a_form_of_another_keeps_nothing(served: Served, make_person: MakePerson) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        answer = await browser.post("/documents/add", files={"file": ("a.jpg", a_photo())})
        assert answer.status_code == 403
        sent = await send(served, person, browser, "/documents/add", a_photo("red"))
        draft = draft_of(sent)
        before = await uploads_left(served, person)
        for end in ("pictures", "type", "details", "check", "discard"):
            answer = await browser.post(f"{draft}/{end}", files={"file": ("a.jpg", a_photo())})
            assert answer.status_code == 403, end
    assert await uploads_left(served, person) == before


async def test_what_is_too_large_is_told_and_the_type_stays(
    served: Served, make_person: MakePerson
) -> None:
    """Even where the form is so large that nothing of it is read."""
    person = await make_person()
    heavy = a_photo() + b"\0" * 400_000
    async with browser_of(served, person) as browser:
        with served_with(served, max_document_bytes=100_000):
            answer = await send(served, person, browser, "/documents/add?type=payslip", heavy)
            assert answer.status_code == 413
            assert 'action="/documents/add?type=payslip' in answer.text
            good = await send(served, person, browser, "/documents/add?type=payslip", a_photo())
            more = await send(
                served, person, browser, f"{draft_of(good)}/pictures", heavy[:120_000]
            )
            assert more.status_code == 413
            assert "gardés\u00a0: 1" in more.text
    assert await papers(served, person) == 0


async def test_a_draft_is_dropped_with_all_that_it_has(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        sent = await send(
            served, person, browser, "/documents/add", a_photo("red"), a_photo("blue")
        )
        draft = draft_of(sent)
        assert "Ne pas garder" in (await browser.get(f"{draft}/discard")).text
        done = await say(served, person, browser, f"{draft}/discard")
        assert done.headers["location"] == "/documents?done=discarded"
        assert (await browser.get(f"{draft}/type")).status_code == 404
    assert await uploads_left(served, person) == 0


async def test_removing_the_only_picture_asks_for_one_again(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        sent = await send(served, person, browser, "/documents/add?type=payslip", a_photo("red"))
        draft = draft_of(sent)
        (only,) = pictures_of(await browser.get(f"{draft}/check"))
        answer = await say(served, person, browser, f"{only}/change", act="remove")
        assert answer.headers["location"] == f"{draft}/pictures"
        refused = await say(served, person, browser, f"{draft}/check")
        assert refused.status_code == 422
        again = await send(served, person, browser, f"{draft}/pictures", a_photo("blue"))
        assert again.headers["location"] == f"{draft}/details"


async def test_who_does_not_know_which_paper_keeps_it_all_the_same(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        sent = await send(served, person, browser, "/documents/add?type=nothing", a_photo("red"))
        draft = draft_of(sent)
        assert sent.headers["location"] == f"{draft}/type"
        for early in (
            await browser.get(f"{draft}/details"),
            await say(served, person, browser, f"{draft}/details"),
        ):
            assert early.headers["location"] == f"{draft}/type"
        said = await say(served, person, browser, f"{draft}/type", type="other")
        page = await browser.get(said.headers["location"])
        assert "<fieldset" not in page.text, "no date matters of a paper that is not known"
        await say(served, person, browser, f"{draft}/details")
        kept = await say(served, person, browser, f"{draft}/check")
        assert kept.headers["location"].endswith("?done=added")
        # As soon as it is kept, the next one.
        at = kept.headers["location"]
        for address, is_next in ((at, True), (at.partition("?")[0], False)):
            page = await browser.get(address)
            assert ('href="/documents/add"' in page.text.split("<h1>")[0]) is is_next


async def test_another_type_asks_for_its_own_date(served: Served, make_person: MakePerson) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        sent = await send(served, person, browser, "/documents/add?type=passport", a_photo("red"))
        draft = draft_of(sent)
        await say(served, person, browser, f"{draft}/details", title="Malik", **DATE)
        changed = await say(served, person, browser, f"{draft}/type", type="payslip")
        assert changed.headers["location"] == f"{draft}/details"
        page = await browser.get(f"{draft}/details")
        assert 'value="Malik"' in page.text
        assert "2031" not in page.text


async def test_a_picture_beyond_those_of_one_paper_is_refused(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        with served_with(served, max_parts=2):
            files = [a_photo("red"), a_photo("blue"), a_photo("green")]
            sent = await send(served, person, browser, "/documents/add", *files)
    assert sent.status_code == 422
    assert "gardés\u00a0: 2" in sent.text


async def test_looking_at_a_picture_is_recorded_before_a_byte_of_it_is_read(
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    person = await make_person()

    async def reading(*args: Any) -> AsyncIterator[bytes]:
        seen.extend([entry["action"] for entry in await log_of(client, person)])
        async for part in read_whole(*args):
            yield part

    seen: list[str] = []
    async with browser_of(served, person) as browser:
        sent = await send(served, person, browser, "/documents/add?type=payslip", a_photo("red"))
        (only,) = pictures_of(await browser.get(f"{draft_of(sent)}/check"))
        before = [entry["action"] for entry in await log_of(client, person)]
        monkeypatch.setattr("vault.documents.uploads.pictures.read_whole", reading)
        assert (await browser.get(f"{only}/preview")).status_code == 200
    assert seen.count("document.preview") == before.count("document.preview") + 1


async def test_for_a_request_one_is_led_back_to_it(served: Served, make_person: MakePerson) -> None:
    person = await make_person()
    papers = "/requests/01890000-0000-7000-8000-000000000000/papers"
    fields = {"type": "payslip", "then": papers}
    async with browser_of(served, person) as browser:
        kept = await keep_for(served, person, browser, fields, a_photo("red"))
        again = await keep_for(served, person, browser, fields, a_photo("red"))
        told = await browser.get("/documents?done=held_for_request")
    assert re.fullmatch(rf"{papers}\?document=[0-9a-f-]+&done=added", kept.headers["location"])
    led = kept.headers["location"].replace("done=added", "done=held_for_request")
    assert again.headers["location"] == led
    assert "Vous aviez déjà ce papier" in told.text
