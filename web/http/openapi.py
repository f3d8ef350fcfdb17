"""The description of the API: what FastAPI generates, with problems and sign-in added."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from web.http.dependencies import bearer, caller, worker_beside
from web.http.openapi_problems import (
    FIELD_ERROR,
    PROBLEM,
    PROBLEM_CODE,
    problem_response,
    quota_response,
    responses,
)
from web.http.public_resources import TEN_MINUTES, public_answer
from web.http.query_parameters import known_parameters_only

_BEARER = {"type": "http", "scheme": "bearer", "description": "A session or an access token."}
_CONTACT = {"name": "The operator of this installation, named in /.well-known/security.txt"}
_LICENSE = {"name": "EUPL-1.2", "identifier": "EUPL-1.2"}
# Relative to where this description was read.
_SERVERS = [{"url": "/", "description": "This installation."}]
_TAGS = {
    "documents": "A person's own documents.",
    "uploads": "Files sent in pieces, over a network that breaks (tus 1.0).",
    "grants": "Consent that was given: seen, used, taken back. Each use is on the person's log.",
    "consent requests": "Consent that is asked for, and the person's answer.",
    "mandates": "Several things on one paper, which a person signs and then says yes to.",
    "meetings": "A person and a worker face to face: six digits in the place of a phone number.",
    "people": "A worker's people: who gave them a grant, by an id and a label of the worker's own.",
    "catalogue": "The closed lists that requests and deposits name.",
    "access log": "Who did what on a vault, with proofs.",
    "public log": "The tree over all events (C2SP tlog-tiles), which says nothing of any of them.",
    "receipts": "What checks a receipt of a grant: public keys, and whether its grant lives.",
    "sign-ins": "Signing in by a code, or by a card and its PIN.",
    "desk": "What a worker does beside somebody who has no phone.",
    "means": "By what a person enters: a phone, cards, and the PIN that they share.",
    "recovery": "A vault that its person lost every means of is opened again.",
    "joins": "Two vaults of one person become one, from inside both.",
    "representation": "Whoever represents a person under tutelle, from a vault of their own.",
    "trusted": "Whom a person trusts to say at a desk that it is them.",
    "sessions": "Where the caller is signed in.",
    "me": "A person's own vault as a whole, and its end.",
    "oauth": "Access tokens of administrations (RFC 6749, RFC 7523).",
    "health": "The state of a process.",
}
_BY_HEADER = {
    "if-match": 412,
    "range": 416,
    "tus-resumable": 412,
    "upload-offset": 409,
    "upload-checksum": 460,
}
"""The status of a condition that a header of the request sets, where it does not hold."""
_METHODS = ("get", "put", "post", "delete", "patch", "head", "options")


def install(app: FastAPI) -> None:
    """Make `describe` the description that the application serves, at `/v1/openapi.json`."""

    def schema() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = describe(app)
        return app.openapi_schema

    @cache
    def content() -> bytes:
        return json.dumps(app.openapi(), ensure_ascii=False, separators=(",", ":")).encode()

    async def serve(request: Request) -> Response:
        return public_answer(request, content(), "application/json", cache=TEN_MINUTES)

    app.openapi = schema  # type: ignore[method-assign]  # FastAPI's own way of replacing it
    alone = [Depends(known_parameters_only)]
    app.add_api_route("/v1/openapi.json", serve, include_in_schema=False, dependencies=alone)


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, without FastAPI's error schemas: our errors have another form."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        servers=_SERVERS,
        contact=_CONTACT,
        license_info=_LICENSE,
    )
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = PROBLEM
    schemas["ProblemCode"] = PROBLEM_CODE
    schemas["FieldError"] = FIELD_ERROR
    components["responses"] = responses()
    components["securitySchemes"] = {"bearer": _BEARER}
    authenticated = _authenticated(app)
    for path, operations in document["paths"].items():
        for method in _METHODS:
            operation = operations.get(method)
            if operation is not None:
                _complete(operation, method, signed_in=(path, method.upper()) in authenticated)
    document["tags"] = [
        {"name": name, "description": _TAGS[name]} for name in _TAGS if name in _used(document)
    ]
    return document


def _used(document: dict[str, Any]) -> set[str]:
    return {
        tag
        for operations in document["paths"].values()
        for operation in operations.values()
        for tag in operation["tags"]
    }


def _complete(operation: dict[str, Any], method: str, *, signed_in: bool) -> None:
    answers = operation["responses"]
    if "HTTPValidationError" in str(answers.get("422", "")):
        del answers["422"]
    if "429" in answers:
        answers["429"] = quota_response()
    for status in _problems(operation, method, signed_in=signed_in):
        answers.setdefault(str(status), problem_response(status))
    operation["security"] = [{"bearer": []}] if signed_in else []
    operation["summary"] = operation["description"].partition(".")[0].partition(";")[0]


def _problems(operation: dict[str, Any], method: str, *, signed_in: bool) -> list[int]:
    """The statuses that an operation may answer with a problem, from its parameters and body."""
    parameters = operation.get("parameters", [])
    named = {(parameter["in"], parameter["name"].lower()) for parameter in parameters}
    # An unknown query parameter is refused.
    statuses = {422, 503}
    if signed_in:
        statuses |= {401, 403, 429}
    if any(parameter["in"] == "path" for parameter in parameters):
        statuses |= {404}
    if "requestBody" in operation:
        statuses |= {400, 413, 415, 422}
    if method != "get":
        statuses |= {429}
    if method == "post":
        statuses |= {409}
    return sorted(statuses | {_BY_HEADER[name] for where, name in named if name in _BY_HEADER})


def _authenticated(app: FastAPI) -> set[tuple[str, str]]:
    """The operations whose handler depends on who is calling."""
    return {
        (route.path_format, method)
        for route in _routes(app)
        if isinstance(route, APIRoute) and _authenticates(route.dependant)
        for method in route.methods or ()
    }


def _routes(app: FastAPI) -> Iterator[BaseRoute]:
    """Each route, including those of the routers that the application includes."""
    for route in app.routes:
        included: APIRouter | None = getattr(route, "original_router", None)
        yield from (route,) if included is None else included.routes


def _authenticates(handler: Dependant) -> bool:
    return any(
        needed.call in (caller, bearer, worker_beside) or _authenticates(needed)
        for needed in handler.dependencies
    )
