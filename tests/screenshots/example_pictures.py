"""`python -m tests.screenshots.example_pictures FROM TO`: the pictures of README and docs, cut from
those of every page."""

import sys
from pathlib import Path

from PIL import Image

MAX_BYTES = 60_000
EXAMPLES = {
    "papers": ("fr-360/documents", 900),
    "which-paper": ("fr-360/documents-add-one-type", 900),
    "request": ("fr-360/requests-one", 900),
    "who-looked": ("fr-360/access-log", 900),
    "request-in-arabic": ("ar-360/requests-one", 900),
    "stopping-in-easy-french": ("falc-360/grants-one-stop", 900),
    "one-person": ("fr-1366/pro-people-one", 900),
    "one-paper": ("fr-1366/pro-grants-one-documents-one", 900),
}
"""The name of each, the page's picture, and how many rows of pixels are kept."""


def cut(source: Path, target: Path, height: int) -> None:
    """The top of a picture, in at most 128 colours. Raises `ValueError` above `MAX_BYTES`."""
    with Image.open(source) as picture:
        top = picture.convert("RGB").crop((0, 0, picture.width, min(height, picture.height)))
    for colours in (128, 64, 32):
        top.quantize(colours).save(target, optimize=True)
        if target.stat().st_size <= MAX_BYTES:
            return
    raise ValueError(f"{target.name} has {target.stat().st_size} bytes")


def main() -> int:
    """Write them all."""
    source, target = map(Path, sys.argv[1:3])
    target.mkdir(parents=True, exist_ok=True)
    for name, (page, height) in EXAMPLES.items():
        cut(source / f"{page}.png", target / f"{name}.png", height)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
