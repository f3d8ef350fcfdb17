"""A route that finds its handler's parameters by itself: for the few that thousands ask at once.

FastAPI's own way weighs as much there as all the cryptography. The handler is declared, described
and signed as any other; what it may take is a closed set, checked when the route is made.
"""

from collections.abc import Awaitable, Callable, Coroutine
from inspect import signature
from typing import Any, get_args, get_type_hints

from fastapi import Header, Request, Response
from fastapi.params import Depends
from fastapi.routing import APIRoute

from web.http.path_ids import PathId, read_id

Find = Callable[[Request], Awaitable[Any]]


class DirectRoute(APIRoute):
    """Its handler takes ids of the path, headers, and dependencies on nothing but the request; it
    gives a `Response`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What FastAPI calls for each request. Raises `TypeError` for another kind of parameter."""
        endpoint = self.endpoint
        hints = get_type_hints(endpoint, include_extras=True)
        finds = [(name, _find(name, hints[name])) for name in signature(endpoint).parameters]

        async def handle(request: Request) -> Response:
            values = {name: await find(request) for name, find in finds}
            response: Response = await endpoint(**values)
            return response

        return handle


def _find(name: str, hint: Any) -> Find:
    if hint == PathId:
        return lambda request: _id(request, name)
    for said in get_args(hint)[1:]:
        if isinstance(said, Depends) and said.dependency is not None:
            (only,) = signature(said.dependency).parameters.values()
            if only.annotation is Request:
                return said.dependency
        if isinstance(said, type(Header())) and said.alias:
            alias = said.alias
            return lambda request: _header(request, alias)
    raise TypeError(f"a direct route cannot find {name}")


async def _id(request: Request, name: str) -> Any:
    return read_id(request.path_params[name])


async def _header(request: Request, alias: str) -> str | None:
    return request.headers.get(alias)
