"""Answers that are the same for everyone: an ETag, 304 for who has it already, gzip made once.

Pages have rules of their own (`web/pages/compression.py`); nothing else is ever compressed. The
length of a compressed body tells whether what a stranger made somebody send is also elsewhere in it
(BREACH), so a body that holds a secret, or anything about a person, MUST NOT come here:
`tests/attacks/test_compression.py` lists every address that does.
"""

import gzip
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any

from fastapi import Depends, Request
from starlette.responses import Response

from web.http.query_parameters import known_parameters_only
from web.i18n.translations import quality_of

_TAG = re.compile(r'"[^"]*"')
_LEAST = 440
"""Bytes under which gzip saves nothing that a packet would show."""
_KEPT = 1024

TEN_MINUTES = "public, max-age=600"
IMMUTABLE = "public, max-age=31536000, immutable"

_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The `ETag` of what you have: 304 while it is the same.",
    "schema": {"type": "string"},
}
_HEADERS = {
    "ETag": {"description": "Of this content in this coding.", "schema": {"type": "string"}},
    "Cache-Control": {"description": "How long to keep it.", "schema": {"type": "string"}},
}


def public_operation(media_type: str | None = None) -> dict[str, Any]:
    """What a FastAPI route takes whose operation answers with `public_answer`. `media_type`: of an
    answer that is not JSON."""
    found: dict[str, Any] = {"description": "The same for everyone.", "headers": _HEADERS}
    unchanged = {"description": "You have it already.", "headers": _HEADERS}
    options: dict[str, Any] = {
        "responses": {200: found, 304: unchanged},
        "openapi_extra": {"parameters": [_IF_NONE_MATCH]},
        # A cache would keep one more copy for each parameter.
        "dependencies": [Depends(known_parameters_only)],
    }
    if media_type is not None:
        found["content"] = {media_type: {"schema": {"type": "string"}}}
        options["response_class"] = Response
    return options


@dataclass(frozen=True, slots=True)
class _Encoded:
    """A content, what gzip makes of it if that is shorter, and the tag of the first."""

    content: bytes
    compressed: bytes | None
    tag: str


def public_answer(
    request: Request,
    content: bytes,
    media_type: str,
    *,
    cache: str,
    headers: Mapping[str, str] | None = None,
    compress: bool = True,
) -> Response:
    """200 with the content, or 304. `compress=False`: of what looks random, like hashes."""
    encoded = _encoded(content) if compress else _Encoded(content, None, _tag(content))
    all_headers = {**(headers or {}), "Cache-Control": cache}
    body, tag = encoded.content, encoded.tag
    if encoded.compressed is not None:
        vary = all_headers.get("Vary")
        all_headers["Vary"] = f"{vary}, Accept-Encoding" if vary else "Accept-Encoding"
        if accepts_gzip(request.headers.get("accept-encoding", "")):
            # A strong tag is of the bytes that are sent (RFC 9110 §8.8.3.3).
            body, tag = encoded.compressed, f"{encoded.tag}-gzip"
            all_headers["Content-Encoding"] = "gzip"
    all_headers["ETag"] = f'"{tag}"'
    if _has(request.headers.get("if-none-match", ""), f'"{tag}"'):
        all_headers.pop("Content-Encoding", None)
        return Response(status_code=304, headers=all_headers)
    return Response(body, headers=all_headers, media_type=media_type)


def accepts_gzip(header: str) -> bool:
    """Whether an `Accept-Encoding` wants gzip (RFC 9110 §12.5.3)."""
    weights: dict[str, float] = {}
    for item in header.lower().split(","):
        coding, _, parameter = item.partition(";")
        weights[coding.strip()] = quality_of(parameter)
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _has(if_none_match: str, tag: str) -> bool:
    """Whether the caller has what would be sent; tags are compared weakly (RFC 9110 §13.1.2)."""
    return if_none_match.strip() == "*" or tag in _TAG.findall(if_none_match)


@lru_cache(maxsize=_KEPT)
def _encoded(content: bytes) -> _Encoded:
    compressed = gzip.compress(content, mtime=0) if len(content) >= _LEAST else content
    return _Encoded(content, compressed if len(compressed) < len(content) else None, _tag(content))


def _tag(content: bytes) -> str:
    return sha256(content).hexdigest()[:32]
