"""Messages reach a person in the language that they chose, from the API or from their page."""

from typing import Any

import httpx

from tests.auth.steps import queued_messages
from tests.fixtures import MakePerson, MakeWorker, Served
from tests.steps import is_problem
from tests.web.pages.test_own_means import post, said
from tests.web.pages.test_pages import browser_of
from vault.services import Services


async def test_the_language_of_messages_is_chosen(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, other, worker = await make_person(), await make_person(), await make_worker()
    for code in ("ar", "fr", "falc"):
        body = {"language": code}
        chosen = await client.put("/v1/me/language", headers=person.headers, json=body)
        assert (chosen.status_code, chosen.json()["language"]) == (200, code)
        seen = await client.get("/v1/me", headers=person.headers)
        assert seen.json()["language"] == code
    assert (await client.get("/v1/me", headers=other.headers)).json()["language"] == "fr"
    wrong: Any
    for wrong in ("xx", "", None, 4, "fr-FR", "f" * 100):
        sent = {"language": wrong}
        refused = await client.put("/v1/me/language", headers=person.headers, json=sent)
        is_problem(refused, 422, "invalid_request")
        assert refused.json()["errors"][0]["pointer"] == "#/language"
    body = {"language": "ar"}
    for headers, status in ((worker.headers, 403), ({}, 401)):
        answer = await client.put("/v1/me/language", headers=headers, json=body)
        assert answer.status_code == status
    assert (await client.get("/v1/me", headers=person.headers)).json()["language"] == "falc"


async def test_the_page_has_messages_come_in_its_own_language(
    served: Served, client: httpx.AsyncClient, services: Services, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as at:
        assert 'action="/me/language"' not in (await at.get("/me")).text, "they agree already"
        at.cookies.set("unefois-language", "es")
        assert 'action="/me/language"' in (await at.get("/me")).text
        await client.post("/v1/me/erasure/code", headers=person.headers)
        done = await post(served, person, at, "/me/language")
        assert "SMS" in said(done)
        assert 'action="/me/language"' not in (await at.get("/me")).text
    await client.post("/v1/me/erasure/code", headers=person.headers)
    told = [one["text"] for one in await queued_messages(services, person.phone)]
    of_erasure = [one for one in told if "EFFACER" in one or "BORRAR" in one]
    assert ["BORRAR" in one for one in of_erasure] == [False, True]
