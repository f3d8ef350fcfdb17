"""What a person may give, in an assisted session, to the worker beside them: for three months at
most, and no sensitive paper. To anyone else they give as ever.

The session alone says who is beside (`auth/assistance.py`); a caller says nothing of it.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.services import CoreServices
from auth.subjects import Party, Person
from base.db_time import instant
from base.errors import about
from vault import catalogue, durations
from vault.consent.records import grants as records
from vault.consent.scopes import id_fields
from vault.consent.terms import Terms
from vault.consent.type_tags import type_tag
from vault.rules import Reason, Refused

LONGEST = "P3M"


async def judge(
    services: CoreServices, tx: AsyncConnection, person: Person, recipient: Party, terms: Terms
) -> Refused | None:
    """Why a grant of these terms is refused beside its recipient; None where it is not. Judged
    before anything is written. Raises `ServiceError` `duration_invalid`, `duration_too_long`."""
    if person.beside is None or person.beside.party != recipient:
        return None
    long = too_long(terms, await instant(tx))
    if long is not None:
        return Refused(Reason.ASSISTED_LONG, ((long,),))
    ids = terms.scope.document_ids
    sensitive = id_fields(ids, await _not_sensitive(services, tx, person.id, ids))
    return Refused(Reason.ASSISTED_SENSITIVE, sensitive) if sensitive else None


def too_long(terms: Terms, at: datetime) -> str | None:
    """Which of the terms lasts too long to be given so at an instant; None where none does. Raises
    `ServiceError` `duration_invalid`, `duration_too_long`."""
    longest = durations.grant_end(at, LONGEST)
    with about("duration"):
        if durations.grant_end(at, terms.duration) > longest:
            return "duration"
    if terms.may_store and terms.store_for is None:
        return "may_store"  # a copy without an end is kept for longer than any
    if terms.may_store and terms.store_for is not None:
        with about("store_for"):
            if durations.end_of(at, terms.store_for) > longest:
                return "store_for"
    return None


async def _not_sensitive(
    services: CoreServices, tx: AsyncConnection, person_id: UUID, ids: Iterable[UUID]
) -> set[UUID]:
    """Those of the person's papers that neither their type nor their owner makes sensitive: by
    their tags, nothing is opened."""
    types = (one.code for one in catalogue.document_types() if not one.sensitive)
    plain = {await type_tag(services, person_id, code) for code in types}
    held = await records.held_documents(tx, person_id, ids)
    return {row.id for row in held if row.type_tag in plain}
