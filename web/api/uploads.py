"""Uploads that are resumed: tus 1.0 (https://tus.io/protocols/resumable-upload), for the person.

Extensions: creation, creation-with-upload, expiration, checksum, termination. A document is then
made of them by `POST /v1/documents`. HEAD is answered as GET is.
"""

from base64 import b64decode
from binascii import Error
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

from auth.subjects import Person
from base.errors import ErrorKind, ServiceError, invalid
from vault.documents.uploads import uploads
from vault.documents.uploads.metadata import MAX_LENGTH, read_metadata
from vault.documents.uploads.pieces import ALGORITHMS, Checksum
from vault.documents.uploads.uploads import UploadView
from vault.services import Services
from web.api.shapes import LOCATION
from web.api.upload_deposits import check_said
from web.http import tus
from web.http.dependencies import PersonDep, ServicesDep
from web.http.methods import allowed_methods
from web.http.openapi_problems import problem_response
from web.http.path_ids import PathId

VERSION = tus.VERSION
EXTENSIONS = "creation,creation-with-upload,expiration,checksum,termination"

_NUMBER = tus.NUMBER
_DIGEST_LENGTHS = {"sha256": 32, "sha1": 20}


async def check_version(
    _: PersonDep,
    tus_resumable: Annotated[
        str | None, Header(alias="Tus-Resumable", description=f"`{VERSION}`; another one is 412.")
    ] = None,
    x_http_method_override: Annotated[
        str | None,
        Header(
            alias="X-HTTP-Method-Override",
            description="Refused: a request has the method that it says.",
            include_in_schema=False,
        ),
    ] = None,
) -> None:
    """A dependency of each request but OPTIONS, judged once the caller is known."""
    tus.check_version(tus_resumable)
    if x_http_method_override is not None:
        raise invalid("method_override", fields=[("x_http_method_override",)])


router = APIRouter(prefix="/v1/uploads", tags=["uploads"])

UploadLength = Annotated[
    str | None,
    Header(alias="Upload-Length", pattern=_NUMBER, description="Bytes of the file; required."),
]
DeferLength = Annotated[
    str | None,
    Header(
        alias="Upload-Defer-Length",
        max_length=20,
        description="Refused: the length is said when the upload begins.",
    ),
]
UploadOffset = Annotated[
    str, Header(alias="Upload-Offset", pattern=_NUMBER, description="Where these bytes begin.")
]
UploadMetadata = Annotated[
    str | None,
    Header(
        alias="Upload-Metadata",
        max_length=MAX_LENGTH,
        description="`name base64, …`: `filename`, and what `POST /v1/documents` takes beside the"
        " files (`type`, `title`, `issued_on`, `expires_on`, `due_on`, `income_year`,"
        " `paper_location`, `sensitive`), for those that it does not say itself. Others are"
        " ignored, `filetype` too: the type of a file is decided by its content.",
    ),
]
UploadChecksum = Annotated[
    str | None,
    Header(
        alias="Upload-Checksum",
        max_length=200,
        description="`sha256` or `sha1`, and the hash of this body in base64. If it does not hold,"
        " 460, and nothing of this body is kept.",
    ),
]

_TEXT = {"schema": {"type": "string"}}
_COUNT = {"schema": {"type": "integer", "minimum": 0}}
_TUS = {"Tus-Resumable": {"description": f"`{VERSION}`.", **_TEXT}}
_STATE = _TUS | {
    "Upload-Offset": {"description": "How many bytes are kept, whatever happens.", **_COUNT},
    "Upload-Expires": {"description": "When it goes (RFC 9110 §5.6.7).", **_TEXT},
}
_CREATED: dict[int | str, dict[str, Any]] = {
    201: {"description": "Begun.", "headers": _STATE | LOCATION}
}
_KEPT: dict[int | str, dict[str, Any]] = {204: {"description": "Kept.", "headers": _STATE}}
_SEEN: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "As it is now.",
        "headers": _STATE
        | {
            "Upload-Length": {"description": "Bytes of the whole file.", **_COUNT},
            "Upload-Metadata": {"description": "As it was sent.", **_TEXT},
        },
    },
    415: problem_response(415),
}
_DROPPED: dict[int | str, dict[str, Any]] = {204: {"description": "Gone.", "headers": _TUS}}
_ABILITIES: dict[int | str, dict[str, Any]] = {
    204: {
        "description": "What is supported.",
        "headers": _TUS
        | {
            "Tus-Version": {"description": f"`{VERSION}`.", **_TEXT},
            "Tus-Extension": {"description": f"`{EXTENSIONS}`.", **_TEXT},
            "Tus-Max-Size": {"description": "Bytes of the largest file.", **_COUNT},
            "Tus-Checksum-Algorithm": {"description": "`sha256,sha1`.", **_TEXT},
            "Allow": {"description": "The methods of this path.", **_TEXT},
        },
    }
}


def _body(*, required: bool) -> dict[str, Any]:
    schema = {"type": "string", "contentMediaType": tus.OFFSET_STREAM}
    return {
        "requestBody": {"required": required, "content": {tus.OFFSET_STREAM: {"schema": schema}}}
    }


class UploadOut(BaseModel):
    """An upload, for those who read JSON: the headers say the same."""

    id: UUID
    length: int
    offset: int
    expires_at: datetime


