"""Where the `type` of a problem leads."""

from urllib.parse import urljoin

import httpx
import pytest

from tests.steps import is_problem
from web.http.problem_codes import STATUS_OF, type_of
from web.i18n.error_messages import error_messages
from web.pages.problems import explanation

JSON = {"Accept": "application/json"}


async def test_the_type_of_an_answered_problem_explains_it(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/documents")
    problem = answer.json()
    address = urljoin(str(answer.url), problem["type"])
    page = await client.get(address, headers={"Accept": "text/html"})
    assert page.status_code == 200
    for text in (problem["title"], problem["what_to_do"], problem["code"], "401"):
        assert text in page.text
    told = (await client.get(address, headers=JSON)).json()
    assert {name: told[name] for name in ("type", "code", "title", "status")} == {
        name: problem[name] for name in ("type", "code", "title", "status")
    }


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_each_code_is_explained_in_each_language(
    client: httpx.AsyncClient, language: str
) -> None:
    for code, status in STATUS_OF.items():
        headers = {"Accept-Language": language, "Accept": "text/html"}
        page = await client.get(type_of(code), headers=headers)
        assert page.status_code == 200, code
        assert page.headers["content-language"] == language
        assert f'lang="{language}"' in page.text
        assert code in page.text
        told = (await client.get(type_of(code), headers=headers | JSON)).json()
        assert told == explanation(code, language)
        assert told["status"] == status
        assert "{" not in "".join(map(str, told.values())), code
        assert "…." not in "".join(map(str, told.values())), code
        if language == "fr":
            assert told["title"] == error_messages()[code].title


async def test_the_list_leads_to_each_of_them(client: httpx.AsyncClient) -> None:
    page = (await client.get("/problems", headers={"Accept": "text/html"})).text
    listed = (await client.get("/problems", headers=JSON)).json()
    assert {entry["code"] for entry in listed["items"]} == set(STATUS_OF)
    for code in STATUS_OF:
        assert f'href="{type_of(code)}"' in page


async def test_a_code_that_is_not_one_is_not_explained(client: httpx.AsyncClient) -> None:
    # The last: of a page's form, and never answered by the API.
    for code in ("unheard_of", "GRANT_EXPIRED", "form_expired"):
        is_problem(await client.get(f"/problems/{code}", headers=JSON), 404, "not_found")
        page = await client.get(f"/problems/{code}", headers={"Accept": "text/html"})
        assert (page.status_code, page.headers["content-type"][:9]) == (404, "text/html")


async def test_the_page_follows_the_language_that_was_chosen(client: httpx.AsyncClient) -> None:
    """By the browser, or on the page; a cache in between knows that it depends on both."""
    headers = {"Accept-Language": "fr", "Accept": "text/html"}
    page = await client.get("/problems/not_found", headers=headers)
    assert "/language?back=/problems/not_found" in page.text
    assert {"Cookie", "Accept-Language", "Accept"} <= set(page.headers["vary"].split(", "))
    chosen = headers | {"Cookie": "unefois-language=en"}
    assert 'lang="en"' in (await client.get("/problems/not_found", headers=chosen)).text


async def test_easy_french_is_french_to_programs(client: httpx.AsyncClient) -> None:
    """`falc` is our own code, and no language tag (BCP 47)."""
    easy = {"Cookie": "unefois-language=falc", "Accept": "text/html"}
    page = await client.get("/problems/not_found", headers=easy)
    assert '<html lang="fr" dir="ltr" class="easy">' in page.text
    assert page.headers["content-language"] == "fr"
    told = await client.get("/v1/documents", headers={"Accept-Language": "falc"})
    assert told.headers["content-language"] == "fr"


async def test_it_is_the_same_page_for_whoever_is_signed_in(client: httpx.AsyncClient) -> None:
    page = await client.get("/problems/not_found", headers={"Accept": "text/html"})
    assert "set-cookie" not in page.headers
    assert 'name="form"' not in page.text
    assert "sessions" not in page.text
