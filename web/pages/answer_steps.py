"""The steps of answering a request, one thing a page; and the terms that the answer would give.

What was chosen so far is carried in the address of each step: ids and codes, nothing personal.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, tzinfo
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from base.errors import ServiceError, invalid
from base.ids import parse_id
from vault import catalogue, durations
from vault.consent.request_views import ReceivedRequest
from vault.consent.scopes import Holdings, Scope
from vault.consent.terms import Approval, Terms, narrow_terms
from vault.document_view import DocumentView
from vault.rules import Refused, failure_of
from web.pages import end_days
from web.pages.approvals import AS_ASKED, approval_of, scope_in, shows_documents
from web.pages.forms import MAX_FIELDS, Form

STEPS = ("who", "why", "actions", "papers", "until", "copy", "check")
"""The pages of every answer, in order. What is permitted comes before the papers: to have some
added one names sorts of papers, to show some one picks them."""
NAMES = ("document", "type", "action", *end_days.NAMES, "later", "may_store")
"""The fields of an answer, in every step."""
_CHOICES = ("yes", "no")
_WAY_BACK = re.compile(r"/requests/([0-9a-f-]{36})/papers(?:\?([A-Za-z0-9=&_-]*))?")
_WAY_TO_GIVE = re.compile(r"(/grants/new)/check\?([A-Za-z0-9=&_-]*)")
_GIVEN = ("purpose_code", *end_days.NAMES, "worker")
"""What an address says of a grant that is given once its paper is there."""
_LONGEST_WAY_BACK = 8000


@dataclass(frozen=True, slots=True)
class Summary:
    """What a yes would give. `shown`: the papers that it would show, or that exist; `seen`: a
    digest of all that the page says of it."""

    terms: Terms
    approval: Approval
    ends_at: datetime
    shown: tuple[UUID, ...]
    seen: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialAnswer:
    """A request that is being answered: what was chosen so far, and the papers it may name; `at`
    what moment, and where the person is (`zone`); `ends_by`: when it must be over."""

    request: ReceivedRequest
    chosen: Form
    documents: Mapping[UUID, DocumentView] = field(repr=False)
    at: datetime
    zone: tzinfo
    ends_by: datetime

    @property
    def steps(self) -> tuple[str, ...]:
        """The pages, in order; a question that this request does not ask has none."""
        asked = self.request.asked
        single = self.shows_documents and asked.scope.document_ids
        optional = {
            "actions": len(asked.scope.actions) > 1,
            "papers": self.request.covers or single,
            "copy": asked.may_store,
        }
        return tuple(step for step in STEPS if optional.get(step, True))

    @property
    def scope(self) -> Scope:
        """What is asked for, with the actions that were permitted so far."""
        return scope_in(self.chosen, self.request.asked)

    @property
    def shows_documents(self) -> bool:
        """Whether that shows documents, or that they exist."""
        return shows_documents(self.scope)

    @property
    def first_choice(self) -> str:
        """The page to begin again with when a choice cannot be granted."""
        return "papers" if "papers" in self.steps else self.steps[2]

    def address(self, step: str, *, bare: bool = False) -> str:
        """The address of a step, with what was chosen so far unless `bare`."""
        path = f"/requests/{self.request.id}" + ("" if step == "who" else f"/{step}")
        query = urlencode(self.chosen.pairs)
        return path if bare or not query else f"{path}?{query}"

    def after(self, step: str) -> str:
        """The step that comes next."""
        return self.steps[self.steps.index(step) + 1]

    def before(self, step: str) -> str:
        """The step that came before."""
        return self.steps[self.steps.index(step) - 1]

    def carried(self, *own: str) -> list[tuple[str, str]]:
        """What the form of a step carries on, but for its `own` fields."""
        return [(name, value) for name, value in self.chosen.pairs if name not in own]

    def first_unsaid(self, step: str) -> tuple[str, ServiceError] | None:
        """The first step before one that was left without an answer, and what to say of it."""
        for earlier in self.steps[: self.steps.index(step)]:
            failure = self._failure_in(earlier)
            if failure is not None:
                return earlier, failure
        return None

    def summary(self, languages: tuple[str, ...]) -> Summary:
        """What a yes would give now, read in these languages. Raises `ServiceError`: what the
        approval would be refused for."""
        until, approval = self._until(), self.approval(languages)
        dated = approval.dated(self.at, self.zone)
        terms = narrow_terms(self.request.asked, dated, self._holdings(), self.at)
        if isinstance(terms, Refused):
            raise failure_of(terms.reason)
        ends_at = durations.day_end(until, self.zone) if until else self.request.ends_at
        shown = self._ticked() if shows_documents(terms.scope) else ()
        papers = [(self.documents[one].metadata.type, str(one)) for one in shown]
        # Not for how long, which each second changes: until what day.
        said = terms.values() | {"duration": ""}
        told = [str(self.request.id), said, approval.values(), papers]
        told.append(ends_at.astimezone(self.zone).date().isoformat())
        return Summary(terms, approval, ends_at, shown, digest(told))

    def approval(self, languages: tuple[str, ...]) -> Approval:
        """What a yes says. Raises as `end_days.chosen_day`."""
        approval = approval_of(self.chosen, self.request, self._until())
        return replace(approval, shown_in=languages)

    def _until(self) -> date | None:
        """The day chosen; None for as long as was asked. Raises as `end_days.chosen_day`."""
        if self.chosen.get("duration") == AS_ASKED or self._names_the_day_asked():
            return None
        return end_days.chosen_day(self.chosen, self.at, self.zone, self.ends_by)

    def _names_the_day_asked(self) -> bool:
        """Whether the day of one's own is the one that stands there as asked: to its hour."""
        if self.request.ends_at > self.ends_by:
            return False
        asked = self.request.ends_at.astimezone(self.zone).date()
        if self.chosen.get("duration") not in ("", end_days.OWN):
            return False
        return end_days.written(self.chosen.get("day")) == asked.isoformat()

    def _ticked(self) -> tuple[UUID, ...]:
        ids = set(self.chosen.all("document"))
        return tuple(id_ for id_ in self._offered() if str(id_) in ids and id_ in self.documents)

    def _offered(self) -> dict[UUID, None]:
        covered = [id_ for one in self.request.covers for id_ in one.document_ids]
        return dict.fromkeys([*covered, *self.request.asked.scope.document_ids])

    def _holdings(self) -> Holdings:
        covered = frozenset(id_ for one in self.request.covers for id_ in one.document_ids)
        return Holdings(theirs=covered | frozenset(self.documents), of_requested_types=covered)

    def _failure_in(self, step: str) -> ServiceError | None:
        if step == "papers" and not self._chosen_something():
            return invalid("nothing_granted")
        if step == "actions" and not self.chosen.get("action"):
            return invalid("action_unsaid")
        if step == "until":
            return self._failure_in_end()
        if step == "copy" and self.chosen.get("may_store") not in _CHOICES:
            return invalid("copy_unsaid")
        return None

    def _failure_in_end(self) -> ServiceError | None:
        try:
            self._until()
        except ServiceError as failure:
            return failure
        return None

    def _chosen_something(self) -> bool:
        choice = approval_of(Form(tuple(self.carried(*end_days.NAMES))), self.request).choice
        return bool(choice.document_types or choice.document_ids)


