"""What was chosen so far of papers that are given unasked, and what each step of it leaves unsaid.

It is carried in the address of each step, as ids and codes; an e-mail address only in the form that
the summary sends.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from urllib.parse import urlencode
from uuid import UUID

from base.contact import normal_email
from base.errors import ErrorKind, ServiceError, invalid
from base.ids import parse_id
from vault import catalogue, durations
from vault.consent import assisted_grants
from vault.consent.grant_issue import GrantDraft, RecipientRef
from vault.consent.grants import GrantView
from vault.consent.meetings import MeetingView
from vault.consent.scopes import MAX_SCOPE_ITEMS, scope_of
from vault.document_view import DocumentView
from vault.rules import GrantAction
from web.i18n.catalogue_names import purpose_names
from web.pages import end_days
from web.pages.answer_steps import digest
from web.pages.forms import Form

STEPS = ("papers", "why", "until", "who", "check")
NAMES = ("document", "purpose_code", *end_days.NAMES, "worker", "meeting", "stop")
TOO_LONG = "assisted_too_long"
GIVING = "giving"
"""Said by who shows a code in order to show papers."""
THROUGH_A_MEETING = ("document", "purpose_code", *end_days.NAMES)
"""What was chosen before one shows a code, and is still so when one stands before somebody."""


def address_with(chosen: Form, meeting_id: UUID | None = None) -> str:
    """The first step that asks for what was not chosen before a meeting: for whom one met, or for
    anyone."""
    asked = {"papers": ("document",), "why": ("purpose_code",), "until": end_days.NAMES}
    unsaid = (step for step, names in asked.items() if not any(map(chosen.get, names)))
    step = next(unsaid, "check" if meeting_id else "who")
    path = "/grants/new" if step == "papers" else f"/grants/new/{step}"
    whom = [("meeting", str(meeting_id))] if meeting_id else []
    query = urlencode([*whom, *_kept(chosen)])
    return f"{path}?{query}" if query else path


def page_of_meeting(chosen: Form, meeting_id: UUID) -> str:
    """The page that says what became of a meeting, with what was chosen."""
    return f"/meetings/{meeting_id}?{urlencode([(GIVING, 'yes'), *_kept(chosen)])}"


def _kept(chosen: Form) -> list[tuple[str, str]]:
    return [pair for pair in chosen.pairs if pair[0] in THROUGH_A_MEETING]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialGrant:
    """What was chosen so far, the papers that were, and to whom papers were given before; `at` what
    moment, and where the person is (`zone`); `beside`: the worker who is beside them, who is known
    too."""

    chosen: Form
    documents: Mapping[UUID, DocumentView] = field(repr=False)
    known: Mapping[UUID, Mapping[str, str]] = field(repr=False)
    beside: UUID | None
    at: datetime
    zone: tzinfo
    email: str = field(default="", repr=False)
    met: MeetingView | None = field(default=None, repr=False)

    @property
    def steps(self) -> tuple[str, ...]:
        """Whom one stands before is known already."""
        return tuple(one for one in STEPS if one != "who" or self.met is None)

    def address(self, step: str, *, bare: bool = False) -> str:
        """The address of a step, with what was chosen so far unless `bare`."""
        path = "/grants/new" if step == "papers" else f"/grants/new/{step}"
        query = urlencode(self.chosen.pairs)
        return path if bare or not query else f"{path}?{query}"

    def carried(self, *own: str) -> list[tuple[str, str]]:
        """What the form of a step carries on, but for its `own` fields."""
        return [(name, value) for name, value in self.chosen.pairs if name not in own]

    def first_unsaid(self, step: str) -> tuple[str, ServiceError] | None:
        """The first step before one that was left without an answer, and what to say of it."""
        for earlier in STEPS[: STEPS.index(step)]:
            failure = self._failure_in(earlier)
            if failure is not None:
                return earlier, failure
        return None

    @property
    def worker(self) -> UUID | None:
        """The one whom one stands before; or the one they were given to before, or who is beside,
        if it is one of those."""
        if self.met is not None:
            return self.met.worker_id
        chosen = parse_id(self.chosen.get("worker"))
        return chosen if chosen in self.known else None

    @property
    def recipient(self) -> Mapping[str, str] | None:
        """The name and the structure, where they are known: of the one whom one stands before, or
        of the one they were given to before."""
        if self.met is not None and self.met.other is not None:
            other = self.met.other
            return {"name": other.name or "", "organisation": other.organisation, "contact": ""}
        return self.known[self.worker] if self.worker else None

    @property
    def to(self) -> str:
        """The name, or the address of somebody new: only the answer says whose it is."""
        return self.recipient["name"] if self.recipient else self.email

    def draft(self, replaces: tuple[UUID, ...] = ()) -> GrantDraft:
        """What is given: these papers, to look at, and nothing else; and what ends by it."""
        code = self.chosen.get("purpose_code")
        return GrantDraft(
            recipient=self._ref(),
            scope=scope_of((), self.documents, [GrantAction.READ]),
            purpose_code=code,
            purpose=purpose_names(code).fr,
            until=self.until(),
            replaces=replaces,
        )

    def until(self) -> date:
        """The last day. Raises as `end_days.chosen_day`."""
        offered = dict(self.ends).get(self.chosen.get("duration"))
        return offered or end_days.chosen_day(self.chosen, self.at, self.zone, self.ends_by)

    @property
    def ends(self) -> list[tuple[str, date]]:
        """The durations that are offered, with their last days. Beside a worker, the day of a short
        one is the same whoever receives: it is chosen before it is said to whom."""
        near = end_days.offered(self.at, self.zone, self._ends_by(beside=self.beside is not None))
        return near + end_days.offered(self.at, self.zone, self.ends_by)[len(near) :]

    @property
    def ends_at(self) -> datetime:
        """The end of that day."""
        return durations.day_end(self.until(), self.zone)

    @property
    def ends_by(self) -> datetime:
        """When it must be over: sooner for what is given to the worker who is beside."""
        return self._ends_by(beside=self.goes_beside)

    @property
    def goes_beside(self) -> bool:
        """Whether it is given to the worker who is beside."""
        return self.beside is not None and self.worker == self.beside

    @property
    def name_beside(self) -> str:
        """The name of the worker who is beside, while it may be given to them."""
        chosen = self.chosen.get("worker") if self.met is None else str(self.met.worker_id)
        if self.beside is None or chosen not in ("", str(self.beside)):
            return ""
        return self.known[self.beside]["name"]

    def _ref(self) -> RecipientRef:
        if self.met is not None:
            return RecipientRef(meeting=self.met.id)
        if self.worker is not None:
            return RecipientRef(worker_id=self.worker)
        return RecipientRef(worker_email=self.email)

    def seen(self, longer: Sequence[GrantView]) -> str:
        """A digest of all that the summary says, `longer` what its recipient sees for longer."""
        draft, papers = self.draft(), [one.metadata.type for one in self.documents.values()]
        return digest([draft.values(), papers, self.to, [str(one.id) for one in longer]])

    def _failure_in(self, step: str) -> ServiceError | None:
        if step == "papers":
            if len(self.documents) > MAX_SCOPE_ITEMS:
                return invalid("too_many_papers", limit=MAX_SCOPE_ITEMS)
            return None if self.documents else invalid("nothing_granted")
        if step == "why" and catalogue.purpose_by_code(self.chosen.get("purpose_code")) is None:
            return invalid("reason_unsaid")
        if step == "until":
            return self._failure_in_end()
        return self._failure_in_recipient() if step == "who" else None

    def _ends_by(self, *, beside: bool) -> datetime:
        longest = assisted_grants.LONGEST if beside else durations.MAX_GRANT
        return durations.end_of(self.at, longest)

    def _failure_in_end(self) -> ServiceError | None:
        try:
            self.until()
        except ServiceError as failure:
            return ServiceError(ErrorKind.REFUSED, TOO_LONG) if self._is_too_long() else failure
        return None

    def _is_too_long(self) -> bool:
        """Whether the end that was chosen is one for anyone but the worker who is beside."""
        if not self.goes_beside:
            return False
        try:
            ends_by = self._ends_by(beside=False)
            end_days.chosen_day(self.chosen, self.at, self.zone, ends_by)
        except ServiceError:
            return False
        return True

    def _failure_in_recipient(self) -> ServiceError | None:
        if self.met is not None:
            return None
        if self.worker is not None:
            return invalid("recipient_twice") if self.email else None
        if not self.email:
            return invalid("recipient_unsaid")
        try:
            normal_email(self.email)
        except ServiceError as failure:
            return failure
        return None
