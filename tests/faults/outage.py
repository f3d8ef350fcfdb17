"""One part taken away under load and given back: what was seen, and what must have been."""

import asyncio
import inspect
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field

from tests.faults.installation import Installation, Readiness
from tests.faults.load import Answer, Load
from tests.faults.processes import LogLine
from tests.faults.table import Row, counted
from tests.steps import until

GOOD = {"deposit": "201", "read": "200", "ask": "202", "sms": "202", "email": "202"}
BEFORE_SECONDS = 1.0
WELL_SECONDS = 60.0
SLOWEST_SECONDS = 15.0

Step = Callable[[], Awaitable[None] | None]


@dataclass
class Seen:
    """What one outage looked like, from outside."""

    answers: list[Answer]
    warnings: dict[str, list[LogLine]]
    during: dict[str, Readiness]
    after: dict[str, Readiness]
    well: float | None
    stray: list[str] = field(default_factory=list)

    @property
    def slowest(self) -> float:
        """Seconds of the slowest answer."""
        return max((one.seconds for one in self.answers), default=0.0)

    def told(self, event: str) -> Counter[tuple[str, str]]:
        """How often each process wrote this event of each part."""
        return Counter(
            (name, str(line.get("part", "")))
            for name, lines in self.warnings.items()
            for line in lines
            if line.get("event") == event
        )


async def take_away(
    site: Installation, load: Load, take: Step, give: Step, *, seconds: float = 6.0
) -> Seen:
    """Take a part away for so long under load; then wait until everything is well again."""
    await _until_ready(site)
    marks = {name: process.mark() for name, process in site.processes.items()}
    await load.start()
    try:
        await asyncio.sleep(BEFORE_SECONDS)
        taken = time.monotonic()
        await _do(take)
        await asyncio.sleep(max(0.5, seconds - 1.0))
        during = await _readiness(site)
        await asyncio.sleep(max(0.0, taken + seconds - time.monotonic()))
        given = time.monotonic()
        await _do(give)
        well = await _until_well(site, load, given)
    finally:
        await load.stop()
    lines = {name: process.lines(marks[name]) for name, process in site.processes.items()}
    return Seen(
        load.between(taken, given),
        {name: [one for one in all_ if _warns(one)] for name, all_ in lines.items()},
        during,
        await _readiness(site),
        well,
        [one["text"] for all_ in lines.values() for one in all_ if "text" in one],
    )


async def _do(step: Step) -> None:
    done = step()
    if inspect.isawaitable(done):
        await done


async def _readiness(site: Installation) -> dict[str, Readiness]:
    names = list(site.management)
    return dict(zip(names, await asyncio.gather(*map(site.readiness, names)), strict=True))


def _warns(line: LogLine) -> bool:
    return line.get("level") in {"warning", "error", "critical"}


async def _until_ready(site: Installation) -> None:
    """Wait until nothing is left of what was taken away before."""
    try:
        await until(lambda: _is_well(site), WELL_SECONDS)
    except AssertionError:
        seen = _said(await _readiness(site))
        raise AssertionError(f"not well before anything is taken: {seen}") from None


async def _is_well(site: Installation) -> bool:
    """Whether each process is ready, and nothing is degraded."""
    return all(one == Readiness(200) for one in (await _readiness(site)).values())


async def _until_well(site: Installation, load: Load, given: float) -> float | None:
    """Seconds until each process is well and each act succeeds; None if never."""
    while time.monotonic() < given + WELL_SECONDS:
        if _all_succeed(load, given) and await _is_well(site):
            return time.monotonic() - given
        await asyncio.sleep(0.25)
    return None


def _all_succeed(load: Load, since: float) -> bool:
    """Whether on each instance the last answer to each act, begun since then, is the good one."""
    last: dict[tuple[str, str], Answer] = {}
    for one in load.between(since, time.monotonic()):
        last[one.act, one.instance] = one
    wanted = {(act, name) for act in GOOD for name in load.addresses}
    return wanted <= last.keys() and all(GOOD[one.act] == one.status for one in last.values())


def fill(row: Row, seen: Seen) -> None:
    """Write what was seen into the table's row."""
    row.callers = "; ".join(
        f"{act}: {counted(one.status for one in seen.answers if one.act == act)}"
        for act in GOOD
        if any(one.act == act for one in seen.answers)
    )
    unavailable = [one for one in seen.answers if one.status == "503"]
    row.callers += f"; slowest {seen.slowest:.1f} s"
    if unavailable:
        timed = sum(one.retry_after for one in unavailable)
        row.callers += f"; Retry-After on {timed} of {len(unavailable)}"
    row.log = counted(
        " ".join(str(line[key]) for key in ("event", "part", "code", "error") if key in line)
        for lines in seen.warnings.values()
        for line in lines
    )
    row.readiness = f"{_said(seen.during)}; after: {_said(seen.after)}"
    row.well = "NEVER" if seen.well is None else f"{seen.well:.0f} s"


def _said(readiness: dict[str, Readiness]) -> str:
    by_word: dict[str, list[str]] = {}
    for name, one in readiness.items():
        by_word.setdefault(str(one), []).append(name)
    return ", ".join(f"{word} [{' '.join(names)}]" for word, names in by_word.items())


UNHEARD = ("503", "half")
"""What callers may get when a process loses PostgreSQL: it hears of no revocation then, so papers
on their way are cut (invariant 3)."""


def check(
    seen: Seen,
    *,
    callers: Collection[str] = ("503",),
    part: str | None = None,
    telling: Collection[str] = (),
) -> None:
    """Fail unless callers got only good answers and these statuses, each 503 with its Retry-After;
    unless each process of `telling` wrote one warning of `part` and named it in its readiness, and
    no process wrote more than one of any part; unless nothing waited longer than
    `SLOWEST_SECONDS`, and all was well again within `WELL_SECONDS`."""
    got = {one.status for one in seen.answers if one.status != GOOD[one.act]}
    assert got <= set(callers), f"callers got {got}"
    untold = [one for one in seen.answers if one.status == "503" and not one.retry_after]
    assert not untold, f"503 without Retry-After: {untold[0]}"
    assert seen.slowest <= SLOWEST_SECONDS, f"an answer took {seen.slowest:.1f} s"
    told = seen.told("part_failing")
    assert all(times == 1 for times in told.values()), f"told more than once: {told}"
    for name in telling:
        assert told[name, part or ""] == 1, f"{name} did not tell of {part}: {told}"
        assert part in seen.during[name].degraded, f"{name} says {seen.during[name]}"
    assert not seen.stray, f"lines of the log that are not JSON: {seen.stray[:3]}"
    assert seen.well is not None, f"never well again: {seen.after}"
