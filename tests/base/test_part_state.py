"""The state of a part: one warning a failure, one line when it is over, nothing personal."""

import pytest
from structlog.testing import capture_logs

from base import clock
from base.part_state import QUIET_SECONDS, PartStates


class Clock:
    """A monotonic clock that a test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(clock, "monotonic", lambda: self.now)


@pytest.fixture
def moving(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_a_hundred_failures_are_one_warning(moving: Clock) -> None:
    parts = PartStates()
    with capture_logs() as lines:
        for _ in range(100):
            moving.now += 1
            parts.sms.failed("sms gateway: 503")
        assert parts.failing() == ["sms"]
        moving.now += QUIET_SECONDS
        parts.sms.answered()
        parts.sms.answered()
    assert [(line["event"], line["code"], line.get("s")) for line in lines] == [
        ("part_failing", "sms gateway: 503", None),
        ("part_recovered", "sms gateway: 503", 109),
    ]
    assert parts.failing() == []


def test_a_part_of_which_half_the_calls_fail_is_one_failure(moving: Clock) -> None:
    parts = PartStates()
    with capture_logs() as lines:
        for _ in range(50):
            parts.store.failed("SlowDown")
            moving.now += QUIET_SECONDS / 2
            parts.store.answered()
        assert parts.failing() == ["store"]
    assert len(lines) == 1


def test_a_code_holds_nothing_that_could_break_a_line_or_fill_it() -> None:
    parts = PartStates()
    with capture_logs() as lines:
        parts.email.failed('smtp: "x"\n<someone@there.example> ' + "y" * 500)
    code = lines[0]["code"]
    assert len(code) == 100
    assert not set('"\n<>@') & set(code)


def test_a_failure_is_over_though_nobody_calls_the_part_any_more(moving: Clock) -> None:
    """A success soon after it, then nothing: readiness would say `degraded` until the next use."""
    parts = PartStates()
    with capture_logs() as lines:
        parts.antivirus.failed("timeout")
        moving.now += 1
        parts.antivirus.answered()
        assert parts.failing() == ["antivirus"]
        moving.now += QUIET_SECONDS
        assert parts.failing() == []
    assert [line["event"] for line in lines] == ["part_failing", "part_recovered"]


def test_a_part_that_never_answered_again_goes_on_failing(moving: Clock) -> None:
    parts = PartStates()
    parts.sms.answered()
    parts.sms.failed("sms gateway: 503")
    moving.now += 100 * QUIET_SECONDS
    assert parts.failing() == ["sms"]