def digest(told: object) -> str:
    """A digest of what a page says: a yes to another page's words is no yes to these."""
    text = json.dumps(told, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def chosen_in(query: str, names: tuple[str, ...] = NAMES) -> Form:
    """What the address of a step carries. Of too much, nothing."""
    try:
        pairs = parse_qsl(query, max_num_fields=MAX_FIELDS)
    except ValueError:
        return Form()
    return only(Form(tuple(pairs)), names)


def only(form: Form, names: tuple[str, ...] = NAMES) -> Form:
    """The fields of an answer in a form, each once; those that say nothing are left out."""
    said = ((name, value) for name, value in form.pairs if name in names and value)
    pairs = ((name, end_days.written(value) if name == "day" else value) for name, value in said)
    return Form(tuple(dict.fromkeys(pairs)))


def way_back(text: str) -> str:
    """The page that chooses papers of a request, or sums up a grant, where a paper is added for it;
    nothing for any other address."""
    if to_give := _WAY_TO_GIVE.fullmatch(text[:_LONGEST_WAY_BACK]):
        return f"/grants/new/check?{urlencode(chosen_in(to_give[2], _GIVEN).pairs)}"
    address = _WAY_BACK.fullmatch(text[:_LONGEST_WAY_BACK])
    if address is None or parse_id(address[1]) is None:
        return ""
    query = urlencode(chosen_in(address[2] or "").pairs)
    return f"/requests/{address[1]}/papers" + (f"?{query}" if query else "")


def counted_in(back: str, document: DocumentView, done: str) -> str:
    """The way back, where a paper that was just added is ticked; a sensitive one is not, it is only
    ticked by hand."""
    by_hand = document.metadata.sensitive or catalogue.is_sensitive(document.metadata.type)
    added = [("done", done)] if by_hand else [("document", str(document.id)), ("done", done)]
    if by_hand and (to_give := _WAY_TO_GIVE.fullmatch(back)):
        back = f"{to_give[1]}?{to_give[2]}"  # to the papers, where it may be ticked
    return f"{back}{'&' if '?' in back else '?'}{urlencode(added)}"
