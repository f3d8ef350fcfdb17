"""`WWW-Authenticate` (RFC 6750 §3), over HTTP on every operation that needs a token."""

from datetime import timedelta

import httpx
import pytest

from tests.fixtures import MakeClient, MakePerson, MakeWorker, MoveClock
from tests.steps import client_headers

BARE = 'Bearer realm="unefois"'
_IDS = ("document_id", "grant_id", "request_id", "event_id", "session_id", "upload_id")
UNKNOWN = "01890000-0000-7000-8000-000000000001"


async def test_every_operation_says_how_to_authenticate(client: httpx.AsyncClient) -> None:
    """Without a token nothing is said of one; with one that never existed, that it is not valid."""
    description = (await client.get("/v1/openapi.json")).json()
    tried = 0
    for path, ways in description["paths"].items():
        for method, operation in ways.items():
            if not operation.get("security"):
                continue
            tried += 1
            address = path.replace("{", "").replace("}", "")
            for name in _IDS:
                address = address.replace(name, UNKNOWN)
            none = await client.request(method, address)
            assert (none.status_code, none.headers["www-authenticate"]) == (401, BARE), address
            headers = {"Authorization": "Bearer uf_nothing"}
            false = await client.request(method, address, headers=headers)
            assert false.status_code == 401
            challenge = false.headers["www-authenticate"]
            assert challenge.startswith(f'{BARE}, error="invalid_token", error_description="')
    assert tried > 25


async def test_a_token_that_is_over_is_told_as_one_that_never_was(
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    make_client: MakeClient,
    moved_clock: MoveClock,
) -> None:
    """Revoked, expired, changed, malformed: one answer, but for its id."""
    person, worker = await make_person(), await make_worker()
    system = await client_headers(client, await make_client())
    gone = await client.delete("/v1/sessions/current", headers=person.headers)
    assert gone.status_code == 204
    token = system["Authorization"]
    tried = [
        person.headers["Authorization"], "Bearer uf_nothing", "Bearer", "Bearer a b",
        "bearer x", token[:-4] + "AAAA", "Bearer a.b.c",
    ]  # fmt: skip
    answers = [await _asked(client, value) for value in tried]
    moved_clock(timedelta(days=400))
    late = (worker.headers["Authorization"], token)
    answers += [await _asked(client, value) for value in late]
    assert len(set(answers)) == 1
    status, challenge, code = answers[0]
    assert (status, code) == (401, "unauthenticated")
    assert 'error="invalid_token"' in challenge


async def _asked(client: httpx.AsyncClient, authorization: str) -> tuple[int, str, str]:
    answer = await client.get("/v1/grants", headers={"Authorization": authorization})
    return answer.status_code, answer.headers["www-authenticate"], answer.json()["code"]


@pytest.mark.parametrize("authorization", ["", "Basic eDp4", "DPoP x", "Digest a=b"])
async def test_another_way_of_authenticating_is_no_token(
    client: httpx.AsyncClient, authorization: str
) -> None:
    assert (await _asked(client, authorization))[:2] == (401, BARE)


async def test_a_token_too_narrow_says_which_scope_is_needed(
    client: httpx.AsyncClient, make_client: MakeClient
) -> None:
    headers = await client_headers(client, await make_client(scope="deposits"))
    answer = await client.get(f"/v1/grants/{UNKNOWN}/evidence?type=payslip", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "token_scope_missing")
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith(f'{BARE}, error="insufficient_scope"')
    assert challenge.endswith('scope="evidence"')


async def test_a_wrong_code_is_not_a_wrong_token(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """Whoever signs in again may still send the token of before."""
    person = await make_person()
    started = (await client.post("/v1/sign-ins", json={"phone": person.phone})).json()
    answer = await client.post(
        f"/v1/sign-ins/{started['id']}",
        json={"code": "000000", "secret": "wrong"},
        headers=person.headers,
    )
    assert (answer.status_code, answer.json()["code"]) == (401, "code_wrong")
    assert answer.headers["www-authenticate"] == BARE


async def test_another_refusal_asks_for_no_other_credentials(
    client: httpx.AsyncClient, make_worker: MakeWorker
) -> None:
    answer = await client.get("/v1/documents", headers=(await make_worker()).headers)
    assert answer.status_code == 403
    assert "www-authenticate" not in answer.headers
