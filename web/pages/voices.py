"""The sounds of sentences that are the same for everybody, and the list of those of a language.

Nobody is asked for who they are: nothing in these files is about anybody. What is asked for stays
between the browser and this site, as the addresses of pages do.
"""

import asyncio

from fastapi import Request, Response

from base.errors import not_found
from web.http.dependencies import ServicesDep
from web.http.public_resources import IMMUTABLE, TEN_MINUTES, public_answer
from web.http.ranges import parse_range
from web.pages.page import page_router
from web.speech.sound_library import library_of

router = page_router()
_LIST = "application/json"


@router.get("/voices/{name}")
async def voice(name: str, request: Request, services: ServicesDep) -> Response:
    """A list, or a sound: whole, or the bytes that are asked for, which some browsers need."""
    found = await asyncio.to_thread(library_of(services.settings).read, name)
    if found is None:
        raise not_found()
    content, media_type = found
    if media_type == _LIST:
        return public_answer(request, content, media_type, cache=TEN_MINUTES)
    headers = {"Accept-Ranges": "bytes"}
    asked = parse_range(request.headers.get("range"), len(content))
    if asked is None:
        return public_answer(
            request, content, media_type, cache=IMMUTABLE, headers=headers, compress=False
        )
    start, stop = asked
    headers |= {"Content-Range": f"bytes {start}-{stop - 1}/{len(content)}"}
    headers |= {"Cache-Control": IMMUTABLE}
    return Response(content[start:stop], 206, headers, media_type)
