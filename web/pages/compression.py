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
_DRAWS, _UP_TO = 4, 64
"""How long the noise is: the sum of so many draws below so much. The ends of one draw alone are met
within a few hundred visits, and tell two lengths apart; those of a sum hardly ever are."""
_HEADER = b"\x1f\x8b\x08\x08\0\0\0\0\0\xff"
"""gzip (RFC 1952 §2.3), with a file name and without a time."""


def may_compress(request: Request, *, private: bool) -> bool:
    """Whether this answer may be compressed. `private`: it is about somebody."""
    if request.method != "GET" or not accepts_gzip(request.headers.get("accept-encoding", "")):
        return False
    return not private or request.headers.get("sec-fetch-site") in _OWN


def noise_length() -> int:
    """How many bytes of noise the next page gets: 0 to 252."""
    return sum(secrets.randbelow(_UP_TO) for _ in range(_DRAWS))


def compress(body: bytes) -> bytes | None:
    """The body as gzip, with noise where readers look for a file's name; None for one that is too
    short."""
    if len(body) < _LEAST:
        return None
    deflate = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    deflated = deflate.compress(body) + deflate.flush()
    noise = secrets.token_hex(_DRAWS * _UP_TO // 2)[: noise_length()].encode()
    end = zlib.crc32(body).to_bytes(4, "little") + len(body).to_bytes(4, "little")
    return _HEADER + noise + b"\0" + deflated + end
