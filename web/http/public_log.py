"""The public log (C2SP tlog-tiles): for anyone, cacheable, read from the store.

Only what the published checkpoint covers is served: requests for the next tile reveal nothing of
the growth between two publications.
"""

from fastapi import APIRouter
from fastapi.responses import Response

from audit.tlog.tiles import parse_path
from base.errors import ErrorKind, ServiceError, not_found
from web.http.dependencies import ServicesDep

router = APIRouter(prefix="/log", tags=["public log"])

_SHORT_CACHE = "public, max-age=2"
_LONG_CACHE = "public, max-age=31536000, immutable"
_TEXT = "text/plain; charset=utf-8"
_BYTES = "application/octet-stream"
_ANY_ORIGIN = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}


@router.get("/vkey", response_class=Response)
async def vkey(services: ServicesDep) -> Response:
    """The log's verifier key (C2SP signed-note), one line."""
    line = (await services.transparency_log.verifier()).vkey + "\n"
    return Response(line, headers=_ANY_ORIGIN | {"Cache-Control": _SHORT_CACHE}, media_type=_TEXT)


@router.get("/checkpoint", response_class=Response)
async def checkpoint(services: ServicesDep) -> Response:
    """The published checkpoint, with the witnesses' cosignatures."""
    note = await services.transparency_log.public_checkpoint()
    if note is None:
        raise ServiceError(ErrorKind.UNAVAILABLE, "log_unpublished", retry_after=5)
    return Response(note, headers=_ANY_ORIGIN | {"Cache-Control": _SHORT_CACHE}, media_type=_TEXT)


@router.get("/tile/{path:path}", response_class=Response)
async def tile(path: str, services: ServicesDep) -> Response:
    """A tile of the published tree, or a bundle of its entries."""
    parsed = parse_path(f"tile/{path}")
    data = None if parsed is None else await services.transparency_log.public_tile(parsed)
    if data is None:
        raise not_found()
    return Response(data, headers=_ANY_ORIGIN | {"Cache-Control": _LONG_CACHE}, media_type=_BYTES)
