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
    def paper(self) -> UUID | None:
        """The one paper that was seen; None where the line says something else."""
        named, gone = self.entries[0][1]
        allowed = self.newest.outcome == Outcome.ALLOWED
        seen = self.newest.action in _SEEN and allowed and not gone
        return named[0] if seen and len(named) == 1 else None

    def takes(self, entry: EntryView) -> bool:
        """Whether an older entry says the same. What was reported has a line of its own."""
        near = _instant(self.newest) - _instant(entry) <= _TOGETHER
        return near and not (self.newest.report or entry.report) and _same(self.newest, entry)


@dataclass(frozen=True, slots=True)
class Day:
    """What happened on one day, where the person is. `people`: each with their lines, under name,
    job and organisation; `service`: what nobody in particular did; `codes`: whoever asked for a
    code or tried one; `acts` and `looks`: the person's own."""

    day: date
    people: dict[tuple[str, str, str], list[LogLine]] = field(default_factory=dict, repr=False)
    service: list[LogLine] = field(default_factory=list, repr=False)
    codes: list[ToldEntry] = field(default_factory=list, repr=False)
    acts: list[LogLine] = field(default_factory=list, repr=False)
    looks: list[LogLine] = field(default_factory=list, repr=False)

    def count_codes(self, action: str) -> int:
        """How many codes were asked for (`sign_in.code`), or tried in vain (`sign_in.failure`)."""
        return sum(entry.action == action for entry, _ in self.codes)

    def add(self, told: ToldEntry) -> None:
        """The next entry, older than all of them."""
        entry = told[0]
        if is_code_of_somebody(entry):
            self.codes.append(told)
            return
        lines = self._lines_of(entry)
        line = next((one for one in reversed(lines) if one.takes(entry)), None)
        if line is None:
            lines.append(LogLine([told]))
        else:
            line.entries.append(told)

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


def _same(one: EntryView, other: EntryView) -> bool:
    return _said(one) == _said(other)


def _said(entry: EntryView) -> tuple[object, ...]:
    allowed = entry.outcome == Outcome.ALLOWED
    action = "seen" if allowed and entry.action in _SEEN else entry.action
    # Lists of one grant are alike, whatever was looked for in them.
    papers = [] if entry.action == Action.LIST else sorted(entry.documents)
    about = papers, entry.grant, entry.request
    told = tuple(entry.details.get(name) for name in _TOLD)
    return action, entry.outcome, entry.reason, about, told


def _instant(entry: EntryView) -> datetime:
    return datetime.fromisoformat(entry.at)
