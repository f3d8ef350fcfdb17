"""Every route of the application, for tests that hold for all of them: a new one is walked too."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from web.http.methods import CATCH_ALL

UNKNOWN = "01890000-0000-7000-8000-000000000001"
_PARAMETER = re.compile(r"{(\w+)(?::\w+)?}")


@dataclass(frozen=True, slots=True)
class Walked:
    """A path as it is declared, and the methods that its routes have together."""

    path: str
    methods: frozenset[str]

    def filled(self, ids: Mapping[str, str] | None = None) -> str:
        """The path with these ids, or with ids of nothing."""
        return _PARAMETER.sub(lambda found: (ids or {}).get(found[1], UNKNOWN), self.path)

    @property
    def named(self) -> bool:
        """Whether it names something by an id."""
        return "{" in self.path


def paths(app: FastAPI) -> list[Walked]:
    """Every path of the application, but that of the page for what is nowhere."""
    methods: dict[str, set[str]] = {}
    for route in iter_route_contexts(app.routes):
        if route.name != CATCH_ALL:
            assert route.path is not None
            methods.setdefault(route.path, set()).update(route.methods or ())
    return [Walked(path, frozenset(ways)) for path, ways in methods.items()]


def of_api(walked: Iterable[Walked]) -> list[Walked]:
    """Those of the API; its description is a public file, whose query is nobody's."""
    return [each for each in walked if each.path.startswith("/v1/") and "openapi" not in each.path]
