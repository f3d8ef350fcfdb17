"""The zone in which a person is shown times: theirs to choose, sealed with their phone."""

from zoneinfo import ZoneInfo

from auth.person_contact import contact_to_tell
from auth.records import people
from auth.services import CoreServices
from auth.subjects import Person
from base.key_names import PERSON
from base.time_zones import TimeZoneName


async def zone_of_person(services: CoreServices, person: Person) -> ZoneInfo:
    """The one they chose, or that of their phone; Paris's where their row does not open."""
    async with services.database.transaction() as tx:
        return (await contact_to_tell(services, tx, person.id)).zone


async def choose_zone(services: CoreServices, person: Person, name: TimeZoneName) -> ZoneInfo:
    """Keep the zone that a person chose. A crash before the commit leaves the former one."""
    async with services.database.transaction() as tx:
        macs = await services.field_encryption.row_macs()
        row = await people.person_to_change(tx, macs, person.id)
        if row is not None:
            reader = await services.field_encryption.reader(person.id, tx)
            writer = await services.field_encryption.writer(person.id, tx)
            values = reader.open(PERSON, person.id, row.sealed) | {"time_zone": name}
            sealed = writer.seal(PERSON, person.id, values)
            await people.change_profile(tx, macs, row, phone_tag=row.phone_tag, sealed=sealed)
    return ZoneInfo(name)
