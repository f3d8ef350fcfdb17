"""Static files, read once, served under a name that changes with their content."""

import re
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from base.errors import not_found
from web.http.public_resources import IMMUTABLE, public_answer

FOLDER = Path(__file__).parent / "static"
_TURNS = {"back", "exit", "fast", "speaker"}
_FOR_READERS = {
    ".js": re.compile(rb"^ *//.*\n|^ +", re.MULTILINE),
    ".css": re.compile(rb"/\*.*?\*/\n?", re.DOTALL),
}
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file, and the fingerprint in its address."""

    content: bytes
    media_type: str
    fingerprint: str


@cache
def assets() -> dict[str, Asset]:
    """Every file that is served, by its path in the folder."""
    files = [file for file in sorted(FOLDER.rglob("*")) if file.suffix in _TYPES]
    # Scripts import each other by name, so all of them share one fingerprint.
    scripts = _fingerprint(b"".join(_content(file) for file in files if file.suffix == ".js"))
    return {
        file.relative_to(FOLDER).as_posix(): _read(file, scripts if file.suffix == ".js" else None)
        for file in files
    }


def address(name: str) -> str:
    """The address of a file. Raises `KeyError` for an unknown one."""
    return f"/static/{assets()[name].fingerprint}/{name}"


def drawing(name: str) -> Markup:
    """A drawing to inline into a page: it takes the colour of the text. Those that point along the
    line turn round where it is read from right to left."""
    known = assets()
    asset = known.get(f"pictograms/{name}.svg") or known[f"signs/{name}.svg"]
    kind = "pictogram turns" if name in _TURNS else "pictogram"
    svg = asset.content.decode().strip()
    svg = svg.replace("<svg ", f'<svg class="{kind}" aria-hidden="true" ', 1)
    return Markup(svg)  # noqa: S704  (our own drawings)


def drawings() -> list[str]:
    """The names of all drawings."""
    return [Path(name).stem for name in assets() if "/" in name and name.endswith(".svg")]


async def serve(fingerprint: str, name: str, request: Request) -> Response:
    """One file, which the browser may keep: another content has another address."""
    asset = assets().get(name)
    if asset is None or asset.fingerprint != fingerprint:
        raise not_found()
    return public_answer(request, asset.content, asset.media_type, cache=IMMUTABLE)


def add_to(router: APIRouter) -> None:
    """Serve the files."""
    router.add_api_route("/static/{fingerprint}/{name:path}", serve, methods=["GET"])


def _read(file: Path, fingerprint: str | None) -> Asset:
    content = _content(file)
    return Asset(content, _TYPES[file.suffix], fingerprint or _fingerprint(content))


def _content(file: Path) -> bytes:
    """What is sent: without the lines that are for who reads the source."""
    content = file.read_bytes()
    for_readers = _FOR_READERS.get(file.suffix)
    return content if for_readers is None else for_readers.sub(b"", content)


def _fingerprint(content: bytes) -> str:
    return sha256(content).hexdigest()[:12]
