"""The token endpoint as OAuth clients read it, and signing in over HTTP, on the real server."""

import base64
from typing import Any
from uuid import uuid4

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from auth.oauth import clients
from auth.services import CoreServices
from tests.auth.oauth.test_clients import Caller, caller
from tests.auth.steps import (
    code_for,
    new_email,
    new_phone,
    new_worker,
    queued_messages,
    service_log,
    wrong,
)
from web.api.oauth import ASSERTION_TYPE

__all__ = ["caller"]
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def http(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client of the real server."""
    return client


def form(caller: Caller, **changes: str | None) -> dict[str, str]:
    fields: dict[str, str | None] = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": caller.assertion(),
    }
    return {name: value for name, value in (fields | changes).items() if value is not None}


async def test_a_token_is_given_and_kept_by_no_cache(
    http: httpx.AsyncClient, caller: Caller
) -> None:
    answer = await http.post("/oauth/token", data=form(caller, scope="evidence"))
    body = answer.json()
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert body.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 300, "evidence")
    bearer = {"Authorization": f"Bearer {body['access_token']}"}
    assert (await http.get("/v1/grants", headers=bearer)).status_code == 200
    signed_out = await http.delete("/v1/sessions/current", headers=bearer)
    assert signed_out.status_code == 404, "an access token is no session"


async def test_what_clients_discover_is_true(
    http: httpx.AsyncClient, services: CoreServices, caller: Caller
) -> None:
    found = (await http.get("/.well-known/oauth-authorization-server")).json()
    assert found["issuer"] == services.settings.public_url
    assert found["token_endpoint"] == found["issuer"] + "/oauth/token"
    assert found["scopes_supported"] == list(clients.SCOPES)
    assertion = caller.assertion(aud=found["token_endpoint"])
    answer = await http.post("/oauth/token", data=form(caller, client_assertion=assertion))
    keys = (await http.get(found["jwks_uri"].removeprefix(found["issuer"]))).json()
    assert keys == (await http.get("/.well-known/jwks.json")).json()
    claims = jwt.decode(answer.json()["access_token"], KeySet.import_key_set(keys)).claims
    assert claims["aud"] == found["issuer"] + "/v1"
    assert all("d" not in key for key in keys["keys"])


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"grant_type": None}, 400, "invalid_request"),
        ({"grant_type": ""}, 400, "invalid_request"),
        ({"grant_type": "authorization_code"}, 400, "unsupported_grant_type"),
        ({"client_assertion": None}, 401, "invalid_client"),
        ({"client_assertion": "a.b.c"}, 401, "invalid_client"),
        ({"client_assertion_type": None}, 401, "invalid_client"),
        ({"client_assertion_type": "urn:other"}, 401, "invalid_client"),
        ({"client_id": "another"}, 401, "invalid_client"),
        ({"client_secret": "x"}, 400, "invalid_request"),
        ({"scope": "everything"}, 400, "invalid_scope"),
        ({"unknown": "ignored", "scope": ""}, 200, None),
    ],
)
async def test_errors_are_those_of_rfc_6749(
    http: httpx.AsyncClient, caller: Caller, changes: dict[str, Any], status: int, error: object
) -> None:
    answer = await http.post("/oauth/token", data=form(caller, **changes))
    assert (answer.status_code, answer.json().get("error")) == (status, error)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json().keys() in (
        {"error", "error_description"},
        {"access_token", "token_type", "expires_in", "scope"},
    )


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"grant_type=client_credentials&grant_type=client_credentials", FORM),
        (b"grant_type=%ff", FORM),
        (b"\xff\xfe", FORM),
        (b"a=" + b"b" * 20_000, FORM),
        (b"&".join(b"a%d=1" % n for n in range(100)), FORM),
        (b'{"grant_type":"client_credentials"}', "application/json"),
        (b"", FORM),
    ],
)
async def test_a_body_that_is_no_such_form(
    http: httpx.AsyncClient, content: bytes, kind: str
) -> None:
    answer = await http.post("/oauth/token", content=content, headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_a_password_is_refused_in_its_own_words_and_recorded(
    http: httpx.AsyncClient, services: CoreServices, caller: Caller
) -> None:
    basic = "Basic " + base64.b64encode(b"a:b").decode()
    data = {"grant_type": "client_credentials"}
    answer = await http.post("/oauth/token", data=data, headers={"Authorization": basic})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["www-authenticate"].startswith("Basic ")
    assert (await service_log(services))[-1]["action"] == "token.refuse"
    both = await http.post("/oauth/token", data=form(caller), headers={"Authorization": basic})
    assert both.json()["error"] == "invalid_request"


async def test_a_replay_is_invalid_client(http: httpx.AsyncClient, caller: Caller) -> None:
    data = form(caller)
    assert (await http.post("/oauth/token", data=data)).status_code == 200
    again = await http.post("/oauth/token", data=data)
    assert (again.status_code, again.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("kind", ["person", "worker"])
async def test_signing_in_and_out(
    http: httpx.AsyncClient, services: CoreServices, kind: str
) -> None:
    address = new_phone() if kind == "person" else new_email()
    if kind == "worker":
        await new_worker(services, address)
    way = {"phone" if kind == "person" else "email": address}
    started = await http.post("/v1/sign-ins", json=way)
    assert started.status_code == 202
    assert started.json().keys() == {"id", "secret", "expires_at", "warnings"}
    code = await code_for(services, address)
    body = {"secret": started.json()["secret"], "code": code}
    opened = await http.post(f"/v1/sign-ins/{started.json()['id']}", json=body)
    assert (opened.status_code, opened.json()["kind"]) == (201, kind)
    assert opened.json().keys() == {"token", "expires_at", "kind", "browser"}
    assert opened.headers["cache-control"] == "no-store"
    bearer = {"Authorization": f"Bearer {opened.json()['token']}"}
    assert (await http.get("/v1/grants", headers=bearer)).status_code == 200
    assert (await http.delete("/v1/sessions/current", headers=bearer)).status_code == 204
    assert (await http.get("/v1/grants", headers=bearer)).status_code == 401


async def test_a_stranger_gets_the_same_answer(
    http: httpx.AsyncClient, services: CoreServices
) -> None:
    known, unknown = new_email(), new_email()
    await new_worker(services, known)
    answers = [await http.post("/v1/sign-ins", json={"email": to}) for to in (known, unknown)]
    assert answers[0].status_code == answers[1].status_code == 202
    assert answers[0].json().keys() == answers[1].json().keys()
    known_headers, unknown_headers = (without_its_own(answer.headers) for answer in answers)
    assert known_headers == unknown_headers


def without_its_own(headers: httpx.Headers) -> dict[str, str]:
    """The headers without those that differ from one answer to the next."""
    return {name: value for name, value in headers.items() if name not in {"date", "x-request-id"}}


async def test_a_wrong_code_and_an_unknown_sign_in(
    http: httpx.AsyncClient, services: CoreServices
) -> None:
    phone = new_phone()
    started = (await http.post("/v1/sign-ins", json={"phone": phone})).json()
    code = await code_for(services, phone)
    path = f"/v1/sign-ins/{started['id']}"
    good = {"secret": started["secret"], "code": code}
    refused = await http.post(path, json=good | {"code": wrong(code)})
    assert (refused.status_code, refused.headers["content-type"]) == (
        401,
        "application/problem+json",
    )
    strangers = [
        await http.post(path, json={"code": code}),
        await http.post(path, json=good | {"secret": started["secret"][:-1]}),
        await http.post(f"/v1/sign-ins/{uuid4()}", json=good),
    ]
    assert (await http.post(path, json=good)).status_code == 201
    for other in (*strangers, await http.post(path, json=good)):
        assert {**other.json(), "request_id": ""} == {**refused.json(), "request_id": ""}
        assert other.status_code == refused.status_code
    bodies = []
    for malformed in ("not-an-id", started["id"].replace("-", "")):
        answer = await http.post(f"/v1/sign-ins/{malformed}", json=good)
        assert answer.status_code == 404
        bodies.append({**answer.json(), "request_id": ""})
    assert bodies[0] == bodies[1]


async def test_the_code_is_in_the_callers_language(
    http: httpx.AsyncClient, services: CoreServices
) -> None:
    phone = new_phone()
    english = {"Accept-Language": "de, en-GB;q=0.8, fr;q=0.1"}
    await http.post("/v1/sign-ins", json={"phone": phone}, headers=english)
    assert (await queued_messages(services, phone))[-1]["text"].startswith("Your code")