@router.options("", operation_id="getUploadAbilities", status_code=204, responses=_ABILITIES)
async def abilities(request: Request, services: ServicesDep) -> Response:
    """What of tus is supported here."""
    return _abilities(request, services)


@router.options("/{upload_id}", operation_id="getUploadAbilitiesOfOne", include_in_schema=False)
async def abilities_of_one(request: Request, services: ServicesDep) -> Response:
    """The same."""
    return _abilities(request, services)


@router.post(
    "",
    operation_id="createUpload",
    status_code=201,
    response_class=Response,
    responses=_CREATED,
    openapi_extra=_body(required=False),
    dependencies=[Depends(check_version)],
)
async def create(
    request: Request,
    services: ServicesDep,
    person: PersonDep,
    upload_length: UploadLength = None,
    upload_defer_length: DeferLength = None,
    upload_metadata: UploadMetadata = None,
    upload_checksum: UploadChecksum = None,
) -> Response:
    """Begin an upload, with or without its first bytes. It goes 24 hours later, unless a document
    was made of it."""
    if upload_length is None or upload_defer_length is not None:
        raise invalid("upload_length_missing", fields=[("upload_length",)])
    has_body = _has_body(request)
    if has_body:
        tus.check_media_type(request)
    checksum = _checksum(upload_checksum)
    metadata = _checked_metadata(upload_metadata)
    upload = await uploads.create(services, person, length=int(upload_length), metadata=metadata)
    if has_body:
        upload = await _first_bytes(request, services, person, upload, checksum)
    headers = tus.state_headers(upload) | {"Location": f"/v1/uploads/{upload.id}"}
    return Response(status_code=201, headers=headers)


@router.get(
    "/{upload_id}",
    operation_id="getUpload",
    responses=_SEEN,
    dependencies=[Depends(check_version)],
)
async def see(
    upload_id: PathId, response: Response, services: ServicesDep, person: PersonDep
) -> UploadOut:
    """How much of an upload is kept. HEAD says it in headers alone."""
    upload = await uploads.see(services, person, upload_id)
    response.headers.update(tus.state_headers(upload))
    response.headers["Upload-Length"] = str(upload.length)
    if upload.metadata:
        response.headers["Upload-Metadata"] = upload.metadata
    return UploadOut(
        id=upload.id, length=upload.length, offset=upload.received, expires_at=upload.expires_at
    )


@router.patch(
    "/{upload_id}",
    operation_id="continueUpload",
    status_code=204,
    response_class=Response,
    responses=_KEPT,
    openapi_extra=_body(required=True),
    dependencies=[Depends(check_version)],
)
async def continue_(
    upload_id: PathId,
    request: Request,
    services: ServicesDep,
    person: PersonDep,
    upload_offset: UploadOffset,
    upload_checksum: UploadChecksum = None,
) -> Response:
    """Send the bytes that follow. What comes before the connection is cut is kept; with a checksum,
    the whole body or nothing."""
    tus.check_media_type(request)
    upload = await tus.append(
        request, services, person, upload_id, int(upload_offset), _checksum(upload_checksum)
    )
    return Response(status_code=204, headers=tus.state_headers(upload))


@router.delete(
    "/{upload_id}",
    operation_id="deleteUpload",
    status_code=204,
    response_class=Response,
    responses=_DROPPED,
    dependencies=[Depends(check_version)],
)
async def drop(upload_id: PathId, services: ServicesDep, person: PersonDep) -> Response:
    """Drop an upload; what was received is removed."""
    await uploads.terminate(services, person, upload_id)
    return Response(status_code=204)


def _abilities(request: Request, services: Services) -> Response:
    headers = {
        "Allow": ", ".join(allowed_methods(request.app, request.scope["path"])),
        "Tus-Extension": EXTENSIONS,
        "Tus-Max-Size": str(services.settings.max_document_bytes),
        "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
    }
    return Response(status_code=204, headers=headers)


async def _first_bytes(
    request: Request,
    services: Services,
    person: Person,
    upload: UploadView,
    checksum: Checksum | None,
) -> UploadView:
    """The body of a creation. If it is refused or cut, nobody was told of the upload: it goes."""
    try:
        return await tus.append(request, services, person, upload.id, 0, checksum)
    except (ServiceError, ClientDisconnect):
        await uploads.terminate(services, person, upload.id)
        raise


def _has_body(request: Request) -> bool:
    headers = request.headers
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def _checksum(value: str | None) -> Checksum | None:
    """The checksum of a body. Raises `checksum_invalid` for another algorithm, as tus asks."""
    if value is None:
        return None
    algorithm, _, encoded = value.partition(" ")
    try:
        digest = b64decode(encoded, validate=True)
    except Error:
        digest = b""
    if len(digest) != _DIGEST_LENGTHS.get(algorithm):
        raise ServiceError(ErrorKind.MALFORMED, "checksum_invalid")
    return Checksum(algorithm, digest)


def _checked_metadata(value: str | None) -> str:
    """What is said of the upload, which a deposit could read."""
    text = (value or "").strip()
    try:
        check_said(read_metadata(text))
    except (ValidationError, ServiceError):
        raise invalid("upload_metadata_invalid", fields=[("upload_metadata",)]) from None
    return text
