"""Erasures that outlive a restoration: each leaves a mark, and the note of all marks, kept
elsewhere, is applied to a backup from before them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.records import people
from auth.subjects import Person
from base import clock
from base.clock import rfc3339
from base.db_time import instant
from vault.maintenance import erasure_notes, records
from vault.maintenance.erasure import erase
from vault.maintenance.erasure_notes import ErasureNote
from vault.services import Services

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Applied:
    """What applying a note came to.

    `erased`: vaults that were back, and are erased again; `absent`: marks of which this database
    has no vault; `unknown_to_note`: marks that this database has and the note does not, so that the
    note is older than the backup.
    """

    erased: int
    absent: int
    unknown_to_note: int


async def export(services: Services) -> bytes:
    """The note of every mark, as of now. Raises `RowAltered` for a mark that is not ours: who
    writes the database would have somebody's vault erased by it."""
    signer = await services.transparency_log.keys.signer()
    async with services.database.transaction() as tx:
        macs = await services.field_encryption.row_macs()
        marks = await records.erased_marks(tx, macs)
    return erasure_notes.encode(marks, rfc3339(clock.now()), signer)


async def apply(services: Services, note: ErasureNote) -> Applied:
    """Erase every vault that the note marks, each in a commit of its own, and keep its marks.

    Raises `InvalidErasureNote`, having erased nothing. A crash leaves the vaults that were not
    reached; applied again, it goes on, and what was done stays done.
    """
    # 1. The log's key, which is in the backup, signed all of it.
    note.check(await services.transparency_log.keys.verifier())
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        known = set(await records.erased_marks(tx, macs))
    # 2. The vaults that are back. One that ended in another goes with that one.
    found = await _marked(services, note)
    for person in found:
        await erase(services, person, only_if=_is_there(person), restored=True)
    # 3. All marks, also of vaults that this backup does not have: a later one may.
    async with services.database.transaction() as tx:
        at = await instant(tx)
        for mark in note.marks - known:
            await records.note_erased(tx, macs, mark, at)
    return Applied(len(found), len(note.marks) - len(found), len(known - note.marks))


def _is_there(person: Person) -> Callable[[AsyncConnection], Awaitable[bool]]:
    return partial(people.is_living, person_id=person.id)


async def _marked(services: Services, note: ErasureNote) -> list[Person]:
    found: list[Person] = []
    async with services.database.transaction() as tx:
        page = await people.ids_after(tx, UUID(int=0), _PAGE)
        while page:
            found += [Person(one) for one in page if erasure_notes.mark(one) in note.marks]
            page = await people.ids_after(tx, page[-1], _PAGE)
    return found
