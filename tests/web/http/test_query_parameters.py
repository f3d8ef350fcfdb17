"""The query of the API: what it does not know is refused and named; pages ignore it."""

import httpx
import pytest

from tests.fixtures import MakeClient, MakePerson, MakeWorker, Served
from tests.steps import client_headers, counted
from tests.web.http.walk import of_api, paths
from vault.services import Services

SECRET = "Jean-Valjean-24601"


async def test_an_unknown_parameter_is_refused_everywhere_and_changes_nothing(
    served: Served,
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    make_client: MakeClient,
) -> None:
    """By every method of every path of the API, for each kind of caller and for nobody."""
    callers = [
        (await make_person()).headers,
        (await make_worker()).headers,
        await client_headers(client, await make_client()),
        {},
    ]
    walked = of_api(paths(served.app))
    assert len(walked) > 30
    before = await counted(services, "access_event")
    for each in walked:
        for method in each.methods:
            for headers in callers:
                answer = await client.request(
                    method, f"{each.filled()}?surprise=1", headers=headers
                )
                assert answer.status_code == 422, (method, each)
                assert answer.json()["code"] == "invalid_request"
                error = {"parameter": "surprise", "code": "unknown"}
                assert error.items() <= answer.json()["errors"][0].items()
    assert await counted(services, "access_event") == before


async def test_a_repeated_parameter_is_refused_everywhere(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    headers = (await make_person()).headers
    description = (await client.get("/v1/openapi.json")).json()
    tried = 0
    for path, ways in description["paths"].items():
        for method, operation in ways.items():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "query":
                    tried += 1
                    await _repeat(client, method, path, parameter["name"], headers)
    assert tried > 8


async def _repeat(
    client: httpx.AsyncClient, method: str, path: str, name: str, headers: dict[str, str]
) -> None:
    address = f"{path}?{name}=1&{name}=1".replace("{", "").replace("}", "")
    answer = await client.request(method, address, headers=headers)
    assert answer.status_code == 422, (method, path)
    named = [(error.get("parameter"), error["code"]) for error in answer.json()["errors"]]
    assert (name, "repeated") in named


async def test_all_that_is_wrong_is_said_at_once(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    answer = await client.get(
        "/v1/documents?limit=0&colour=red&deleted=perhaps&colour=blue", headers=person.headers
    )
    assert [(error["parameter"], error["code"]) for error in answer.json()["errors"]] == [
        ("colour", "unknown"),
        ("limit", "out_of_range"),
        ("deleted", "wrong_form"),
    ]
    assert "colour" in answer.json()["detail"]


@pytest.mark.parametrize(
    "query", [SECRET, f"{SECRET}=1", f"a={SECRET}", "0612345678=1", "a%00b", "ÿ=1", "a" * 3000]
)
async def test_nothing_that_could_be_personal_is_repeated(
    client: httpx.AsyncClient, make_person: MakePerson, query: str
) -> None:
    answer = await client.get(f"/v1/documents?{query}", headers=(await make_person()).headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    for word in (SECRET, "0612345678", "ÿ", "a" * 100):
        assert word not in answer.text


async def test_many_parameters_cost_little_and_are_not_all_named(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    query = "&".join(f"a{'bcdefgh'[n % 7]}_{'x' * (n % 20)}{'y' * (n // 140)}" for n in range(2000))
    answer = await client.get(f"/v1/documents?{query}", headers=(await make_person()).headers)
    assert answer.status_code == 422
    assert len(answer.json()["errors"]) <= 100


@pytest.mark.parametrize("path", ["/v1/documents", "/v1/grants"])
@pytest.mark.parametrize("query", ["?", "?&", "?limit=5", "?limit=5&"])
async def test_what_is_known_passes(
    client: httpx.AsyncClient, make_person: MakePerson, path: str, query: str
) -> None:
    answer = await client.get(path + query, headers=(await make_person()).headers)
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/", "/pro", "/documents", "/problems", "/problems/not_found"])
async def test_a_link_that_others_added_to_still_opens(
    client: httpx.AsyncClient, path: str
) -> None:
    """Pages: messaging applications add parameters to the links they carry."""
    plain = await client.get(path)
    added = await client.get(f"{path}?utm_source=sms&utm_source=sms")
    assert added.status_code == plain.status_code < 400
