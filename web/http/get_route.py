"""Starlette's own route, for a GET that thousands of callers send at once.

FastAPI's resolution of dependencies costs 0.12 ms a request. A handler of this route reads its
request itself; FastAPI's route of the same path, tried after it, describes it.
"""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

from web.http.query_parameters import refuse_parameters


class GetRoute(Route):
    """Answers as a FastAPI route of the same path does: it takes no parameter of a query, and the
    scope says which route was taken, for the middleware."""

    def __init__(self, path: str, endpoint: Callable[[Request], Awaitable[Response]]) -> None:
        async def answer(request: Request) -> Response:
            refuse_parameters(request)
            return await endpoint(request)

        super().__init__(path, answer)
        self.methods = {"GET"}  # HEAD arrives as GET

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As Starlette's, with the route in the scope."""
        match, found = super().matches(scope)
        return match, found if match is Match.NONE else {**found, "route": self}
