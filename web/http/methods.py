"""The methods of a path: named by 405 and by the answer to OPTIONS; HEAD is answered as GET is.

They depend on the path's form alone, never on what it names: an id that exists, one that does not
and one that is malformed have the same (invariant 7). OPTIONS needs no credentials, looks nobody up
and opens nothing to other origins.
"""

from fastapi import FastAPI
from fastapi.responses import Response
from fastapi.routing import iter_route_contexts
from starlette.types import Message, Scope, Send

HEAD = "unefois.head"
"""In the scope of a request that came as HEAD, for a response that would send much."""
CATCH_ALL = "nothing here"
"""The name of the route that answers where there is nothing: no path is known by it."""

_ORDER = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def allowed_methods(app: FastAPI, path: str) -> tuple[str, ...]:
    """All the methods of a path, whichever routes answer them; none for a path that is unknown."""
    methods: set[str] = set()
    for route in iter_route_contexts(app.routes):
        if route.name != CATCH_ALL and route.path_regex.match(path):
            methods |= route.methods or set()
    if not methods:
        return ()
    if "GET" in methods:
        methods.add("HEAD")
    known = [method for method in _ORDER if method in methods]
    return (*known, *sorted(methods - {*_ORDER, "OPTIONS"}), "OPTIONS")


def options(methods: tuple[str, ...]) -> Response:
    """The answer to OPTIONS for a path that has these methods."""
    return Response(status_code=204, headers={"Allow": ", ".join(methods)})


def as_get(scope: Scope) -> Scope:
    """A HEAD request as the GET that it asks about (RFC 9110 §9.3.2): judged and recorded like it.
    Without its range, which only GET has (§14.2)."""
    headers = [pair for pair in scope["headers"] if pair[0] != b"range"]
    return {**scope, "method": "GET", "headers": headers, HEAD: True}


def without_content(send: Send) -> Send:
    """What sends the head of an answer, and none of its content."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return sent
