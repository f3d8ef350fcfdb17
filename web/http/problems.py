"""Errors as problem documents (RFC 9457): the only file that turns a kind of error into HTTP.

Each error code has its message, in French or in English, with what to do next; never with anything
that the caller sent.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from base.errors import ErrorKind, ServiceError
from storage.row_macs import RowAltered
from vault.decisions import record_altered_row
from web.http.failure_limit import RECORDED
from web.http.quota_headers import quota_headers
from web.i18n.error_messages import error_messages
from web.i18n.translations import preferred, translations

MEDIA_TYPE = "application/problem+json"

STATUS = {
    ErrorKind.MALFORMED: 400,
    ErrorKind.UNAUTHENTICATED: 401,
    ErrorKind.REFUSED: 403,
    ErrorKind.NOT_FOUND: 404,
    ErrorKind.CONFLICT: 409,
    ErrorKind.PRECONDITION: 412,
    ErrorKind.TOO_LARGE: 413,
    ErrorKind.UNSUPPORTED_TYPE: 415,
    ErrorKind.RANGE: 416,
    ErrorKind.INVALID: 422,
    ErrorKind.TOO_MANY: 429,
    ErrorKind.UNAVAILABLE: 503,
}
_HTTP_CODES = {
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "wrong_media_type",
    503: "unavailable",
}
_RETRY_STEPS = (5, 60, 600, 3600)
_MAX_FIELDS = 10
_MAX_FIELD_LENGTH = 60


def install(app: FastAPI) -> None:
    """Make every error of the application a problem document."""
    app.add_exception_handler(ServiceError, _on_failure)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)


def problem(
    code: str,
    status: int,
    *,
    language: str,
    request_id: str,
    values: Mapping[str, str | int] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The answer for a code of `web/i18n/error_messages/`."""
    message = error_messages()[code]
    translate = translations(language).gettext
    filled = _filled(values or {})
    content = {
        "type": f"/problems/{code}",
        "title": translate(message.title).format_map(filled),
        "status": status,
        "detail": translate(message.detail).format_map(filled),
        "what_to_do": translate(message.what_to_do).format_map(filled),
        "code": code,
        "request_id": request_id,
    }
    all_headers = {"Content-Language": language, **(headers or {})}
    return JSONResponse(content, status, all_headers, MEDIA_TYPE)


def of_failure(failure: ServiceError, *, language: str, request_id: str) -> JSONResponse:
    """The answer for a failure, with the headers its kind asks for."""
    headers = quota_headers(failure.quota)
    if failure.kind is ErrorKind.UNAUTHENTICATED:
        headers["WWW-Authenticate"] = "Bearer"
    if failure.retry_after is not None:
        headers["Retry-After"] = retry_after(failure.retry_after)
    if failure.kind is ErrorKind.RANGE and "length" in failure.values:
        headers["Content-Range"] = f"bytes */{failure.values['length']}"
    return problem(
        failure.code,
        STATUS[failure.kind],
        language=language,
        request_id=request_id,
        values=failure.values,
        headers=headers,
    )


def retry_after(seconds: int) -> str:
    """`Retry-After`, rounded up to one of a few steps: to the second, it would tell when somebody
    else asked for what is counted."""
    return str(next((step for step in _RETRY_STEPS if seconds <= step), _RETRY_STEPS[-1]))


def failure_line(failure: ServiceError) -> str:
    """A failure as one line in French, for a command."""
    message = error_messages()[failure.code]
    return f"{message.detail} {message.what_to_do}".format_map(_filled(failure.values))


def language_of(request: Request) -> str:
    """The language that the caller reads."""
    return preferred(request.headers.get("accept-language"))


def request_id_of(request: Request) -> str:
    """The id that the middleware gave to the request."""
    return str(request.scope.get("unefois.request_id", ""))


def _context(request: Request) -> dict[str, Any]:
    return {"language": language_of(request), "request_id": request_id_of(request)}


async def _on_failure(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ServiceError)  # noqa: S101  (registered for it alone)
    if isinstance(error, RowAltered):
        await record_altered_row(request.app.state.services, error)
        request.scope[RECORDED] = True
    return of_failure(error, **_context(request))


async def _on_invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101  (idem)
    errors = error.errors()
    if any(entry["type"] == "json_invalid" for entry in errors):
        return problem("malformed_request", 400, **_context(request))
    return problem("invalid_request", 422, values={"fields": _fields(errors)}, **_context(request))


async def _on_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101  (idem)
    # FastAPI wraps what reading a body raises in a 400 of its own.
    if isinstance(error.__cause__, ServiceError):
        return of_failure(error.__cause__, **_context(request))
    fallback = "malformed_request" if error.status_code == 400 else "request_refused"
    code = _HTTP_CODES.get(error.status_code, fallback)
    return problem(code, error.status_code, headers=error.headers, **_context(request))


def _filled(values: Mapping[str, str | int]) -> Mapping[str, str]:
    return defaultdict(str, {name: str(value) for name, value in values.items()})


def _fields(errors: Any) -> str:
    """Where the request is wrong: paths of known fields, never a value or a name that was sent."""
    paths = dict.fromkeys(_path(error) for error in errors)
    return ", ".join(list(paths)[:_MAX_FIELDS])


def _path(error: Mapping[str, Any]) -> str:
    location = [str(part) for part in error["loc"]]
    if error["type"] == "extra_forbidden":
        # The name of an unknown field is what the caller sent.
        location[-1] = "?"
    words = (word if word.isascii() else "?" for word in location)
    return ".".join(word[:_MAX_FIELD_LENGTH] for word in words)
