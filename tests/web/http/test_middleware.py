"""The headers of every answer, and the answer to an unexpected error."""

import io
import json
import uuid
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict

from base.errors import ErrorKind, ServiceError
from base.settings import Settings
from tests.fixtures import MakePerson, Served
from vault.services import Services
from web.http.failure_limit import FailureLimit
from web.http.middleware import BODY_LIMIT, Middleware
from web.http.problem_codes import MEDIA_TYPE
from web.http.problems import install, retry_after
from web.pages.page import failure_page
from web.process import log_output
from web.process.server import listen, run_server, server_for

SECRET = "amina@example.org"


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")
    count: int


async def _nobody(token: str) -> None:
    return None


@pytest.fixture
async def stub(services: Services, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A few handlers that fail, behind the real middleware and the real server."""
    app = FastAPI()
    install(app)
    measured: list[tuple[str, str, int, float]] = []
    app.state.measured = measured

    @app.get("/v1/broken/{name}")
    async def broken(name: str) -> None:
        raise RuntimeError(f"cannot open {name}")

    @app.get("/v1/later")
    async def later() -> None:
        raise ServiceError(ErrorKind.TOO_MANY, "too_many_sign_ins", retry_after=42)

    @app.get("/v1/range")
    async def range_() -> None:
        raise ServiceError(ErrorKind.RANGE, "unavailable", length=10)

    @app.post("/v1/echo")
    async def echo(body: Body) -> Body:
        return body

    app.add_middleware(
        Middleware,
        settings=settings,
        measure=lambda *measure: measured.append(measure),
        failures=FailureLimit(services, _nobody, ("person", "worker", "browser")),
        failure_page=failure_page,
    )
    listener = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with listener:
        async with (
            run_server(server_for(app), listener),
            httpx.AsyncClient(base_url=url, trust_env=False) as client,
        ):
            client.headers["x-test"] = "1"
            client.measured = measured  # type: ignore[attr-defined]  # what the middleware measured
            yield client


async def test_an_unforeseen_error_leaks_nothing(
    stub: httpx.AsyncClient, settings: Settings
) -> None:
    log = io.StringIO()
    log_output.configure(settings, log)
    answer = await stub.get(f"/v1/broken/{SECRET}")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert answer.json()["code"] == "internal_error"
    assert SECRET not in answer.text
    # The log has the type, the place and the request id of the error, not its path or message.
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    error = next(line for line in lines if line["event"] == "unforeseen")
    assert error["error"] == "RuntimeError"
    assert error["request_id"] == answer.json()["request_id"] == answer.headers["x-request-id"]
    request = next(line for line in lines if line["event"] == "request")
    assert request["route"] == "/v1/broken/{name}"
    assert request["status"] == 500
    assert SECRET not in log.getvalue()


async def test_a_failure_tells_when_to_come_back(stub: httpx.AsyncClient) -> None:
    answer = await stub.get("/v1/later", headers={"accept-language": "en"})
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "60"  # 42, in steps that are the same for all
    assert answer.headers["content-language"] == "en"
    problem = answer.json()
    assert problem["type"] == "/problems/too_many_sign_ins"
    assert problem["status"] == 429
    assert problem["what_to_do"]


def test_when_to_come_back_is_one_of_four_steps() -> None:
    """To the second, it would tell when somebody else asked."""
    assert {retry_after(seconds) for seconds in range(1, 8000)} == {"5", "60", "600", "3600"}
    assert [retry_after(seconds) for seconds in (5, 6, 61, 3601)] == ["5", "60", "600", "3600"]


async def test_a_range_problem_tells_the_length(stub: httpx.AsyncClient) -> None:
    assert (await stub.get("/v1/range")).headers["content-range"] == "bytes */10"


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"{", 400, "malformed_request"),
        (b"\xff\xfe", 400, "malformed_request"),
        (b'{"count": "many"}', 422, "invalid_request"),
        (b'{"count": 1, "amina": 2}', 422, "invalid_request"),
        (b"[]", 422, "invalid_request"),
        (b'{"count": 1' + b" " * BODY_LIMIT + b"}", 413, "body_too_large"),
    ],
)
async def test_bad_bodies(stub: httpx.AsyncClient, content: bytes, status: int, code: str) -> None:
    headers = {"content-type": "application/json"}
    answer = await stub.post("/v1/echo", content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    # The answer names a known field; it never repeats what the caller sent.
    assert "many" not in answer.text
    assert "amina" not in answer.text


async def test_a_body_in_pieces_is_limited_too(stub: httpx.AsyncClient) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(BODY_LIMIT // 1000 + 2):
            yield b" " * 1000

    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = await stub.post("/v1/echo", content=pieces(), headers=headers)
    assert answer.status_code == 413


async def test_the_largest_body_passes(stub: httpx.AsyncClient) -> None:
    content = b'{"count": 1}'
    padded = content + b" " * (BODY_LIMIT - len(content))
    answer = await stub.post(
        "/v1/echo", content=padded, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 200


async def test_measures_are_by_template(stub: httpx.AsyncClient) -> None:
    await stub.get(f"/v1/broken/{SECRET}")
    await stub.get(f"/v1/unknown/{SECRET}")
    measured = stub.measured  # type: ignore[attr-defined]  # set by the fixture
    assert [measure[:3] for measure in measured] == [
        ("GET", "/v1/broken/{name}", 500),
        ("GET", "unmatched", 404),
    ]


@pytest.mark.parametrize("path", ["/v1/document-types", "/", "/v1/documents", "/nowhere"])
async def test_every_answer_is_guarded(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    # A page needs its own origin in `Referer`, to check where a form comes from.
    assert headers["referrer-policy"] in {"no-referrer", "same-origin"}
    assert headers["x-frame-options"] == "DENY"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "server" not in headers
    kept = "public, max-age=600" if path == "/v1/document-types" else "no-store"
    assert headers["cache-control"] == kept


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("abcdef-123456", True), ("short", False), ("x" * 65, False), ('a"b\\c12345', False)],
)
async def test_only_a_plain_request_id_is_kept(
    client: httpx.AsyncClient, sent: str, kept: bool
) -> None:
    answer = await client.get("/healthz", headers={"x-request-id": sent})
    assert (answer.headers["x-request-id"] == sent) is kept


async def test_wrong_method_and_no_token(client: httpx.AsyncClient) -> None:
    wrong = await client.put("/v1/document-types")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")
    unauthenticated = await client.get("/v1/documents")
    assert (unauthenticated.status_code, unauthenticated.json()["code"]) == (401, "unauthenticated")
    assert unauthenticated.headers["www-authenticate"] == 'Bearer realm="unefois"'


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Basic abc", "Bearer a b", "Bearer é", "Bearer " + "x" * 5000],
)
async def test_odd_authorizations_are_nobody(client: httpx.AsyncClient, authorization: str) -> None:
    headers = {"Authorization": authorization.encode("latin-1")}
    assert (await client.get("/v1/documents", headers=headers)).status_code == 401


UNKNOWN = "7f3a0d52-93a1-4a0e-9d5e-0b6f2f1c8a77"


@pytest.mark.parametrize(
    "name", [UNKNOWN, "nope", "0", "é", "' OR 1=1", "a" * 3000, UNKNOWN.upper()]
)
async def test_malformed_and_unknown_ids_answer_alike(
    client: httpx.AsyncClient, make_person: MakePerson, name: str
) -> None:
    person = await make_person()
    answer = await client.get(f"/v1/documents/{name}", headers=person.headers)
    problem = answer.json()
    problem.pop("request_id")
    unknown = (await client.get(f"/v1/documents/{uuid.uuid4()}", headers=person.headers)).json()
    unknown.pop("request_id")
    assert answer.status_code == 404
    assert problem == unknown


async def test_measures_are_published(
    client: httpx.AsyncClient, management: httpx.AsyncClient, served: Served
) -> None:
    await client.get("/healthz")
    text = (await management.get("/metrics")).text
    assert 'unefois_http_answers_total{method="GET",route="/healthz",status="200"}' in text
    assert 'unefois_ready{part="database"} 1.0' in text
    assert served.base_url not in text
