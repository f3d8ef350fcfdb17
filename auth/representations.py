"""A session of a representative in the vault of whoever they represent: what its token says, and
whether it lives.

The token says that it is one, and from which session of the representative's own it was opened:
both are hashed with it. It lives no longer than that session, than an hour, than the representation
itself, whose row is looked at each time; so no job has to end it
(docs/adr/0069-representatives.md).
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.records import people
from auth.records import representations as records
from auth.representation_terms import lives
from auth.services import CoreServices
from auth.subjects import Representative
from base.key_names import REPRESENTATION

LIFE = timedelta(hours=1)
"""Whatever is done in it: then they enter again, with a proof."""


def is_represented(token: str) -> bool:
    """Whether a token is of such a session."""
    return "t" in token.partition("_")[0]


async def representative_in(
    services: CoreServices, tx: AsyncConnection, person_id: UUID, own: Any
) -> Representative | None:
    """Who acts in the vault of `person_id` from their own session, of which `own` is the live row,
    checked; None where they do not represent that person now. Raises `RowAltered`."""
    if own.session_subject_kind != "person":
        return None
    macs = await services.field_encryption.row_macs()
    found = await records.between(tx, macs, person_id, own.session_subject_id)
    row = living_in(found)
    if row is None or not await _are_there(services, tx, person_id, own.session_subject_id):
        return None
    reader = await services.field_encryption.reader(None)
    values = reader.open(REPRESENTATION, row.id, row.sealed)
    name, calls = str(values["representative"]), str(values["own_name"])
    return Representative(row.id, own.session_subject_id, own.session_id, name, calls)


def living_in(rows: Sequence[Any]) -> Any | None:
    """The one of these that serves now, by the database's clock."""
    serving = (row for row in rows if lives(row.began_at, row.ends_at, row.ended_at, row.at))
    return next(serving, None)


async def _are_there(services: CoreServices, tx: AsyncConnection, *ids: UUID) -> bool:
    macs = await services.field_encryption.row_macs()
    rows = [await people.person(tx, macs, one) for one in ids]
    return all(row is not None and not row.ended for row in rows)
