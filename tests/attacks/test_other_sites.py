"""What a page of another site can make a signed-in browser do: nothing."""

import httpx
import pytest

from tests.fixtures import MakePerson, Served


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
