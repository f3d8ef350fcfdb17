"""A yes said aloud, on a screen that the person and who is beside them read together: what is given
stands in both languages side by side; who heard it is named, and is never the professional."""

from typing import Literal
from uuid import UUID

from auth.subjects import Person
from base.errors import invalid
from vault.consent.consent_acts import Beside, EvidenceKind, HeardBy, HeardByRole
from vault.consent.request_views import ReceivedRequest
from web.pages.forms import Form

FIELDS = ("heard_role", "heard_name", "worker_here")
"""The fields of the page that are no part of the answer."""


def said_aloud(form: Form) -> bool:
    """Whether a form is that of a yes said aloud."""
    return form.get("aloud") == "yes"


def worker_beside(person: Person, request: ReceivedRequest) -> UUID | None:
    """Who is beside the person: whom an assisted session names, or else the worker who asks; None
    where a program does."""
    if person.beside is not None:
        return person.beside.id
    return request.requester_id if request.requester_kind == "worker" else None


def beside_in(form: Form, person: Person, request: ReceivedRequest) -> Beside | None:
    """Who was beside the person, and who heard it; None of a yes that the person said alone. Raises
    `worker_not_here` where neither the session nor the page says that the worker is there,
    `heard_by_wrong` for a role that was not said."""
    if not said_aloud(form):
        return None
    if person.beside is None and form.get("worker_here") != "yes":
        raise invalid("worker_not_here", fields=(("evidence", "worker_id"),))
    role, worker = _role(form.get("heard_role")), worker_beside(person, request)
    if role is None or worker is None:
        raise invalid("heard_by_wrong", fields=(("evidence", "heard_by", "role"),))
    heard = HeardBy(role, form.get("heard_name"))
    return Beside(EvidenceKind.SPOKEN, worker, heard)


def _role(text: str) -> HeardByRole | None:
    roles: dict[str, Literal["witness", "interpreter"]] = {
        "witness": "witness",
        "interpreter": "interpreter",
    }
    return roles.get(text)
