"""What a page of another site can make a signed-in browser do: nothing."""

import httpx
import pytest

from tests.fixtures import MakePerson, Served
from tests.web.pages.test_pages import browser_of


@pytest.mark.parametrize(
    "says",
    [
        {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_another_site_makes_nobody_leave(
    served: Served, make_person: MakePerson, says: dict[str, str]
) -> None:
    """Its form arrives without the session's cookie (`SameSite`); the answer must not delete it."""
    await make_person()
    async with httpx.AsyncClient(base_url=served.base_url, trust_env=False) as browser:
        form = {"Content-Type": "application/x-www-form-urlencoded", **says}
        for address in ("/sign-out", "/pro/sign-out"):
            answer = await browser.post(address, content=b"", headers=form)
            assert answer.status_code == 403
            assert "unefois-person=" not in answer.headers.get("set-cookie", "")
            assert "unefois-worker=" not in answer.headers.get("set-cookie", "")


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", "same-origin", None])
async def test_no_link_of_others_has_a_page_say_what_was_not_done(
    served: Served, make_person: MakePerson, site: str | None
) -> None:
    """In another site's page (`cross-site`) or in a message (`none`). What our own pages lead to is
    said; and so it is in a browser that does not say who led here."""
    person = await make_person()
    said = {
        "/grants": "stopped_all",
        "/requests": "refused",
        "/documents": "erasure_cancelled",
        "/sessions": "sessions_ended",
        "/erasure": "erasure_code",
    }
    headers = {"Sec-Fetch-Site": site} if site else {}
    async with browser_of(served, person) as browser:
        for address, done in said.items():
            page = (await browser.get(f"{address}?done={done}", headers=headers)).text
            shown = 'class="done panel"' in page or 'id="code"' in page
            assert shown is (site in ("same-origin", None)), address
