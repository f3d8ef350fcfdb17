"""The caller's own anchor: who they are on their identity paper, kept as a keyed tag, for a desk
that opens their vault again."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, StringConstraints

from auth import anchors
from auth.anchor_rules import LONGEST, TypedAnchor
from base.errors import about
from vault.services import Services
from web.api.holder_proofs import ProvedIn, proof_in
from web.api.shapes import Strict
from web.http.dependencies import PersonDep, ServicesDep
from web.http.openapi_problems import problem_response

router = APIRouter(prefix="/v1/me/anchor", tags=["means"])

_Name = Annotated[str, StringConstraints(max_length=LONGEST)]


class AnchorText(Strict):
    """As it stands on the identity paper. None of it is kept: only a keyed tag of all four."""

    family_name: _Name
    given_name: _Name = Field("", description="The first one; empty where the paper has none.")
    birth_date: Annotated[str, StringConstraints(max_length=10)] = Field(
        description="`YYYY-MM-DD`; `00` for a day, or a day and a month, that nobody knows."
    )
    document_end: Annotated[str, StringConstraints(max_length=16)] = Field(
        description="The last four letters or digits of the paper's number."
    )


class AnchorIn(ProvedIn):
    """The anchor that I have from now on."""

    anchor: AnchorText


class AnchorOut(BaseModel):
    """Whether I have an anchor, and since when; never what it is of."""

    enrolled_at: datetime | None


_CHANGED: dict[int | str, dict[str, Any]] = {412: problem_response(412)}


@router.get("", operation_id="getAnchor")
async def see(services: ServicesDep, person: PersonDep, response: Response) -> AnchorOut:
    """Whether a desk could find my vault by my identity paper, and since when."""
    response.headers["Cache-Control"] = "no-store"
    return AnchorOut(enrolled_at=await anchors.enrolled_at(services, person))


@router.put("", operation_id="enrolAnchor", responses=_CHANGED)
async def enrol(
    body: AnchorIn, services: ServicesDep, person: PersonDep, response: Response
) -> AnchorOut:
    """Keep who I am on my paper, in the place of what was kept before. It takes the `proof` of a
    change of means."""
    response.headers["Cache-Control"] = "no-store"
    tag = await tag_in(services, body.anchor)
    at = await anchors.enrol(services, person, tag, proof_in(body))
    return AnchorOut(enrolled_at=at)


@router.delete("", operation_id="removeAnchor", status_code=204, responses=_CHANGED)
async def remove(
    services: ServicesDep, person: PersonDep, body: ProvedIn | None = None
) -> Response:
    """Keep nothing of it any more, with the same proof. 404 where there is none."""
    await anchors.remove(services, person, proof_in(body))
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


async def tag_in(services: Services, text: AnchorText) -> bytes:
    """The keyed tag of what somebody typed. Raises as `auth.anchors.tag_of`."""
    typed = TypedAnchor(text.family_name, text.given_name, text.birth_date, text.document_end)
    with about("anchor"):
        return await anchors.tag_of(services, typed)
