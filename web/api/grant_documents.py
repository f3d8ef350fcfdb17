"""Documents under a grant: every access names the grant that it uses."""

from fastapi import APIRouter, Request, Response

from vault.documents import retrieval
from vault.documents.granted_deposit import deposit_granted
from web.api.documents import CONTENT, PREVIEW, UPLOAD_BODY, RangeHeader, metadata_of
from web.api.shapes import Cursor, GrantedDocumentList, GrantedDocumentOut, Limit, granted_out
from web.api.terms import IdempotencyKey
from web.http.dependencies import BearerDep, RecipientDep, ServicesDep
from web.http.downloads import ContentResponse
from web.http.fast_route import DirectRoute
from web.http.path_ids import PathId
from web.http.uploads import MultipartForm

router = APIRouter(prefix="/v1/grants/{grant_id}/documents", tags=["grants"])
contents = APIRouter(prefix=router.prefix, tags=["grants"], route_class=DirectRoute)


@router.get("")
async def list_(
    grant_id: PathId,
    services: ServicesDep,
    bearer: BearerDep,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> GrantedDocumentList:
    """The documents that the grant covers, newest first; recorded."""
    page, may_read = await retrieval.list_covered(
        services, bearer, grant_id, cursor=cursor, limit=limit
    )
    items = [granted_out(one, may_read=may_read) for one in page.items]
    return GrantedDocumentList(items=items, next=page.next)


@router.post("", status_code=201, openapi_extra=UPLOAD_BODY)
async def add(
    grant_id: PathId,
    request: Request,
    services: ServicesDep,
    recipient: RecipientDep,
    idempotency_key: IdempotencyKey = None,
) -> GrantedDocumentOut:
    """Add a document to the person's vault; the person may refuse or delete it, you may not."""
    form = MultipartForm(request, services.settings.max_document_bytes)
    done = await deposit_granted(
        services, recipient, grant_id, form, metadata_of(form), idempotency_key=idempotency_key
    )
    return granted_out(done.document, may_read=True)


@contents.get("/{document_id}/content", response_class=Response, responses=CONTENT)
async def content(
    grant_id: PathId,
    document_id: PathId,
    services: ServicesDep,
    bearer: BearerDep,
    range_: RangeHeader = None,
) -> Response:
    """The document's content: recorded before the first byte leaves."""
    stream = await retrieval.open_granted(services, bearer, grant_id, document_id)
    return ContentResponse(services, stream, range_)


@contents.get("/{document_id}/preview", response_class=Response, responses=PREVIEW)
async def preview(
    grant_id: PathId, document_id: PathId, services: ServicesDep, bearer: BearerDep
) -> Response:
    """The first page, as a small JPEG; recorded."""
    stream = await retrieval.open_granted(services, bearer, grant_id, document_id, preview=True)
    return ContentResponse(services, stream, None, inline=True)
