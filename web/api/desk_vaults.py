"""The desk: what a worker does beside somebody who has no phone."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import AfterValidator, BaseModel, Field

from auth import desk_vaults
from web.api.means import PinIn
from web.http.dependencies import ServicesDep, WorkerDep
from web.i18n.languages import SOURCE, offered

router = APIRouter(prefix="/v1/desk", tags=["desk"])


def _offered(code: str) -> str:
    if code not in offered():
        raise ValueError("one of the languages that are offered")
    return code


Language = Annotated[
    str, AfterValidator(_offered), Field(json_schema_extra={"enum": [*offered()]}, max_length=8)
]


class DeskVaultIn(PinIn):
    """The person chooses their PIN, and types it themselves. `language`: the one that they read."""

    language: Language = SOURCE


class DeskCard(BaseModel):
    """`code` and `secret` are shown this once: to be printed for the person, the secret as a QR.
    `label`: how the code ends."""

    code: str
    secret: str
    label: str


@router.post("/vaults", operation_id="openVaultAtDesk", status_code=201)
async def open_vault(
    body: DeskVaultIn, services: ServicesDep, worker: WorkerDep, response: Response
) -> DeskCard:
    """Open a vault beside somebody who has no phone. My name is in its first line; I get nothing by
    it, neither a grant nor an id. Ask first whether they have a card already."""
    response.headers["Cache-Control"] = "no-store"
    card = await desk_vaults.open_vault(
        services, worker, language=body.language, pin=body.pin, again=body.again
    )
    return DeskCard(code=card.code, secret=card.secret, label=card.label)
