"""The whole bench runs at tiny sizes, and reports what it measured."""

import pytest

from bench import cold, deposits, exports, fixture, memory, retrieval
from bench.rows import bounded, faster, slower, table
from bench.servers import serving

TINY = fixture.Sizes(large=400_000, small=2_000, listed=3, kept=300_000, people=8)
FEW = memory.Load(downloads=4, deposits=2, deposit_size=200_000)


@pytest.mark.slow
async def test_every_line_over_http_is_measured_beside_its_floor() -> None:
    with fixture.database() as (home, addresses):
        known = await fixture.build(fixture.settings_of(home, addresses), addresses, TINY)
        with serving("ours", known) as ours, serving("floor", known) as floor:
            rows = await retrieval.measure(known, ours, floor, seconds=0.1)
            rows += await deposits.measure(
                known, ours, floor, pixels=(320, 200), times=3, seconds=0.1
            )
            rows += await memory.measure(known, ours, FEW)
        rows += await cold.measure(known, others=100, runs=1)
        rows += await exports.measure(known)
    assert [list(row) for row in rows] == [
        ["name", "value", "floor", "ratio", "target", "met"] for _ in range(15)
    ]
    for row in (*rows[:5], rows[7], rows[12]):
        assert row["ratio"] == pytest.approx(row["value"] / row["floor"], rel=0.05)  # type: ignore[operator]  # numbers there
    assert all(20 < float(str(row["value"])) < 300 for row in rows[10:12])


def test_a_line_says_whether_its_target_is_met() -> None:
    assert faster("speed", 70, 100, 0.7)["met"]
    assert not faster("speed", 69, 100, 0.7)["met"]
    assert slower("time", 30, 10, 3.0)["met"]
    assert not slower("time", 31, 10, 3.0)["met"]
    assert not bounded("amount", 301, 300)["met"]
    assert table([bounded("amount", 301, 300)]).splitlines()[-1].endswith("NOT MET")
