"""tus 1.0 over HTTP, for whoever sends a file in pieces: the API, and the pages' own script."""

from collections.abc import AsyncIterator
from email.utils import format_datetime
from uuid import UUID

from fastapi import Request
from starlette.requests import ClientDisconnect

from auth.subjects import Person
from base.errors import ErrorKind, ServiceError
from vault.documents.uploads import uploads
from vault.documents.uploads.pieces import BodyCut, Checksum
from vault.documents.uploads.uploads import UploadView
from vault.services import Services
from web.http.session_body import SessionBody

VERSION = "1.0.0"
OFFSET_STREAM = "application/offset+octet-stream"
NUMBER = r"^[0-9]{1,15}$"


def check_version(said: str | None) -> None:
    """Raise `tus_version` unless it is ours (`Tus-Resumable`)."""
    if said != VERSION:
        raise ServiceError(ErrorKind.PRECONDITION, "tus_version", version=VERSION)


def check_media_type(request: Request) -> None:
    """Raise `offset_stream_expected` for a body that is no part of a file."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != OFFSET_STREAM:
        raise ServiceError(ErrorKind.UNSUPPORTED_TYPE, "offset_stream_expected")


def state_headers(upload: UploadView) -> dict[str, str]:
    """How much of it is durable, and until when."""
    return {
        "Upload-Offset": str(upload.received),
        "Upload-Expires": format_datetime(upload.expires_at, usegmt=True),
    }


async def append(
    request: Request,
    services: Services,
    person: Person,
    upload_id: UUID,
    offset: int,
    checksum: Checksum | None = None,
) -> UploadView:
    """Receive the body of a request, from `offset` on. What came before a cut is kept; then nobody
    reads an answer. The end of the session cuts it too, within a second: raises
    `unauthenticated`."""
    body = SessionBody(request, services, person)
    async with body.watched():
        try:
            return await uploads.append(
                services,
                person,
                upload_id,
                offset=offset,
                slices=slices_of(body),
                checksum=checksum,
            )
        except BodyCut:
            raise body.failure() or ClientDisconnect() from None


async def slices_of(body: SessionBody) -> AsyncIterator[bytes]:
    """The bytes of a body; `BodyCut` where it ends before it should."""
    try:
        async for piece in body.slices():
            yield piece
    except ClientDisconnect:
        raise BodyCut from None
