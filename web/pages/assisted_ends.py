"""What is said once an assisted session is over: whose device it is, and what they may see now."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from auth.subjects import Person, Worker
from base.ids import parse_id
from vault.consent import grants
from vault.rules import GrantAction
from vault.services import Services
from web.pages.page import Page, signed_in

_LATELY = timedelta(minutes=20)
"""No assisted session is longer."""
_LIMIT = 20


async def given_beside(services: Services, subject: Person | Worker) -> UUID | None:
    """The last grant by which the worker beside them sees papers that a person gave them in the
    session that ends."""
    if not isinstance(subject, Person) or subject.beside is None:
        return None
    listed = await grants.list_grants(services, subject, state="live", limit=_LIMIT)
    for grant in listed.items:
        lately = grant.as_of - grant.given_at < _LATELY
        sees = GrantAction.READ in grant.terms.scope.actions
        if grant.recipient_id == subject.beside.id and lately and sees:
            return grant.id
    return None


async def after_beside(page: Page) -> dict[str, Any]:
    """The worker whose device it is, if they are still signed in, and that grant, if it is live."""
    worker, _ = await signed_in(page.request, page.services, "worker", used=False)
    if not isinstance(worker, Worker):
        return {}
    given = parse_id(page.request.query_params.get("of", ""))
    listed = await grants.list_grants(page.services, worker, state="live", limit=_LIMIT)
    return {
        "back_to": worker.name,
        "given": next((one for one in listed.items if one.id == given), None),
    }
