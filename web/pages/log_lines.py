"""The lines of the access log as a person reads them: by day; first who looked, each person with
their lines, then who asked for codes, then what the person did. Pure.

What says the same within an hour is one line, with how many times. Nothing is left out: a line
holds all its entries.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from audit.events import Action, Outcome
from vault.access_log.entries import EntryView, is_owner

ToldEntry = tuple[EntryView, tuple[list[UUID], int]]
"""An entry, and its documents: those that can be named, how many cannot."""

_TOGETHER = timedelta(hours=1)
_AT_ONCE = timedelta(minutes=1)
_ONE_PAGE = timedelta(seconds=1)
_ENTERED = timedelta(minutes=10)
_ALLOWED = (Outcome.ALLOWED, Outcome.ALLOWED)
_SEEN = {Action.READ.value, Action.PREVIEW.value}
_LOOKS = _SEEN | {Action.LIST.value, Action.LOG_READ.value, Action.GRANT_SEEN.value}
_TOLD = ("version", "device", "sessions")
_CODES = {Action.SIGN_IN_CODE.value, Action.SIGN_IN_FAILED.value}


@dataclass(frozen=True, slots=True)
class LogLine:
    """Entries that say the same within an hour, the newest first."""

    entries: list[ToldEntry] = field(repr=False)

    @property
    def newest(self) -> EntryView:
        """The entry that the line shows."""
        return self.entries[0][0]

    @property
    def count(self) -> int:
        """How many times; a paper that was seen was named first, and a list of several grants is
        recorded for each of them: these are no times of their own."""
        return sum(_same(self.newest, entry) for entry, _ in self.entries)

    @property
    def paper(self) -> UUID | None:
        """The one paper that was seen; None where the line says something else."""
        named, gone = self.entries[0][1]
        allowed = self.newest.outcome == Outcome.ALLOWED
        seen = self.newest.action in _SEEN and allowed and not gone
        return named[0] if seen and len(named) == 1 else None

    def takes(self, entry: EntryView) -> bool:
        """Whether an older entry says the same. What was reported has a line of its own."""
        near = _instant(self.newest) - _instant(entry) <= _TOGETHER
        alike = _same(self.newest, entry) or self._named_by(entry) or self._listed_with(entry)
        return near and not (self.newest.report or entry.report) and alike

    def _named_by(self, entry: EntryView) -> bool:
        """Whether it is the page around the picture that was seen last: the one paper, named just
        before. Any other list is a line of its own."""
        last = self.entries[-1][0]
        return (
            last.action in _SEEN
            and (entry.action, last.outcome, entry.outcome) == (Action.LIST, *_ALLOWED)
            and (entry.documents, entry.grant) == (last.documents, last.grant)
            and entry.beside == last.beside
            and _instant(last) - _instant(entry) <= _AT_ONCE
        )

    def _listed_with(self, entry: EntryView) -> bool:
        """Whether one page listed this grant too: everything that a person gave is one page."""
        last = self.entries[-1][0]
        return (
            {last.action, entry.action} == {Action.LIST.value}
            and (last.outcome, entry.outcome) == _ALLOWED
            and entry.grant not in (None, last.grant)
            and _instant(last) - _instant(entry) <= _ONE_PAGE
        )


@dataclass(frozen=True, slots=True)
class Day:
    """What happened on one day, where the person is. `people`: each with their lines, under name,
    job and organisation; `service`: what nobody in particular did; `codes`: whoever asked for a
    code or tried one; `entered`: the codes with which the person came in; `acts` and `looks`: the
    person's own."""

    day: date
    people: dict[tuple[str, str, str], list[LogLine]] = field(default_factory=dict, repr=False)
    service: list[LogLine] = field(default_factory=list, repr=False)
    codes: list[ToldEntry] = field(default_factory=list, repr=False)
    entered: list[ToldEntry] = field(default_factory=list, repr=False)
    acts: list[LogLine] = field(default_factory=list, repr=False)
    looks: list[LogLine] = field(default_factory=list, repr=False)

    @property
    def mine(self) -> list[LogLine]:
        """What was done with the person's ways in, each code with which they came in in its place
        by time."""
        lines = [*self.acts, *(LogLine([told]) for told in self.entered)]
        return sorted(lines, key=lambda line: _instant(line.newest), reverse=True)

    def count_codes(self, action: str) -> int:
        """How many codes were asked for (`sign_in.code`), or tried in vain (`sign_in.failure`)."""
        return sum(entry.action == action for entry, _ in self.codes)

    def add(self, told: ToldEntry) -> None:
        """The next entry, older than all of them."""
        entry = told[0]
        if is_code_of_somebody(entry):
            (self.entered if self._is_of_entering(entry) else self.codes).append(told)
            return
        lines = self._lines_of(entry)
        line = next((one for one in reversed(lines) if one.takes(entry)), None)
        if line is None:
            lines.append(LogLine([told]))
        else:
            line.entries.append(told)

    def _is_of_entering(self, code: EntryView) -> bool:
        """Whether the person came in with this code: on the same sort of device, within minutes.
        One code for each time; any other is asked about."""
        at, device = _instant(code), code.details.get("device")
        ways_in = [
            entry
            for line in self.acts
            for entry, _ in line.entries
            if entry.action == Action.SIGN_IN and entry.details.get("device") == device
        ]
        asked = [_instant(entry) for entry, _ in self.entered]
        return bool(device and code.action == Action.SIGN_IN_CODE and _is_allowed(code)) and any(
            at <= _instant(way) <= at + _ENTERED
            and not any(at <= other <= _instant(way) for other in asked)
            for way in ways_in
        )

    def _lines_of(self, entry: EntryView) -> list[LogLine]:
        if is_owner(entry):
            return self.looks if entry.action in _LOOKS else self.acts
        who = tuple(entry.actor.get(part, "") for part in ("name", "job", "organisation"))
        return self.people.setdefault((who[0], who[1], who[2]), []) if who[0] else self.service


def by_day(told: Iterable[ToldEntry], zone: ZoneInfo) -> list[Day]:
    """The days of some entries, the newest first, as the entries are."""
    days: dict[date, Day] = {}
    for one in told:
        when = _instant(one[0]).astimezone(zone).date()
        days.setdefault(when, Day(when)).add(one)
    return list(days.values())


def is_code_of_somebody(entry: EntryView) -> bool:
    """Whether a code was asked for, or a wrong one tried, by nobody knows whom."""
    return entry.action in _CODES and not is_owner(entry)


def is_opened_by_another(entry: EntryView) -> bool:
    """Whether somebody else saw a paper, or a picture of it."""
    return entry.action in _SEEN and _is_allowed(entry) and not is_owner(entry)


def _is_allowed(entry: EntryView) -> bool:
    return entry.outcome == Outcome.ALLOWED


def _same(one: EntryView, other: EntryView) -> bool:
    return _said(one) == _said(other)


def _said(entry: EntryView) -> tuple[object, ...]:
    allowed = entry.outcome == Outcome.ALLOWED
    action = "seen" if allowed and entry.action in _SEEN else entry.action
    # Lists of one grant are alike, whatever was looked for in them.
    papers = [] if entry.action == Action.LIST else sorted(entry.documents)
    about = papers, entry.grant, entry.request
    told = tuple(entry.details.get(name) for name in _TOLD)
    return action, entry.outcome, entry.reason, about, told, entry.beside


def _instant(entry: EntryView) -> datetime:
    return datetime.fromisoformat(entry.at)
