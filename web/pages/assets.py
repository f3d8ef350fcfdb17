"""Static files, read once, served under a name that changes with their content."""

import gzip
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from base.errors import not_found

FOLDER = Path(__file__).parent / "static"
_TYPES = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
_IMMUTABLE = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file, also compressed, and the fingerprint in its address."""

    content: bytes
    compressed: bytes
    media_type: str
    fingerprint: str


@cache
def assets() -> dict[str, Asset]:
    """Every file that is served, by its path in the folder."""
    return {
        file.relative_to(FOLDER).as_posix(): _read(file)
        for file in sorted(FOLDER.rglob("*"))
        if file.suffix in _TYPES
    }


def address(name: str) -> str:
    """The address of a file. Raises `KeyError` for an unknown one."""
    return f"/static/{assets()[name].fingerprint}/{name}"


def drawing(name: str) -> Markup:
    """A drawing to inline into a page: it takes the colour of the text."""
    known = assets()
    asset = known.get(f"pictograms/{name}.svg") or known[f"{name}.svg"]
    svg = asset.content.decode().replace("<svg ", '<svg class="pictogram" aria-hidden="true" ', 1)
    return Markup(svg)  # noqa: S704  (our own drawings)


async def serve(fingerprint: str, name: str, request: Request) -> Response:
    """One file, which the browser may keep: another content has another address."""
    asset = assets().get(name)
    if asset is None or asset.fingerprint != fingerprint:
        raise not_found()
    headers = {"Cache-Control": _IMMUTABLE, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(asset.compressed, media_type=asset.media_type, headers=headers)
    return Response(asset.content, media_type=asset.media_type, headers=headers)


def add_to(router: APIRouter) -> None:
    """Serve the files."""
    router.add_api_route("/static/{fingerprint}/{name:path}", serve, methods=["GET"])


def _read(file: Path) -> Asset:
    content = file.read_bytes()
    return Asset(
        content,
        gzip.compress(content, mtime=0),
        _TYPES[file.suffix],
        sha256(content).hexdigest()[:12],
    )
