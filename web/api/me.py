"""The person's own vault as a whole."""

from fastapi import APIRouter

from vault import erasure
from web.callers import HouseDep, PersonDep

router = APIRouter(prefix="/v1/me", tags=["me"])


@router.delete("", status_code=204)
async def erase(house: HouseDep, person: PersonDep) -> None:
    """Erase my vault, at once and for good: nothing of it opens any more."""
    await erasure.erase(house, person)
