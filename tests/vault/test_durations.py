"""Durations compared with a second implementation, and the forms that are refused."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta  # type: ignore[import-untyped]  # ships none
from hypothesis import given
from hypothesis import strategies as st

from base.errors import ErrorKind, ServiceError
from vault.durations import Duration, end_of, grant_end, parse, within_a_year

STARTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  (hypothesis adds the zone)
UNITS = ("years", "months", "days", "hours", "minutes", "seconds")


@st.composite
def written(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A well-formed duration and its parts."""
    if draw(st.booleans()):
        weeks = draw(st.integers(1, 200))
        return f"P{weeks}W", {"weeks": weeks}
    chosen = draw(st.sets(st.sampled_from(UNITS), min_size=1))
    parts = {unit: draw(st.integers(1, 60)) for unit in UNITS if unit in chosen}
    date = "".join(f"{n}{u[0].upper()}" for u, n in parts.items() if u in UNITS[:3])
    time = "".join(f"{n}{u[0].upper()}" for u, n in parts.items() if u in UNITS[3:])
    return f"P{date}" + (f"T{time}" if time else ""), parts


@given(STARTS, written())
def test_the_end_is_the_one_dateutil_finds(
    start: datetime, duration: tuple[str, dict[str, Any]]
) -> None:
    text, parts = duration
    assert end_of(start, text) == start + relativedelta(**parts)


@given(STARTS, written())
def test_a_year_is_compared_by_its_end(
    start: datetime, duration: tuple[str, dict[str, Any]]
) -> None:
    text, parts = duration
    fits = start + relativedelta(**parts) <= start + relativedelta(months=12)
    assert within_a_year(start, text) is fits


@pytest.mark.parametrize(
    ("start", "duration", "end"),
    [
        ("2025-01-31T10:00:00+00:00", "P1M", "2025-02-28T10:00:00+00:00"),
        ("2024-01-31T10:00:00+00:00", "P1M", "2024-02-29T10:00:00+00:00"),
        ("2024-02-29T00:00:00+00:00", "P1Y", "2025-02-28T00:00:00+00:00"),
        ("2024-02-29T00:00:00+00:00", "P4Y", "2028-02-29T00:00:00+00:00"),
        ("2025-12-15T08:30:00+00:00", "P1M", "2026-01-15T08:30:00+00:00"),
        ("2025-12-31T08:30:00+00:00", "P12M", "2026-12-31T08:30:00+00:00"),
        ("2025-01-31T00:00:00+00:00", "P1M1D", "2025-03-01T00:00:00+00:00"),
        ("2025-03-30T00:30:00+01:00", "PT1H", "2025-03-30T00:30:00+00:00"),
        ("2025-05-05T05:05:05+00:00", "P2W", "2025-05-19T05:05:05+00:00"),
    ],
)
def test_known_ends(start: str, duration: str, end: str) -> None:
    assert end_of(datetime.fromisoformat(start), duration) == datetime.fromisoformat(end)


def test_the_calendar_is_that_of_utc() -> None:
    """Just past midnight on 1 March in Paris is still 28 February in UTC."""
    paris = timezone(timedelta(hours=1))
    end = end_of(datetime(2025, 3, 1, 0, 30, tzinfo=paris), "P1M")
    assert end.isoformat() == "2025-03-28T23:30:00+00:00"


@pytest.mark.parametrize(
    ("start", "duration", "fits"),
    [
        ("2023-03-01", "P365D", True),
        ("2023-03-01", "P366D", True),  # 29 February 2024 is in between
        ("2023-03-01", "P367D", False),
        ("2025-03-01", "P365D", True),
        ("2025-03-01", "P366D", False),
        ("2025-03-01", "P52W", True),
        ("2025-03-01", "P53W", False),
        ("2025-03-01", "P1Y", True),
        ("2025-03-01", "P12M", True),
        ("2025-03-01", "P13M", False),
        ("2025-03-01", "P1YT1S", False),
        ("2025-03-01", "PT8760H", True),
        ("2024-02-29", "P365D", True),
        ("2024-02-29", "P366D", False),
        ("2025-03-01", "P9999Y", False),
        ("2025-03-01", "P999999999999D", False),
    ],
)
def test_twelve_months_at_most(start: str, duration: str, fits: bool) -> None:
    instant = datetime.fromisoformat(start).replace(tzinfo=UTC)
    assert within_a_year(instant, duration) is fits
    if fits:
        assert grant_end(instant, duration) == end_of(instant, duration)
    else:
        with pytest.raises(ServiceError) as refused:
            grant_end(instant, duration)
        assert refused.value.code == "duration_too_long"


@pytest.mark.parametrize(
    "text",
    [
        "", "P", "PT", "P1", "1M", "P1DT", "PT1D", "P1H", "p1m", "P1m", "P1M ", " P1M", "P1M\n",
        "P 1M", "P0D", "P0M", "P0Y0M0DT0H0M0S", "P0W", "-P1M", "P-1M", "+P1M", "P+1M", "P1.5M",
        "P1,5M", "PT0.5H", "P1W2D", "P1Y2W", "P1WT1H", "P1M1Y", "P1D1M", "P1M1M", "P١M", "P１M",
        "P0001-01-00", "P1M/P2M", "R5/P1M", "P1000000000000D", "P1M" * 20, "P" + "0" * 50 + "1D",
        "P1M\x00", "PT1M1H", "one month",
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ServiceError) as refused:
        parse(text)
    assert (refused.value.kind, refused.value.code) == (ErrorKind.INVALID, "duration_invalid")
    with pytest.raises(ServiceError) as still:
        within_a_year(datetime(2025, 1, 1, tzinfo=UTC), text)
    assert still.value.code == "duration_invalid"


@pytest.mark.parametrize(
    "text", ["P151Y", "P1801M", "P999999999999Y", "P60000D", "P999999999999D", "P999999999999W"]
)
def test_absurd_sizes_are_too_long(text: str) -> None:
    with pytest.raises(ServiceError) as refused:
        parse(text)
    assert refused.value.code == "duration_too_long"


@pytest.mark.parametrize("text", ["P1M", "P1D", "PT23H"])
def test_the_calendar_itself_ends(text: str) -> None:
    with pytest.raises(ServiceError) as refused:
        end_of(datetime(9999, 12, 31, 12, tzinfo=UTC), text)
    assert refused.value.code == "duration_too_long"


def test_a_start_without_zone_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="time zone"):
        end_of(datetime(2025, 1, 1), "P1M")  # noqa: DTZ001  (the point of the test)


def test_parts_are_read_whole() -> None:
    assert parse("P1Y2M3DT4H5M6S") == Duration(14, timedelta(days=3, hours=4, minutes=5, seconds=6))
    assert parse("P01M") == Duration(1, timedelta())


@given(st.text(alphabet="PTYMWDHS0123456789-+., ", max_size=45))
def test_nothing_but_a_failure_comes_out(text: str) -> None:
    try:
        length = parse(text)
    except ServiceError as failure:
        assert failure.code in {"duration_invalid", "duration_too_long"}
    else:
        assert length.months > 0 or length.rest > timedelta()
