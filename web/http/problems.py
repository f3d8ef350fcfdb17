"""Errors as problem documents (RFC 9457): the only file that turns a kind of error into HTTP.

Each error code has its message, in each language that is offered, with what to do next; never with
anything that the caller sent.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from base.errors import ErrorKind, ServiceError
from storage.row_macs import RowAltered
from vault.decisions import record_altered_row
from web.http import field_errors
from web.http.challenges import challenge_of
from web.http.failure_limit import RECORDED
from web.http.field_errors import FieldError, InvalidForm
from web.http.methods import allowed_methods, options
from web.http.problem_codes import MEDIA_TYPE, type_of
from web.http.quota_headers import quota_headers
from web.i18n.error_choice import ONE_OF_SEVERAL, filled_in, message_of
from web.i18n.error_messages import ErrorMessage
from web.i18n.languages import languages
from web.i18n.translations import preferred, translations

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
    ErrorKind.CHECKSUM: 460,  # tus 1.0, "Checksum"
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
    errors: list[FieldError] | None = None,
) -> JSONResponse:
    """The answer for a code of `web/i18n/error_messages/`."""
    message = message_of(code, values or {})
    translate = translations(language).gettext
    filled = filled_in(values or {})
    content: dict[str, Any] = {
        "type": type_of(code),
        "title": translate(message.title).format_map(filled),
        "status": status,
        "detail": _detail(message, language, values or {}),
        "what_to_do": translate(message.what_to_do).format_map(filled),
        "code": code,
        "request_id": request_id,
    }
    if errors:
        content["errors"] = errors
    all_headers = {"Content-Language": languages()[language].tag, **(headers or {})}
    return JSONResponse(content, status, all_headers, MEDIA_TYPE)


def of_failure(request: Request, failure: ServiceError) -> JSONResponse:
    """The answer for a failure, with the headers its kind asks for."""
    headers = quota_headers(failure.quota)
    challenge = challenge_of(request, failure)
    if challenge is not None:
        headers["WWW-Authenticate"] = challenge
    if failure.retry_after is not None:
        headers["Retry-After"] = retry_after(failure.retry_after)
    if failure.kind is ErrorKind.RANGE and "length" in failure.values:
        headers["Content-Range"] = f"bytes */{failure.values['length']}"
    return problem(
        failure.code,
        STATUS[failure.kind],
        **_context(request),
        values=failure.values,
        headers=headers,
        errors=_errors(request, failure),
    )


def internal_error(request: Request) -> JSONResponse:
    """The answer for an unexpected error."""
    return problem("internal_error", 500, **_context(request))


def retry_after(seconds: int) -> str:
    """`Retry-After`, rounded up to one of a few steps: to the second, it would tell when somebody
    else asked for what is counted."""
    return str(next((step for step in _RETRY_STEPS if seconds <= step), _RETRY_STEPS[-1]))


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
    return of_failure(request, error)


async def _on_invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101  (idem)
    errors = error.errors()
    if any(entry["type"] == "json_invalid" for entry in errors):
        return problem("malformed_request", 400, **_context(request))
    if _body_of_another_type(request, errors):
        return problem("wrong_media_type", 415, **_context(request))
    context = _context(request)
    named = field_errors.of_validation(errors, context["language"])
    values = {"fields": _names(named)}
    return problem("invalid_request", 422, values=values, errors=named, **context)


def _body_of_another_type(request: Request, errors: Sequence[Mapping[str, Any]]) -> bool:
    """A body was not read as JSON since it was not said to be: curl says that it is a form."""
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    unread = any(
        entry["loc"] == ("body",) and entry["type"] in {"model_attributes_type", "dict_type"}
        for entry in errors
    )
    return unread and not sent.endswith(("/json", "+json"))


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  (idem)
    # FastAPI wraps what reading a body raises in a 400 of its own.
    if isinstance(error.__cause__, ServiceError):
        return of_failure(request, error.__cause__)
    if error.status_code == 405:
        return _on_other_method(request)
    fallback = "malformed_request" if error.status_code == 400 else "request_refused"
    code = _HTTP_CODES.get(error.status_code, fallback)
    return problem(code, error.status_code, headers=error.headers, **_context(request))


def _on_other_method(request: Request) -> Response:
    """OPTIONS, or a method that this path does not have: all those that it has."""
    methods = allowed_methods(request.app, request.scope["path"])
    if not methods:
        return problem("not_found", 404, **_context(request))
    if request.method == "OPTIONS":
        return options(methods)
    headers = {"Allow": ", ".join(methods)}
    return problem("method_not_allowed", 405, headers=headers, **_context(request))


def _errors(request: Request, failure: ServiceError) -> list[FieldError]:
    language = language_of(request)
    if isinstance(failure, InvalidForm):
        return field_errors.of_validation(failure.errors, language)
    message = message_of(failure.code, failure.values)
    detail = _detail(message, language, failure.values)
    return field_errors.of_failure(request, failure, detail)


def _detail(message: ErrorMessage, language: str, values: Mapping[str, str | int]) -> str:
    """What happened, and to which of several files."""
    translate = translations(language).gettext
    sentences = [ONE_OF_SEVERAL] if "parts" in values else []
    filled = filled_in(values)
    return " ".join(translate(each).format_map(filled) for each in (*sentences, message.detail))


def _names(errors: list[FieldError]) -> str:
    """The first fields that are wrong, for the sentence; "#" is the body itself."""
    names = (next(iter(error.values())).removeprefix("#/") for error in errors)
    return ", ".join(list(dict.fromkeys(names))[:_MAX_FIELDS])
