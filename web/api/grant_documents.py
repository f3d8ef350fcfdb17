"""Documents under a grant: every access names the grant that it uses."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from auth.bearer import Bearer
from vault.documents import retrieval
from vault.documents.granted_deposit import deposit_granted
from vault.services import Services
from web.api.documents import CONTENT, PREVIEW, UPLOAD_BODY, RangeHeader, document_form, metadata_of
from web.api.shapes import Cursor, GrantedDepositOut, GrantedDocumentList, Limit, granted_out
from web.api.terms import IdempotencyKey
from web.http.dependencies import BearerDep, RecipientDep, ServicesDep, services_of
from web.http.dependencies import bearer as bearer_of
from web.http.downloads import ContentResponse
from web.http.get_route import GetRoute
from web.http.path_ids import PathId, read_id

router = APIRouter(prefix="/v1/grants/{grant_id}/documents", tags=["grants"])


@router.get("", operation_id="listGrantedDocuments")
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
    items = [granted_out(document, may_read=may_read) for document in page.items]
    return GrantedDocumentList(items=items, next=page.next)


@router.post("", operation_id="addGrantedDocument", status_code=201, openapi_extra=UPLOAD_BODY)
async def add(
    grant_id: PathId,
    request: Request,
    services: ServicesDep,
    recipient: RecipientDep,
    idempotency_key: IdempotencyKey = None,
) -> GrantedDepositOut:
    """Add a document to the person's vault; the person may refuse or delete it, you may not."""
    form = document_form(request, services)
    deposited = await deposit_granted(
        services, recipient, grant_id, form, metadata_of(form), idempotency_key=idempotency_key
    )
    document = granted_out(deposited.document, may_read=True)
    return GrantedDepositOut(**dict(document), warnings=list(deposited.warnings))


@router.get(
    "/{document_id}/content",
    operation_id="getGrantedDocumentContent",
    response_class=Response,
    responses=CONTENT,
)
async def content(
    grant_id: PathId,
    document_id: PathId,
    services: ServicesDep,
    bearer: BearerDep,
    range_: RangeHeader = None,
) -> Response:
    """The document's content: recorded before the first byte leaves."""
    download = await retrieval.open_granted(services, bearer, grant_id, document_id)
    return ContentResponse(services, download, range_)


@router.get(
    "/{document_id}/preview",
    operation_id="getGrantedDocumentPreview",
    response_class=Response,
    responses=PREVIEW,
)
async def preview(
    grant_id: PathId, document_id: PathId, services: ServicesDep, bearer: BearerDep
) -> Response:
    """The first page, as a small JPEG; recorded."""
    download = await retrieval.open_granted(services, bearer, grant_id, document_id, preview=True)
    return ContentResponse(services, download, None, inline=True)


async def _get_content(request: Request) -> Response:
    return await content(*await _arguments(request), request.headers.get("range"))


async def _get_preview(request: Request) -> Response:
    return await preview(*await _arguments(request))


async def _arguments(request: Request) -> tuple[UUID, UUID, Services, Bearer]:
    """The arguments of both: the ids of the path, the services, and who is calling."""
    grant_id = read_id(request.path_params["grant_id"])
    document_id = read_id(request.path_params["document_id"])
    return grant_id, document_id, await services_of(request), await bearer_of(request)


# Matched before the two routes above, which describe them: reads are the most frequent requests.
get_routes = (
    GetRoute(f"{router.prefix}/{{document_id}}/content", _get_content),
    GetRoute(f"{router.prefix}/{{document_id}}/preview", _get_preview),
)
