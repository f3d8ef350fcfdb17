"""gzip for pages: where it tells a stranger nothing of what a page holds (ADR 0039).

The length of a compressed body tells whether what a stranger put into it is also elsewhere in it
(BREACH), to whoever reads the network and makes the same browser ask again and again. So a page
about somebody is compressed only when the browser says that nobody else made it ask, and never
when it answers a form, whose words it repeats. What others wrote in it before (a reason, a title)
is a single guess, recorded in the person's log: noise of another length each time is left of it.
"""

import secrets
import zlib

from fastapi import Request

from web.http.public_resources import accepts_gzip

VARY = "Accept-Encoding, Accept-Language, Cookie, Sec-Fetch-Site"
_OWN = ("same-origin", "none")
"""`Sec-Fetch-Site` of an address that our own page, or the person themself, asked for. A browser
that does not say it gets the page as it is."""
_LEAST = 512
_NOISE = 256
_HEADER = b"\x1f\x8b\x08\x08\0\0\0\0\0\xff"
"""gzip (RFC 1952 §2.3), with a file name and without a time."""


def may_compress(request: Request, *, private: bool) -> bool:
    """Whether this answer may be compressed. `private`: it is about somebody."""
    if request.method != "GET" or not accepts_gzip(request.headers.get("accept-encoding", "")):
        return False
    return not private or request.headers.get("sec-fetch-site") in _OWN


def compress(body: bytes) -> bytes | None:
    """The body as gzip, with 0 to 255 bytes of noise where readers look for a file's name; None
    for one that is too short."""
    if len(body) < _LEAST:
        return None
    deflate = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    deflated = deflate.compress(body) + deflate.flush()
    noise = secrets.token_hex(_NOISE // 2)[: secrets.randbelow(_NOISE)].encode()
    end = zlib.crc32(body).to_bytes(4, "little") + len(body).to_bytes(4, "little")
    return _HEADER + noise + b"\0" + deflated + end
