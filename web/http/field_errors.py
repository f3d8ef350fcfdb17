"""Which fields of a request are wrong: the `errors` of a problem (RFC 9457 §3, its last example).

A field of a body, JSON or form, is named by its JSON pointer as a URI fragment (RFC 6901 §6), one
of the query or a header by its name. Values are never repeated, nor is the name of an unknown field
of a body: it may be anything. The object that has it is named instead.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from fastapi.dependencies.models import Dependant
from pydantic import ValidationError
from starlette.requests import Request

from base.errors import ErrorKind, Field, ServiceError
from web.i18n.field_messages import describe_field_error

FieldError = dict[str, str]
"""`pointer`, `parameter` or `header`; then `code`, for programs, and `detail`, for people."""

_MAX_ERRORS = 100
_CODES = {
    "missing": "required",
    "extra_forbidden": "unknown",
    "repeated": "repeated",
    "exactly_one": "exactly_one",
    "string_too_long": "too_long",
    "too_long": "too_long",
    "string_too_short": "too_short",
    "too_short": "too_short",
    "greater_than_equal": "out_of_range",
    "less_than_equal": "out_of_range",
    "literal_error": "not_in_list",
    "enum": "not_in_list",
}
# Those that are about what was sent. The others answer alike whatever was sent (invariant 7).
_KINDS = (ErrorKind.INVALID, ErrorKind.TOO_LARGE, ErrorKind.UNSUPPORTED_TYPE, ErrorKind.REFUSED)
# What a parameter's name looks like. It stands in the URL already; anything else is not repeated.
_PARAMETER = re.compile(r"[A-Za-z][A-Za-z_-]{0,39}")


class InvalidForm(ServiceError):
    """A form whose fields do not have the shape of a model: all those that are wrong."""

    def __init__(self, code: str, error: ValidationError, **values: Any) -> None:
        super().__init__(ErrorKind.INVALID, code, **values)
        self.errors = [
            {**entry, "loc": ("body", *entry["loc"])}
            for entry in error.errors(include_input=False, include_url=False)
        ]


def of_validation(errors: Iterable[Mapping[str, Any]], language: str) -> list[FieldError]:
    """Those that FastAPI and Pydantic found, each once."""
    found = {}
    for error in errors:
        code = _CODES.get(error["type"], "wrong_form")
        name = _location(error["loc"], unknown=code == "unknown")
        limit = error.get("ctx", {}).get("max_length" if code == "too_long" else "min_length", 0)
        detail = describe_field_error(code, language, {"limit": limit})
        found[*name.values(), code] = {**name, "code": code, "detail": detail}
    return list(found.values())[:_MAX_ERRORS]


def of_failure(request: Request, failure: ServiceError, detail: str) -> list[FieldError]:
    """Those that a use case named; each has the code and the sentence of the failure."""
    if failure.kind not in _KINDS:
        return []
    return [
        {**_place(request, name), "code": failure.code, "detail": detail}
        for name in failure.fields[:_MAX_ERRORS]
    ]


def parameters_of(handler: Dependant, kind: str) -> Iterator[Any]:
    """The parameters of a handler and of what it depends on; `kind`: `query` or `header`."""
    yield from getattr(handler, f"{kind}_params")
    for needed in handler.dependencies:
        yield from parameters_of(needed, kind)


def _location(location: tuple[Any, ...], *, unknown: bool) -> FieldError:
    """Where FastAPI found an error: `("body", "scope", "actions", 0)`, `("query", "limit")`."""
    where, *name = location
    if where == "body":
        return {"pointer": pointer(name[:-1] if unknown else name)}
    word = str(name[0])
    if where == "header":
        return {"header": word}
    return {"parameter": word if not unknown or _PARAMETER.fullmatch(word) else "?"}


def _place(request: Request, name: Field) -> FieldError:
    """Where the request has a field that a use case names: a parameter, or its body."""
    handler = getattr(request.scope.get("route"), "dependant", None)
    if handler is not None and len(name) == 1:
        for parameter in parameters_of(handler, "query"):
            if parameter.alias == name[0]:
                return {"parameter": parameter.alias}
        for parameter in parameters_of(handler, "header"):
            if parameter.name == name[0]:
                return {"header": parameter.alias}
    return {"pointer": pointer(name)}


def pointer(path: Iterable[str | int]) -> str:
    """A JSON pointer as a URI fragment (RFC 6901 §3 and §6)."""
    escaped = (str(part).replace("~", "~0").replace("/", "~1") for part in path)
    return "#" + "".join(f"/{quote(part, safe='~')}" for part in escaped)
