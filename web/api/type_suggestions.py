"""What a professional says that a paper of unknown type is, and what its owner answers."""

from fastapi import APIRouter, Response
from pydantic import Field

from vault.documents import type_suggestions
from vault.documents.type_suggestions import Suggested
from web.api.documents import IncomeYear, clean_metadata_title, with_etag
from web.api.shapes import ETAG, Day, DocumentOut, Strict
from web.api.vocabulary import DocumentTypeCode
from web.http.dependencies import PersonDep, ServicesDep, WorkerDep
from web.http.path_ids import PathId

router = APIRouter(prefix="/v1", tags=["documents"])


class TypeSuggestionIn(Strict):
    """What the paper is, and what stands on it. `title`: whose it is, if it has no name yet."""

    type: DocumentTypeCode
    title: str | None = Field(None, max_length=1000)
    issued_on: Day | None = None
    expires_on: Day | None = None
    due_on: Day | None = None
    income_year: IncomeYear = None

    def suggested(self) -> Suggested:
        """For the use case, its title cleaned."""
        return Suggested(**self.model_dump() | {"title": clean_metadata_title(self.title)})


@router.post(
    "/grants/{grant_id}/documents/{document_id}/type-suggestions",
    operation_id="suggestDocumentType",
    status_code=204,
)
async def suggest(
    grant_id: PathId,
    document_id: PathId,
    body: TypeSuggestionIn,
    services: ServicesDep,
    worker: WorkerDep,
) -> None:
    """Propose the type of a paper of type `other` that the grant lets you read; recorded. Its
    person decides: nothing changes before, and nobody sees more of it after. The answer is the same
    whether or not they refused this already."""
    await type_suggestions.suggest(services, worker, grant_id, document_id, body.suggested())


@router.post(
    "/documents/{document_id}/type-suggestions/{suggestion_id}/accept",
    operation_id="acceptTypeSuggestion",
    responses={200: {"description": "As it is now.", "headers": ETAG}},
)
async def accept(
    document_id: PathId,
    suggestion_id: PathId,
    response: Response,
    services: ServicesDep,
    person: PersonDep,
) -> DocumentOut:
    """Give the paper what was proposed. It becomes `sensitive`: it is shown where it was picked, as
    before, and enters no grant by type."""
    document = await type_suggestions.accept(services, person, document_id, suggestion_id)
    return with_etag(document, response)


@router.post(
    "/documents/{document_id}/type-suggestions/{suggestion_id}/refuse",
    operation_id="refuseTypeSuggestion",
    status_code=204,
)
async def refuse(
    document_id: PathId, suggestion_id: PathId, services: ServicesDep, person: PersonDep
) -> None:
    """Say no: nothing changes, and who proposed it does not learn it."""
    await type_suggestions.refuse(services, person, document_id, suggestion_id)
