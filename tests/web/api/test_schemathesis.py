"""The whole description of the API, tried with valid and invalid requests by each kind of caller:
no failure of ours, no undocumented answer, no other content type."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.transport.requests import ManagedCookiesSession

from tests.fixtures import MakeClient, MakePerson, MakeWorker, Served
from tests.steps import ask, client_headers, deposit, granted, log_of
from tests.uploads import begin, id_of
from tests.vault.decoding import corpus

EXAMPLES = 12
for kind in ("application/offset+octet-stream", "application/zip"):
    schemathesis.serializer.alias(kind, "application/octet-stream")
Headers = dict[str, str]


def no_failure_of_ours(context: Any, answer: Any, case: Any) -> None:
    """An unavailable part (503) is an answer; an unexpected error is not."""
    if answer.status_code != 503:
        not_a_server_error(context, answer, case)


CHECKS = [
    no_failure_of_ours,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ENDS_THE_CALLER = {("DELETE", "/v1/sessions"), ("DELETE", "/v1/sessions/current")}


def _try(base_url: str, headers: Headers, ids: dict[str, str]) -> list[str]:
    """Try every operation; return those that were tried."""
    schema = schemathesis.openapi.from_url(f"{base_url}/v1/openapi.json")
    tried = []
    with _session() as session:
        for found in schema.get_all_operations():
            operation = found.ok()
            way = (operation.method.upper(), operation.path)
            if way in ENDS_THE_CALLER:
                continue
            tried.append(" ".join(way))
            _trial(operation, session, headers, ids)()
    return tried


def _session() -> ManagedCookiesSession:
    """Sends what a session for each request would, over one connection."""
    session = ManagedCookiesSession()
    session.headers = {}
    session.trust_env = False
    return session


def _trial(
    operation: Any, session: ManagedCookiesSession, headers: Headers, ids: dict[str, str]
) -> Callable[[], None]:
    """One operation, half of the time on resources that exist."""

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(), there=st.booleans())
    def trial(case: Any, there: bool) -> None:
        if there:
            for name in case.path_parameters or {}:
                case.path_parameters[name] = ids.get(name, case.path_parameters[name])
        answer = case.call(session=session, headers=headers)
        case.validate_response(answer, checks=CHECKS)

    return trial


@pytest.mark.slow
@pytest.mark.parametrize("who", ["person", "worker", "client", "nobody"])
async def test_the_description_is_kept_whatever_is_sent(
    who: str,
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    make_client: MakeClient,
) -> None:
    person, worker = await make_person(), await make_worker()
    system = await client_headers(client, await make_client())
    headers = {"person": person.headers, "worker": worker.headers, "client": system}.get(who, {})
    asking = headers if who in {"worker", "client"} else worker.headers
    document = await deposit(client, person, corpus.pdf(1), type_="payslip")
    ids = {
        "document_id": document["id"],
        "request_id": await ask(client, asking, person.phone, "payslip"),
        "grant_id": await granted(client, person, asking, "payslip"),
        "event_id": (await log_of(client, person))[0]["id"],
    }
    ids["upload_id"] = id_of((await begin(client, person, 9)).headers["location"])
    if who == "worker":
        # Under a grant that is not given back meanwhile.
        await granted(client, person, asking, "payslip")
        (known,) = (await client.get("/v1/people", headers=asking)).json()["items"]
        ids["person_id"] = known["id"]
    tried = await asyncio.to_thread(_try, served.base_url, headers, ids)
    assert len(tried) > 25
    assert "GET /v1/grants/{grant_id}/documents/{document_id}/content" in tried


async def test_each_operation_says_its_problems(client: httpx.AsyncClient) -> None:
    """No catch-all: a status that is not described is not answered."""
    document = (await client.get("/v1/openapi.json")).json()
    signed_in = [path for path, ways in document["paths"].items() if "bearer" in str(ways)]
    assert len(signed_in) > 15
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            statuses = set(operation["responses"])
            assert "default" not in statuses, path
            assert not {"500", "501", "502"} & statuses, path
            if operation["security"]:
                assert {"401", "403"} <= statuses, (method, path)
            if "{" in path:
                assert "404" in statuses, (method, path)
