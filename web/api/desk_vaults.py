"""The desk: what a worker does beside somebody who has no phone."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, StringConstraints

from auth import desk_cards, desk_vaults
from auth.desk_vaults import MAX_NAME, DeskVault
from web.api.anchors import AnchorText, tag_in
from web.api.means import PinIn
from web.api.shapes import Language, Strict
from web.http.dependencies import ServicesDep, WorkerDep
from web.i18n.languages import SOURCE

router = APIRouter(prefix="/v1/desk", tags=["desk"])


class DeskVaultIn(PinIn):
    """The person chooses their PIN, and types it themselves. `language`: the one that they read."""

    language: Language = SOURCE
    name: Annotated[str, StringConstraints(max_length=4 * MAX_NAME)] = Field(
        "", description="What they want to be called; none of their papers has to say it."
    )
    anchor: AnchorText | None = Field(
        None, description="Who they are on their paper, typed by themselves, if they want."
    )


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
    anchor = None if body.anchor is None else await tag_in(services, body.anchor)
    wanted = DeskVault(body.language, body.pin, body.again, body.name, anchor)
    card = await desk_vaults.open_vault(services, worker, wanted)
    return DeskCard(code=card.grouped, secret=card.secret, label=card.label)


class ShownCard(Strict):
    """What is printed on a card, or on its spare: the code that is typed, or what the QR holds."""

    card: Annotated[str, StringConstraints(max_length=400)]


@router.post("/cards/free", operation_id="freeCardAtDesk", status_code=204)
async def free_card(body: ShownCard, services: ServicesDep, worker: WorkerDep) -> Response:
    """Free a card that wrong PINs barred, beside its person: twice at most between two right PINs.
    The answer is the same whatever becomes of it; its person reads who did it."""
    await desk_cards.free(services, worker, body.card)
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


@router.post("/cards/stop", operation_id="stopCardAtDesk", status_code=204)
async def stop_card(body: ShownCard, services: ServicesDep, worker: WorkerDep) -> Response:
    """Stop a card that was lost or stolen, by its spare; what is open of its vault is closed. No
    desk frees it again. The answer is the same whatever becomes of it."""
    await desk_cards.stop(services, worker, body.card)
    return Response(status_code=204, headers={"Cache-Control": "no-store"})
