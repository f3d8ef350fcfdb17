"""The form in which a worker asks for papers: its first values, all that is wrong with it, whom it
is about, whose number it goes to."""

import secrets
from collections.abc import Callable, Sequence
from typing import Literal

from auth.subjects import Worker
from base.errors import ServiceError, about, invalid
from base.ids import new_id, parse_id
from base.phone_numbers import normal_phone, sms_phone
from base.user_text import clean_text, clean_title
from vault import catalogue
from vault.consent import people, scopes
from vault.consent.meetings import MeetingView, see_meeting
from vault.consent.people import KnownPerson
from vault.consent.request_views import SentRequest
from vault.consent.requests import Whom
from vault.consent.scopes import MAX_PURPOSE_LENGTH, MAX_SCOPE_ITEMS, Scope
from vault.consent.terms import Terms
from web.i18n.typography import national
from web.pages import labels
from web.pages.forms import Form
from web.pages.page import WorkerPage

Whose = Literal["", "theirs", "other", "unsaid"]
"""Whether a number is that of the person whom a form is about: theirs, another one, or nobody
knows, since the worker never wrote to them. Nothing without a person or a number."""
MORE = "more"
"""The field that carries an authorisation put on a mandate before: its own fields, encoded."""
PAPER = "paper"
"""The field that says that what is asked goes on a mandate, the first of it too."""
_DURATION = "P1M"
_LEAST = "attest"
"""What asks least: to know whether papers exist, without seeing them."""
_FIRST = (("action", _LEAST), ("duration", _DURATION), ("legal_basis", catalogue.GRANT_BASIS))
"""What a form begins with."""
_ACTIONS = frozenset(labels.ACTIONS_ASKED)
_CONTACT = ("name", "job", "phone", "hours")


def phone_in(form: Form) -> str:
    """The number, as it was typed."""
    return form.get("phone")[:64]


def whom_in(form: Form) -> Whom:
    """Whom it is for: the person of a meeting, or the holder of the number."""
    if form.get("meeting"):
        return Whom(meeting=parse_id(form.get("meeting")) or new_id())
    return Whom(phone=phone_in(form))


async def known_person(page: WorkerPage, shown: str) -> KnownPerson | None:
    """Whom a form is about, if it says so. Raises `not_found`, recorded."""
    person_id = parse_id(shown)
    if person_id is None:
        return None
    return await people.see_known(page.services, page.worker, person_id)


async def met_person(page: WorkerPage, meeting: str) -> MeetingView | None:
    """The meeting that a form is about, if it says so. Raises `not_found`, recorded."""
    meeting_id = parse_id(meeting)
    if meeting_id is None:
        return None
    return await see_meeting(page.services, page.worker, meeting_id)


def whose(known: KnownPerson | None, phone: str) -> Whose:
    """Whose number it is, by the requests that this person approved."""
    if known is None or not phone:
        return ""
    numbers = {_normal(request.phone) for request in known.approved if request.phone}
    if known.phone is not None:
        numbers.add(_normal(known.phone))
    if not numbers:
        return "unsaid"
    return "theirs" if _normal(phone) in numbers else "other"


def terms_of(form: Form) -> Terms:
    """The terms of the form. Raises what `failures_of` finds."""
    return Terms(
        scope=_scope_in(form),
        purpose_code=form.get("purpose_code")[:64],
        purpose=_purpose_in(form),
        legal_basis=_basis_in(form),
        duration=labels.known_duration(form.get("duration")),
        may_store=form.has("may_store"),
        store_for=None,
        contact=_contact_in(form),
    )


def failures_of(form: Form) -> list[ServiceError]:
    """All that keeps it from being sent, in the order of its fields; nothing when it may go."""
    checks: tuple[Callable[[Form], object], ...] = (
        lambda sent: sent.get("meeting") or sms_phone(phone_in(sent)),
        lambda sent: scopes.check_purpose(sent.get("purpose_code")[:64], _basis_in(sent)),
        _purpose_in,
        lambda sent: scopes.check(_scope_in(sent)),
        _contact_in,
        terms_of,
    )
    found: dict[str, ServiceError] = {}
    for check in checks:
        try:
            check(form)
        except ServiceError as failure:
            # `terms_of` says again what a part of it said.
            found.setdefault(failure.code, failure)
    return list(found.values())


