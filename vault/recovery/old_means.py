"""What a vault has by which its person can be warned, and whether it slept: the same statements
whether or not it is there.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.records import people, sessions
from auth.records.sessions import SESSION_ROW
from vault.recovery.recovery_rules import MeansKind
from vault.services import Services
from vault.trusted import vouching


@dataclass(frozen=True, slots=True)
class OldMeans:
    """Of a vault: whether it was not used for six months, and has a phone; whether a session of it
    lives, on a device of its person's own or another's, no worker beside; whom its person
    trusts."""

    asleep: bool = False
    phone: bool = False
    session: bool = False
    trusted: tuple[UUID, ...] = ()

    def can_be_warned(self, shown: frozenset[MeansKind]) -> bool:
        """Whether one that was not shown can be. The number of a vault that slept may be another
        person's."""
        phone = self.phone and not self.asleep and "phone" not in shown
        return phone or self.session or bool(self.trusted and "trusted" not in shown)


async def of_vault(services: Services, tx: AsyncConnection, person_id: UUID) -> OldMeans:
    """What a vault has; nothing where it is not there. Raises `RowAltered`."""
    macs = await services.field_encryption.row_macs()
    row = await people.sleeping_person(tx, macs, person_id)
    live = await sessions.live_sessions_of(tx, "person", person_id)
    own = [one for one in live if one.worker_session_id is None and macs.holds(SESSION_ROW, one)]
    trusted = await vouching.to_tell(services, tx, person_id)
    if row is None:
        return OldMeans()
    return OldMeans(row.asleep, row.phone_tag is not None, bool(own), tuple(trusted))
