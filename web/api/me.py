"""The person's own vault as a whole."""

from fastapi import APIRouter

from vault.maintenance import erasure
from web.http.dependencies import PersonDep, ServicesDep

router = APIRouter(prefix="/v1/me", tags=["me"])


@router.delete("", status_code=204)
async def erase(services: ServicesDep, person: PersonDep) -> None:
    """Erase my vault, at once and for good: nothing of it opens any more."""
    await erasure.erase(services, person)
