"""What is said of a form with a PIN, a card's code, a code of one time or an identity paper: on
another page than its answer.

A browser keeps what was typed with the page that answers it: whoever goes back there and loads it
again sends it, and reads it in the browser's tools, whatever `no-store` says. So such a form leads
elsewhere (303), right or wrong. What went wrong, and what stands in the fields again, waits in a
cookie: sealed, for this session or visit alone, for a few minutes, and shown once.

The status of a failure is counted with the form (`TOLD`), not again with the page that says it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from base import clock
from base.errors import ErrorKind, ServiceError
from base.key_names import FAILURE_NOTE
from vault.services import Services
from web.http.failure_limit import TOLD
from web.http.problems import STATUS
from web.i18n.error_messages import error_messages
from web.pages import cookies, forms, sealed_values

LIFE = timedelta(minutes=5)
_TYPED = frozenset({"help_phone", "owner", "pin_refused", "typed", "with_name"})
"""What stands in the fields again. Never a PIN, nor a code of one time."""


@dataclass(frozen=True, slots=True)
class FailureNote:
    """What the page at an address says once. `typed`: values of its template."""

    path: str
    failures: tuple[ServiceError, ...]
    typed: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def status(self) -> int:
        """Of the first failure."""
        return STATUS[self.failures[0].kind]

    def added_to(self, values: dict[str, Any]) -> dict[str, Any]:
        """The values of a page's template, with what it says again."""
        typed = {name: value for name, value in self.typed.items() if name in values}
        return {**values, **typed, "failures": self.failures}


async def holds_secret(request: Request) -> bool:
    """Whether a form was sent that has such a field. One that failed before it was read is read."""
    if request.method != "POST":
        return False
    if forms.HOLDS_SECRET not in request.scope:
        try:
            await forms.read(request)
        except ServiceError:
            return False  # no form of ours is so long, or so broken
    return bool(request.scope[forms.HOLDS_SECRET])


async def lead_to(
    request: Request,
    services: Services,
    secret: str,
    address: str,
    failures: Sequence[ServiceError],
    values: Mapping[str, Any],
) -> Response:
    """To the page at an address of ours, which says it. `values`: of the template; of these, what
    was typed goes along."""
    request.scope[TOLD] = STATUS[failures[0].kind]
    if failures[0].kind is ErrorKind.UNAVAILABLE:
        # What seals is perhaps what fails; the code alone is nobody's.
        value = failures[0].code
    else:
        typed = {name: value for name, value in values.items() if name in _TYPED}
        path = address.partition("?")[0]
        value = await _seal(services, secret, FailureNote(path, tuple(failures), typed))
        if len(value) > sealed_values.LONGEST:
            value = await _seal(services, secret, FailureNote(path, tuple(failures)))
    response = RedirectResponse(address, 303, {"Cache-Control": "no-store"})
    cookies.put(response, services.settings, "told", value, seconds=int(LIFE.total_seconds()))
    return response


async def waiting(request: Request, services: Services, secret: str) -> FailureNote | None:
    """What the page that is asked for says, if anything."""
    value = cookies.read(request, services.settings, "told")
    if not value or request.method != "GET":
        return None
    if value in error_messages():
        failure = ServiceError(ErrorKind.UNAVAILABLE, value)
        note: FailureNote | None = FailureNote(request.url.path, (failure,))
    else:
        note = await _opened(services, secret, value)
    return note if note is not None and note.path == request.url.path else None


def forget(request: Request, response: Response, services: Services) -> None:
    """It is said, or a page that says something else stands in its place."""
    if request.method == "GET" and cookies.read(request, services.settings, "told"):
        cookies.drop(response, services.settings, "told")


async def _seal(services: Services, secret: str, note: FailureNote) -> str:
    said = [
        {
            "kind": one.kind.value,
            "code": one.code,
            "retry_after": one.retry_after,
            "fields": one.fields,
            "values": one.values,
        }
        for one in note.failures
    ]
    values = {"path": note.path, "failures": said, "typed": note.typed}
    return await sealed_values.seal(services, FAILURE_NOTE, secret, values, clock.now() + LIFE)


async def _opened(services: Services, secret: str, value: str) -> FailureNote | None:
    values = await sealed_values.opened(services, FAILURE_NOTE, secret, value)
    if values is None:
        return None
    failures = tuple(
        ServiceError(
            ErrorKind(one["kind"]),
            one["code"],
            retry_after=one["retry_after"],
            fields=[tuple(each) for each in one["fields"]],
            **one["values"],
        )
        for one in values["failures"]
    )
    return FailureNote(values["path"], failures, values["typed"])
