"""A file sent in pieces by the script of a page: tus 1.0, under the page's session.

The same uploads as those of the API, with the same limits and refusals; a form then names them
(`uploads`)."""

from typing import Annotated

from fastapi import Header, Response

from base.errors import invalid
from base.user_text import clean_file_name
from vault.documents.uploads import uploads
from vault.documents.uploads.metadata import read_metadata, write_metadata
from web.http import tus
from web.http.path_ids import PathId
from web.pages import forms
from web.pages.page import PersonPage, PersonPageDep, page_router

router = page_router()
ADDRESS = "/uploads"
_TUS = {"Tus-Resumable": tus.VERSION, "Cache-Control": "no-store"}


@router.post(ADDRESS)
async def begin(
    page: PersonPageDep,
    upload_length: Annotated[str | None, Header(pattern=tus.NUMBER)] = None,
    upload_metadata: Annotated[str, Header(max_length=4096)] = "",
) -> Response:
    """Begin an upload. It goes 24 hours later, unless a paper was made of it."""
    await check_ours(page)
    if upload_length is None:
        raise invalid("upload_length_missing")
    name = clean_file_name(read_metadata(upload_metadata).get("filename", "")) or ""
    upload = await uploads.create(
        page.services,
        page.person,
        length=int(upload_length),
        metadata=write_metadata({"filename": name}),
    )
    headers = tus.state_headers(upload) | {"Location": f"{ADDRESS}/{upload.id}"}
    return Response(status_code=201, headers=headers | _TUS)


@router.get(f"{ADDRESS}/{{upload_id}}")
async def see(upload_id: PathId, page: PersonPageDep) -> Response:
    """How much of it is kept, in headers: asked for by HEAD."""
    upload = await uploads.see(page.services, page.person, upload_id)
    length = {"Upload-Length": str(upload.length)}
    return Response(headers=tus.state_headers(upload) | length | _TUS)


@router.patch(f"{ADDRESS}/{{upload_id}}")
async def continue_(
    upload_id: PathId,
    page: PersonPageDep,
    upload_offset: Annotated[str, Header(pattern=tus.NUMBER)],
) -> Response:
    """The bytes that follow; what comes before a cut is kept."""
    await check_ours(page)
    tus.check_media_type(page.request)
    upload = await tus.append(
        page.request, page.services, page.person, upload_id, int(upload_offset)
    )
    return Response(status_code=204, headers=tus.state_headers(upload) | _TUS)


async def check_ours(page: PersonPage) -> None:
    """Raise `form_expired` unless our own page sends it: the browser says so, and the token of the
    page's forms comes in a header, which no form of another site can send."""
    forms.check_origin(page.request, page.services.settings)
    await forms.check(page.services, page.secret, page.request.headers.get(forms.HEADER, ""))
    tus.check_version(page.request.headers.get("tus-resumable"))
