"""The line at the top of every page, once the operator announced that the service closes."""

from auth import closing_notices, closings
from auth.closings import Closing
from auth.subjects import Person
from base.outages import unavailable
from vault.services import Services


async def shown_to(services: Services, person: Person | None) -> Closing | None:
    """What a page says of it; None where the service goes on. A person who sees it was told: it is
    noted with the first page, which is shown all the same where the database does not answer."""
    closing = await closings.shown(services)
    if closing is not None and person is not None:
        try:
            await closing_notices.note_visit(services, person)
        except Exception as error:
            if unavailable(error) is None:
                raise
    return closing
