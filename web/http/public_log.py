"""The public log (C2SP tlog-tiles): for anyone, cacheable, read from the store.

Only what the published checkpoint covers is served: requests for the next tile reveal nothing of
the growth between two publications.
"""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from audit.tlog.tiles import parse_path
from base.errors import ErrorKind, ServiceError, not_found
from web.http.dependencies import ServicesDep
from web.http.public_resources import IMMUTABLE, public_answer, public_operation

router = APIRouter(prefix="/log", tags=["public log"])

_SHORT_CACHE = "public, max-age=2"
_TEXT = "text/plain; charset=utf-8"
_BYTES = "application/octet-stream"
_ANY_ORIGIN = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}


@router.get("/vkey", operation_id="getLogVerifierKey", **public_operation("text/plain"))
async def vkey(request: Request, services: ServicesDep) -> Response:
    """The log's verifier key (C2SP signed-note), one line."""
    line = (await services.transparency_log.verifier()).vkey + "\n"
    return _answer(request, line.encode(), _TEXT, _SHORT_CACHE)


@router.get("/checkpoint", operation_id="getLogCheckpoint", **public_operation("text/plain"))
async def checkpoint(request: Request, services: ServicesDep) -> Response:
    """The published checkpoint, with the witnesses' cosignatures."""
    note = await services.transparency_log.public_checkpoint()
    if note is None:
        raise ServiceError(ErrorKind.UNAVAILABLE, "log_unpublished", retry_after=5)
    return _answer(request, note, _TEXT, _SHORT_CACHE)


@router.get("/tile/{path:path}", operation_id="getLogTile", **public_operation(_BYTES))
async def tile(path: str, request: Request, services: ServicesDep) -> Response:
    """A tile of the published tree, or a bundle of its entries."""
    parsed = parse_path(f"tile/{path}")
    data = None if parsed is None else await services.transparency_log.public_tile(parsed)
    if data is None:
        raise not_found()
    return _answer(request, data, _BYTES, IMMUTABLE)


def _answer(request: Request, content: bytes, media_type: str, cache: str) -> Response:
    # Hashes and signatures look random: gzip would make them longer.
    return public_answer(
        request, content, media_type, cache=cache, headers=_ANY_ORIGIN, compress=False
    )
