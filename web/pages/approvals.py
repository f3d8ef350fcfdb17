"""An approval from what a person ticked on a request: never more than they saw. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, tzinfo
from uuid import UUID

from base.ids import parse_id
from vault.consent.request_views import CoveredType, ReceivedRequest
from vault.consent.scopes import Choice, Scope
from vault.consent.terms import Approval, Terms
from vault.rules import GrantAction
from web.pages import end_days, labels
from web.pages.forms import Form

AS_ASKED = "asked"
"""The choice of the duration that the request asks for."""


def approval_of(form: Form, request: ReceivedRequest, until: date | None = None) -> Approval:
    """The approval that a form gives, `until` the end of a day: as long as was asked without one.

    A type whose documents are all ticked is granted as a type; otherwise the ticked documents are
    granted one by one, as sensitive ones always are, beside a type too. Where papers are only
    added, types are ticked, and no document.
    """
    asked = request.asked
    actions = _actions(form, asked)
    shows, named = shows_documents(scope_in(form, asked)), set(form.all("type"))
    ticked = {id_ for text in form.all("document") if (id_ := parse_id(text)) is not None}
    if not shows:
        ticked = set()
    types: list[str] = []
    ids: list[UUID] = [id_ for id_ in asked.scope.document_ids if id_ in ticked]
    for covered in request.covers:
        if _granted_as_type(covered, ticked, named, shows=shows):
            types.append(covered.type)
            ids += [id_ for id_ in covered.sensitive_ids if id_ in ticked]
        else:
            ids += [id_ for id_ in covered.document_ids if id_ in ticked]
    return Approval(
        choice=Choice(tuple(types), tuple(dict.fromkeys(ids)), actions),
        until=until,
        may_store=form.get("may_store") == "yes" if asked.may_store else None,
        covers_future=form.has("later") and shows and bool(types),
    )


def shows_documents(scope: Scope) -> bool:
    """Whether a scope shows documents, or that they exist: a deposit alone does not."""
    return not scope.only_adds


def scope_in(form: Form, asked: Terms) -> Scope:
    """The scope that is asked for, with what was permitted of it so far; nothing said is all."""
    actions = _actions(form, asked)
    return replace(asked.scope, actions=actions) if actions else asked.scope


def shorter_durations(
    asked: Terms, at: datetime, zone: tzinfo, ends_at: datetime
) -> list[tuple[str, date]]:
    """The durations to choose from that end before the one asked, each with its last day."""
    codes = (code for code in labels.DURATIONS if code != asked.duration)
    return end_days.offered(at, zone, ends_at, codes)


def _granted_as_type(
    covered: CoveredType, ticked: Iterable[UUID], named: Iterable[str], *, shows: bool
) -> bool:
    if not shows:
        return covered.type in named
    if covered.sensitive:
        return False
    if not covered.document_ids:
        return covered.type in named
    of_type = set(covered.document_ids) - set(covered.sensitive_ids)
    return bool(of_type) and of_type <= set(ticked)


def _actions(form: Form, asked: Terms) -> tuple[GrantAction, ...] | None:
    if len(asked.scope.actions) == 1:
        return None
    wanted = form.all("action")
    return tuple(action for action in asked.scope.actions if action.value in wanted)
