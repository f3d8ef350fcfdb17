"""The language of a person's messages: that of their first visit, until they choose another one."""

from auth.person_contact import contact_to_tell
from auth.records import people
from auth.services import CoreServices
from auth.subjects import Person


async def language_of_person(services: CoreServices, person: Person) -> str:
    """The code of the language in which messages reach them."""
    async with services.database.transaction() as tx:
        return (await contact_to_tell(services, tx, person.id)).language


async def choose_language(services: CoreServices, person: Person, language: str) -> None:
    """Keep the language that a person chose: one of those offered. A crash before the commit leaves
    the former one. Raises `RowAltered`."""
    async with services.database.transaction() as tx:
        macs = await services.field_encryption.row_macs()
        row = await people.person_to_change(tx, macs, person.id)
        if row is not None:
            await people.change_language(tx, macs, row, language)
