"""How long a body may be: a handler that reads one that is longer than a document says so itself,
before it reads the first byte."""

from fastapi import Request
from starlette.types import Scope

_KEY = "unefois.body_limit"


def let_through(request: Request, limit: int) -> None:
    """Let a body of so many bytes through, instead of those of a document."""
    request.scope[_KEY] = limit


def let_through_in(scope: Scope) -> int | None:
    """How many bytes the handler lets through; None where it said nothing."""
    limit: int | None = scope.get(_KEY)
    return limit
