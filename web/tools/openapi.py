"""Keeping `openapi/v1.json` in step with the code: `python -m web.tools.openapi [--check]`."""

import json
import sys
from pathlib import Path

from web.app import bare_app

FILE = Path(__file__).parents[2] / "openapi" / "v1.json"


def described() -> str:
    """The description's text: sorted, so that it only changes with the API."""
    return json.dumps(bare_app().openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> int:
    """Write the file, or check that it is up to date."""
    text = described()
    if sys.argv[1:] != ["--check"]:
        FILE.parent.mkdir(exist_ok=True)
        FILE.write_text(text, encoding="utf-8")
        return 0
    if FILE.exists() and FILE.read_text(encoding="utf-8") == text:
        return 0
    sys.stdout.write("openapi/v1.json is not what the code says: run make openapi\n")
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
