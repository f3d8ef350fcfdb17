"""Files in pieces under a page's session: from our own pages alone, and nobody else's uploads."""

from uuid import uuid4

import httpx
import pytest

from tests.fixtures import MakePerson, Served, SomePerson
from tests.steps import log_of
from tests.uploads import begin, id_of, offset_of, padded_pdf, uploaded
from tests.web.pages.draft_steps import draft_of, pictures_of
from tests.web.pages.test_pages import browser_of
from web.pages import forms

PDF = padded_pdf(9000)
TUS = {"Tus-Resumable": "1.0.0"}
STREAM = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
JSON = {"Accept": "application/json"}


async def token(served: Served, person: SomePerson) -> str:
    return await forms.token_for(served.services, person.token)


async def name_uploads(
    served: Served, person: SomePerson, browser: httpx.AsyncClient, uploads: str
) -> httpx.Response:
    """A form of the page that adds a paper, with uploads in the place of its files."""
    parts = {"form": (None, await token(served, person)), "uploads": (None, uploads)}
    return await browser.post("/documents/add", files=parts, headers=JSON)


@pytest.mark.parametrize(
    ("says", "ours"),
    [
        ({}, False),
        ({"X-Form": "x"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Origin": "https://elsewhere.example"}, True),
    ],
)
async def test_another_site_begins_and_continues_nothing(
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    says: dict[str, str],
    ours: bool,
) -> None:
    """Neither with the person's cookie, nor with a token of our page beside."""
    person = await make_person()
    path = (await begin(client, person, len(PDF))).headers["location"]
    headers = {**TUS, **({"X-Form": await token(served, person)} if ours else {}), **says}
    async with browser_of(served, person) as browser:
        length = {"Upload-Length": "9"}
        assert (await browser.post("/uploads", headers=headers | length)).status_code == 403
        continued = await browser.patch(
            f"/uploads/{id_of(path)}", headers=headers | STREAM, content=PDF
        )
        assert continued.status_code == 403
    assert await offset_of(client, person, path) == 0


async def test_anothers_upload_is_answered_and_recorded_as_one_that_does_not_exist(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person, thief = await make_person(), await make_person()
    theirs = id_of(await uploaded(client, person, PDF))
    headers = {**TUS, **STREAM, **JSON, "X-Form": await token(served, thief)}
    answers = []
    async with browser_of(served, thief) as browser:
        for upload in (theirs, str(uuid4())):
            seen = await browser.head(f"/uploads/{upload}", headers=JSON)
            sent = await browser.patch(f"/uploads/{upload}", headers=headers, content=b"x")
            named = await name_uploads(served, thief, browser, upload)
            answers.append([(one.status_code, one.text) for one in (seen, sent, named)])
            refused = [one for one in await log_of(client, thief) if one["outcome"] == "refused"]
            assert {one["action"] for one in refused} == {"document.deposit"}
            assert len(refused) == 3 * len(answers)
    assert answers[0] == answers[1]
    assert [status for status, _ in answers[0]] == [404, 404, 422]


async def test_a_form_takes_only_what_has_arrived_whole_and_is_no_draft(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    half = id_of((await begin(client, person, len(PDF), first=PDF[:5000])).headers["location"])
    whole = id_of(await uploaded(client, person, PDF))
    async with browser_of(served, person) as browser:
        for bad in (half, f"{whole},{half}", "none", f"{whole},"):
            answer = await name_uploads(served, person, browser, bad)
            assert answer.status_code == (200 if bad == f"{whole}," else 422), bad
        draft = answer.json()["go"].split("/")[3]
        assert (await name_uploads(served, person, browser, draft)).status_code == 422
        # The same form again is the same paper, with the picture once.
        again = await name_uploads(served, person, browser, whole)
        assert again.json()["go"].split("/")[3] == draft
        page = await browser.get(f"/documents/add/{draft}/check")
        assert len(pictures_of(page)) == 1
        assert draft_of(page).endswith(draft)
