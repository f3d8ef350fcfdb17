"""`python -m tests.checks.addresses`: no file of the tree holds a registry's address or a path of
the machine where it was written."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Each in two pieces, so that this file does not contain them.
_PIECES = (
    ("/wo", "rk/"),
    ("/ro", "ot/"),
    ("/home/[a-z]+/", "(?!unefois)"),
    ("pypi", r"\.org"),
    ("files\\.python", "hosted"),
    ("registry\\.npm", r"js"),
    ("--(extra-)?index", "-url"),
    ("deb\\.deb", r"ian\.org"),
)
FORBIDDEN = re.compile("|".join("".join(pieces) for pieces in _PIECES))


def kept() -> list[Path]:
    """The files under version control, and new ones that are not ignored."""
    asked = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(asked, cwd=ROOT, check=True, capture_output=True).stdout
    return [ROOT / name for name in listed.decode().split("\0") if name]


def faults() -> list[str]:
    """Where such an address is: `file:line`."""
    found = []
    for path in kept():
        if not path.is_file():
            continue
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        found += [
            f"{path.relative_to(ROOT)}:{number}"
            for number, line in enumerate(lines, 1)
            if FORBIDDEN.search(line)
        ]
    return found


def main() -> int:
    """Print the faults; returns 1 when there are any."""
    found = faults()
    for place in found:
        print(f"{place}: a registry's address, or a path of one machine")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
