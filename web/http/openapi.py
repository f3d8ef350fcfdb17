"""The description of the API: what FastAPI generates, with problems and sign-in added."""

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from web.http.dependencies import bearer, caller
from web.http.problems import MEDIA_TYPE
from web.http.quota_headers import DESCRIBED

_PROBLEM = {
    "type": "object",
    "description": "RFC 9457, with what to do next.",
    "required": ["type", "title", "status", "detail", "what_to_do", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "what_to_do": {"type": "string"},
        "code": {"type": "string"},
        "request_id": {"type": "string"},
    },
}
_ANSWER: dict[str, Any] = {
    "description": "It did not go as asked: the problem says why, and what to do.",
    "headers": {
        "Retry-After": {
            "description": "Of 429 and 503: how many seconds to wait; a step, not a countdown.",
            "schema": {"type": "integer"},
        }
    },
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
QUOTA: dict[int | str, dict[str, Any]] = {
    202: {"headers": DESCRIBED},
    429: {**_ANSWER, "headers": {**_ANSWER["headers"], **DESCRIBED}},
}
"""The answers of an operation that says what is left to its caller."""
PROBLEM = {"$ref": "#/components/responses/Problem"}
"""For a status that an operation's signature does not show."""
_BEARER = {"type": "http", "scheme": "bearer", "description": "A session or an access token."}
_METHODS = ("get", "put", "post", "delete", "patch", "head")


def install(app: FastAPI) -> None:
    """Make `describe` the description that the application serves."""

    def schema() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = describe(app)
        return app.openapi_schema

    app.openapi = schema  # type: ignore[method-assign]  # FastAPI's own way of replacing it


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, without FastAPI's error schemas: our errors have another form."""
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = _PROBLEM
    components["responses"] = {"Problem": _ANSWER}
    components["securitySchemes"] = {"bearer": _BEARER}
    authenticated = _authenticated(app)
    for path, operations in document["paths"].items():
        for method in _METHODS:
            operation = operations.get(method)
            if operation is not None:
                _complete(operation, method, signed_in=(path, method.upper()) in authenticated)
    return document


def _complete(operation: dict[str, Any], method: str, *, signed_in: bool) -> None:
    responses = operation["responses"]
    if "HTTPValidationError" in str(responses.get("422", "")):
        del responses["422"]
    for status in _problems(operation, method, signed_in=signed_in):
        responses.setdefault(str(status), PROBLEM)
    if signed_in:
        operation["security"] = [{"bearer": []}]


def _problems(operation: dict[str, Any], method: str, *, signed_in: bool) -> list[int]:
    """The statuses that an operation may answer with a problem, from its parameters and body."""
    parameters = operation.get("parameters", [])
    named = {(parameter["in"], parameter["name"].lower()) for parameter in parameters}
    statuses = {503}
    if signed_in:
        statuses |= {401, 403, 429}
    if any(parameter["in"] == "path" for parameter in parameters):
        statuses |= {404}
    if parameters:
        statuses |= {422}
    if "requestBody" in operation:
        statuses |= {400, 413, 415, 422}
    if method != "get":
        statuses |= {429}
    if method == "post":
        statuses |= {409}
    if ("header", "if-match") in named:
        statuses |= {412}
    if ("header", "range") in named:
        statuses |= {416}
    return sorted(statuses)


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
        needed.call in (caller, bearer) or _authenticates(needed) for needed in handler.dependencies
    )
