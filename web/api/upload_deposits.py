"""Deposits made of uploads: JSON to the addresses that take forms."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from starlette.routing import Match
from starlette.types import Scope

from base.errors import ErrorKind, ServiceError
from vault.catalogue.document_types import document_types
from vault.document_view import DocumentMetadata
from vault.documents.deposit_commit import check_metadata
from vault.documents.uploads.deposit import add_version_of_uploads, deposit_uploads
from vault.services import Services
from web.api.documents import OwnMetadataIn, created, with_etag
from web.api.shapes import DocumentOut, IfMatch, Strict, revision_of
from web.api.terms import IdempotencyKey
from web.http.dependencies import PersonDep, ServicesDep
from web.http.path_ids import PathId


class JsonRoute(APIRoute):
    """A route for JSON alone: any other body is for the route that comes next, which also describes
    both."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As FastAPI's, after the media type."""
        sent = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
        if sent.partition(b";")[0].strip().lower() != b"application/json":
            return Match.NONE, {}
        return super().matches(scope)


router = APIRouter(
    prefix="/v1/documents", tags=["documents"], route_class=JsonRoute, include_in_schema=False
)

UploadIds = Annotated[list[UUID], Field(min_length=1, max_length=100)]


def _each_once(uploads: list[UUID]) -> list[UUID]:
    if len(set(uploads)) < len(uploads):
        raise ValueError("an upload is named twice")
    return uploads


class DepositOfUploadsIn(BaseModel):
    """The uploads of one paper, in order, beside the fields of `OwnMetadataIn`."""

    model_config = ConfigDict(extra="allow")

    uploads: UploadIds

    _each_once = field_validator("uploads")(_each_once)


class VersionOfUploadsIn(Strict):
    """The uploads of a newer content, in order."""

    uploads: UploadIds

    _each_once = field_validator("uploads")(_each_once)


@router.post("", status_code=201)
async def add(
    body: DepositOfUploadsIn,
    response: Response,
    services: ServicesDep,
    person: PersonDep,
    idempotency_key: IdempotencyKey = None,
) -> DocumentOut:
    """Deposit a document made of uploads."""
    _check_count(services, body.uploads)
    deposited = await deposit_uploads(
        services,
        person,
        body.uploads,
        _metadata_of(body.model_extra or {}),
        idempotency_key=idempotency_key,
    )
    return created(deposited, response)


@router.post("/{document_id}/versions", status_code=201)
async def add_version(
    document_id: PathId,
    body: VersionOfUploadsIn,
    response: Response,
    services: ServicesDep,
    person: PersonDep,
    if_match: IfMatch = None,
) -> DocumentOut:
    """Add a newer content made of uploads to a document."""
    _check_count(services, body.uploads)
    document = await add_version_of_uploads(
        services, person, document_id, body.uploads, if_match=revision_of(if_match)
    )
    return with_etag(document, response)


def check_said(said: Mapping[str, str]) -> None:
    """Refuse what is said of an upload and no deposit could take. Raises `ValidationError`, or
    `ServiceError` as a deposit does."""
    any_type = {"type": document_types()[0].code}
    check_metadata(OwnMetadataIn.model_validate(any_type | _fields(said)).metadata())


def _fields(said: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in said.items() if name != "filename" and value}


def _check_count(services: Services, uploads: list[UUID]) -> None:
    limit = services.settings.max_parts
    if len(uploads) > limit:
        raise ServiceError(ErrorKind.INVALID, "too_many_files", fields=[("uploads",)], limit=limit)


def _metadata_of(given: Mapping[str, Any]) -> Callable[[Mapping[str, str]], DocumentMetadata]:
    """The metadata that a request gives; what it leaves out, as its first upload says it."""

    def read(said: Mapping[str, str]) -> DocumentMetadata:
        try:
            return OwnMetadataIn.model_validate({**_fields(said), **given}).metadata()
        except ValidationError as error:
            raise RequestValidationError(
                [
                    {**one, "loc": ("body", *one["loc"])}
                    for one in error.errors(include_input=False, include_url=False)
                ]
            ) from None

    return read
