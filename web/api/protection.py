"""Who assists the caller by the decision of a judge (curatelle): noted, shown, forgotten. Whoever
is assisted acts; nobody gets a way in by it."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, StringConstraints

from auth import protection
from auth.protection import LONGEST, Protection, ProtectionKind
from web.api.holder_proofs import ProvedIn, proof_in
from web.api.shapes import Strict
from web.http.dependencies import PersonDep, ServicesDep
from web.http.openapi_problems import problem_response

router = APIRouter(prefix="/v1/me/protection", tags=["me"])

_CHANGED: dict[int | str, dict[str, Any]] = {412: problem_response(412)}


class ProtectionText(Strict):
    """The measure, and who assists me."""

    kind: ProtectionKind
    name: Annotated[str, StringConstraints(max_length=4 * LONGEST)] = Field(
        description="Who assists me: it stands on the receipt of each grant, which its recipient"
        " reads too."
    )
    until: date | None = Field(
        None, description="The last day of the measure; null where I do not know it."
    )


class ProtectionIn(ProvedIn):
    """What is noted from now on."""

    protection: ProtectionText


class ProtectionOut(BaseModel):
    """Who assists me, as I noted it; also once the measure ended, when no receipt says it."""

    kind: ProtectionKind
    name: str
    until: date | None
    noted_at: datetime


class ProtectionNoted(BaseModel):
    """Null where nobody is noted."""

    protection: ProtectionOut | None


@router.get("", operation_id="getProtection")
async def see(services: ServicesDep, person: PersonDep, response: Response) -> ProtectionNoted:
    """Who assists me, if I noted it."""
    response.headers["Cache-Control"] = "no-store"
    return _noted(await protection.noted(services, person))


@router.put("", operation_id="noteProtection", responses=_CHANGED)
async def note(
    body: ProtectionIn, services: ServicesDep, person: PersonDep, response: Response
) -> ProtectionNoted:
    """Note who assists me, in the place of what was noted before. It takes the `proof` of a change
    of means."""
    response.headers["Cache-Control"] = "no-store"
    told, proof = body.protection, proof_in(body)
    noted = await protection.note(services, person, told.kind, told.name, told.until, proof)
    return _noted(noted)


@router.delete("", operation_id="forgetProtection", status_code=204, responses=_CHANGED)
async def forget(
    services: ServicesDep, person: PersonDep, body: ProvedIn | None = None
) -> Response:
    """Note nobody any more, with the same proof. 404 where nobody is noted."""
    await protection.forget(services, person, proof_in(body))
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


def _noted(found: Protection | None) -> ProtectionNoted:
    if found is None:
        return ProtectionNoted(protection=None)
    out = ProtectionOut(
        kind=found.kind, name=found.name, until=found.until, noted_at=found.noted_at
    )
    return ProtectionNoted(protection=out)
