"""An import as it comes in a request: a whole zip, or part of one that is sent on later (tus 1.0).

What a session brings stops coming within a second of its end.
"""

from uuid import UUID

from fastapi import Request
from starlette.requests import ClientDisconnect

from auth.subjects import Person
from base.errors import ErrorKind, ServiceError
from vault.documents.uploads.pieces import BodyCut
from vault.exports import imports
from vault.exports.import_uploads import most_bytes, too_large
from vault.exports.imports import ImportView
from vault.services import Services
from web.http.body_limits import let_through
from web.http.session_body import SessionBody
from web.http.tus import slices_of


def announced_in(request: Request, services: Services) -> int:
    """How many bytes the body has, or `UNKNOWN_LENGTH`. Raises `import_too_large` before one is
    read."""
    said = request.headers.get("content-length")
    if said is None:
        return imports.UNKNOWN_LENGTH
    if not said.isdecimal() or int(said[:20]) > most_bytes(services):
        raise too_large(services)
    return int(said)


async def receive(request: Request, services: Services, person: Person) -> ImportView:
    """A whole zip. Raises as `imports.receive`, or `unauthenticated`."""
    announced = announced_in(request, services)
    let_through(request, most_bytes(services))
    body = SessionBody(request, services, person)
    async with body.watched():
        try:
            return await imports.receive(
                services, person, announced=announced, slices=slices_of(body)
            )
        except ServiceError as failure:
            if failure.code == "import_cut":
                raise (body.failure() or failure) from None
            raise


async def append(
    request: Request, services: Services, person: Person, import_id: UUID, offset: int
) -> ImportView:
    """The bytes that follow `offset`. What came before a cut is kept; then nobody reads an
    answer."""
    let_through(request, most_bytes(services))
    body = SessionBody(request, services, person)
    async with body.watched():
        try:
            return await imports.append(
                services, person, import_id, offset=offset, slices=slices_of(body)
            )
        except BodyCut:
            raise body.failure() or ClientDisconnect() from None


def check_zip(request: Request) -> None:
    """Raise `wrong_media_type` for a body that is said to be something else."""
    said = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if said not in ("application/zip", "application/x-zip-compressed"):
        raise ServiceError(ErrorKind.UNSUPPORTED_TYPE, "wrong_media_type")
