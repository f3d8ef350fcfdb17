"""For whom a page is printed: their language, where they are, whether the papers are theirs."""

from auth.subjects import Person, Worker
from auth.time_zones import zone_of_person
from base.time_zones import PARIS
from vault.services import Services
from web.http.dependencies import Caller
from web.printouts.phrases import Phrases


async def phrases_for(services: Services, caller: Caller, language: str) -> Phrases:
    """The phrases for whoever asked."""
    if isinstance(caller, Person):
        return Phrases(language, await zone_of_person(services, caller))
    zone = caller.zone if isinstance(caller, Worker) else PARIS
    return Phrases(language, zone, owner=False)
