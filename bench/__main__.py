"""`python -m bench [sealing|retrieval|…]`: measure, print the table, keep it as JSON."""

import json
import sys
from pathlib import Path

import uvloop

from bench import cold, deposits, exports, first_page, fixture, log, memory, retrieval, sealing
from bench.rows import Row, table
from bench.servers import serving

RESULTS = Path(__file__).with_name("results.json")
PARTS = ("sealing", "retrieval", "cold", "deposits", "exports", "memory", "pages", "log")
SECONDS = 20.0


def main(parts: list[str]) -> None:
    """Measure the parts named, or all of them."""
    wanted = parts or list(PARTS)
    rows: list[Row] = sealing.measure() if "sealing" in wanted else []
    if {"retrieval", "cold", "deposits", "exports", "memory", "pages"} & set(wanted):
        with fixture.database() as (home, addresses):
            settings = fixture.settings_of(home, addresses)
            data = uvloop.run(fixture.build(settings, addresses, fixture.Sizes()))
            if "retrieval" in wanted:
                with serving("ours", data) as ours, serving("floor", data) as floor:
                    rows += uvloop.run(retrieval.measure(data, ours, floor, seconds=SECONDS))
            if "cold" in wanted:
                rows += uvloop.run(cold.measure(data))
            if "deposits" in wanted:
                with serving("ours", data) as ours, serving("floor", data) as floor:
                    rows += uvloop.run(deposits.measure(data, ours, floor))
            if "exports" in wanted:
                rows += uvloop.run(exports.measure(data))
            if "memory" in wanted:
                with serving("ours", data) as ours:
                    rows += uvloop.run(memory.measure(data, ours, memory.Load()))
            if "pages" in wanted:
                with serving("ours", data) as ours:
                    rows += first_page.measure(ours.port)
    if "log" in wanted:
        rows += log.measure()
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n")
    print(table(rows))


if __name__ == "__main__":
    main(sys.argv[1:])
