"""The name by which a person wants to be called: on their page, and over the API."""

import httpx
import pytest

from auth.person_names import LONGEST
from tests.fixtures import MakePerson, MakeWorker, Served
from tests.steps import is_problem
from tests.web.pages.test_own_means import post, said
from tests.web.pages.test_pages import browser_of


async def test_a_name_is_chosen_changed_and_taken_away(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person, other = await make_person(), await make_person()
    async with browser_of(served, person) as at:
        for typed, kept in ((" Malika \n B. ", "Malika B."), ("O’Neil <b>", "O’Neil <b>")):
            chosen = await post(served, person, at, "/me/name", name=typed)
            assert "Votre nom est gardé" in said(chosen)
            assert kept in said(chosen), "as words, not as marks"
            assert (await client.get("/v1/me", headers=person.headers)).json()["name"] == kept
        assert 'value="O’Neil &lt;b&gt;"' in (await at.get("/me/name")).text
        gone = await post(served, person, at, "/me/name", name="  ")
        assert "Il n’y a plus de nom ici" in said(gone)
    for one in (person, other):
        assert (await client.get("/v1/me", headers=one.headers)).json()["name"] is None


async def test_a_name_that_is_too_long_is_kept_to_be_shortened(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person, name = await make_person(), "é" * (LONGEST + 1)
    async with browser_of(served, person) as at:
        refused = await post(served, person, at, "/me/name", name=name)
        assert refused.status_code == 422
        assert f'value="{name}"' in refused.text
        assert 'id="name-wrong"' in refused.text
    body = {"name": name}
    refused = await client.put("/v1/me/name", headers=person.headers, json=body)
    is_problem(refused, 422, "text_too_long")
    assert refused.json()["errors"][0]["pointer"] == "#/name"
    assert (await client.get("/v1/me", headers=person.headers)).json()["name"] is None


@pytest.mark.parametrize("body", [{}, {"name": None}, {"name": 4}, {"name": "a", "more": 1}])
async def test_what_is_no_name_is_refused(
    client: httpx.AsyncClient, make_person: MakePerson, body: dict[str, object]
) -> None:
    person = await make_person()
    answer = await client.put("/v1/me/name", headers=person.headers, json=body)
    is_problem(answer, 422, "invalid_request")


async def test_a_name_is_a_person_s_own(client: httpx.AsyncClient, make_worker: MakeWorker) -> None:
    worker, body = await make_worker(), {"name": "Camille"}
    assert (await client.put("/v1/me/name", headers=worker.headers, json=body)).status_code == 403
    assert (await client.put("/v1/me/name", json=body)).status_code == 401
