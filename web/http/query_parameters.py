"""The query of a request to the API: what it does not know is refused, as in a body.

A misspelt parameter that is ignored answers another question than the one asked. Pages ignore what
they do not know: links in messages come back with parameters that others added.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from fastapi import Request
from fastapi.dependencies.utils import request_params_to_args
from fastapi.exceptions import RequestValidationError

from web.http.field_errors import parameters_of


async def known_parameters_only(request: Request) -> None:
    """A dependency of every route of the API. Raises `RequestValidationError`: each parameter that
    is unknown or repeated, with what is wrong with the others."""
    if request.scope["query_string"]:
        known = list(parameters_of(request.scope["route"].dependant, "query"))
        errors = _unknown(request, {parameter.alias for parameter in known})
        if errors:
            _, wrong = request_params_to_args(known, request.query_params)
            raise RequestValidationError(errors + wrong)


def refuse_parameters(request: Request) -> None:
    """The same, for a route that takes none."""
    if request.scope["query_string"] and (errors := _unknown(request, ())):
        raise RequestValidationError(errors)


def _unknown(request: Request, known: Iterable[str]) -> list[dict[str, Any]]:
    """What is unknown or repeated, as Pydantic would say it; no parameter takes several values."""
    names = Counter(name for name, _ in request.query_params.multi_items())
    unknown = [name for name in names if name not in known]
    repeated = [name for name in names if names[name] > 1 and name in known]
    return [
        *({"type": "extra_forbidden", "loc": ("query", name)} for name in unknown),
        *({"type": "repeated", "loc": ("query", name)} for name in repeated),
    ]
