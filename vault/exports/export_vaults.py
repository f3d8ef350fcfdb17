"""Of which vaults an export tells: its person's, and those that were joined to it before it was
asked for, whose logs are their person's too."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from auth.former_vaults import former_vaults
from auth.subjects import Person
from storage.row_macs import RowAltered
from vault.services import Services


@dataclass(frozen=True, slots=True)
class ToldVault:
    """A vault; `number` and `joined_at` of one that ended in the person's: the last first."""

    person: Person
    number: int | None = None
    joined_at: datetime | None = None


async def told_vaults(
    services: Services, person_id: UUID, until: datetime
) -> tuple[list[ToldVault], bool]:
    """The vaults, the person's first; and whether it is known which others were joined to it: of a
    row that somebody altered nothing is believed."""
    own = Person(person_id)
    try:
        found = await former_vaults(services, own)
    except RowAltered:
        return [ToldVault(own)], False
    former = [one for one in found if one.joined_at <= until]
    return [ToldVault(own)] + [
        ToldVault(one.person, number, one.joined_at) for number, one in enumerate(former, 1)
    ], True