def blank(
    worker: Worker,
    known: KnownPerson | None,
    types: Sequence[str] = (),
    actions: Sequence[str] = (),
) -> Form:
    """The empty form: the number that I know, my own contact, the least access to ask for unless
    `actions` are said. What is not offered is left out."""
    offered = {one.code for one in catalogue.offered_types()}
    asked = [("action", one) for one in dict.fromkeys(actions) if one in _ACTIONS]
    named = [("type", one) for one in dict.fromkeys(types) if one in offered]
    phone, _, hours = worker.contact.partition(", ")
    return Form(
        (
            ("phone", national(known.phone) if known else ""),
            ("person", str(known.id) if known else ""),
            *(asked or [("action", _LEAST)]),
            *named,
            ("duration", _DURATION),
            ("legal_basis", catalogue.GRANT_BASIS),
            ("contact_name", worker.name),
            ("contact_job", worker.job),
            ("contact_phone", phone),
            ("contact_hours", hours),
            ("once", secrets.token_urlsafe(18)),
        )
    )


def asked_again(sent: SentRequest, known: KnownPerson | None) -> Form:
    """The form filled with what a request asked, to be corrected and sent again. What is offered no
    more is left out; a meeting is over: the phone is asked for instead."""
    terms = sent.asked
    offered = {one.code for one in catalogue.offered_types()}
    duration = terms.duration if terms.duration in labels.DURATIONS else _DURATION
    return Form(
        (
            ("phone", national(sent.phone)),
            ("person", str(known.id) if known else ""),
            *(("action", one) for one in map(str, terms.scope.actions) if one in _ACTIONS),
            *(("type", one) for one in terms.scope.document_types if one in offered),
            ("purpose_code", terms.purpose_code),
            ("purpose", terms.purpose),
            ("duration", duration),
            *((("may_store", "yes"),) if terms.may_store else ()),
            ("legal_basis", terms.legal_basis),
            *((f"contact_{name}", terms.contact.get(name, "")) for name in _CONTACT),
            ("once", secrets.token_urlsafe(18)),
        )
    )


def refused(form: Form, failure: ServiceError) -> Form:
    """A form that comes back, refused: as it was sent; of one that something else was sent with
    before, what is sent next is its own."""
    if failure.code != "idempotency_key_reused":
        return form
    kept = [pair for pair in form.pairs if pair[0] != "once"]
    return Form((*kept, ("once", secrets.token_urlsafe(18))))


def begun(form: Form) -> Form:
    """A form that comes back: as it was sent; with its first values where it holds nothing of a
    request, as for another authorisation of a mandate."""
    if any(form.has(name) for name in ("type", "purpose_code", "purpose", "duration")):
        return form
    return Form((*form.pairs, *_FIRST))


def _normal(phone: str) -> str:
    try:
        return normal_phone(phone)
    except ServiceError:
        return phone


def _scope_in(form: Form) -> Scope:
    actions = [action for action in form.all("action") if action in _ACTIONS]
    if "read" in actions:
        # To see papers is to know of them: what the form begins with is not asked beside it.
        actions = [action for action in actions if action != _LEAST]
    return scopes.scope_of(form.all("type")[:MAX_SCOPE_ITEMS], (), actions)


def _basis_in(form: Form) -> str:
    return form.get("legal_basis")[:64] or catalogue.GRANT_BASIS


def _purpose_in(form: Form) -> str:
    with about("purpose"):
        purpose = clean_text(form.get("purpose"), MAX_PURPOSE_LENGTH)
    if purpose is None:
        raise invalid("purpose_missing")
    return purpose


def _contact_in(form: Form) -> dict[str, str]:
    contact = {}
    for name in _CONTACT:
        with about(f"contact_{name}"):
            contact[name] = clean_title(form.get(f"contact_{name}")) or ""
    return contact
