"""How much a vault, a grant's recipient and a paper may hold, told before it is reached.

What was sent counts: every version of every document, those in the trash included. Copies for
recipients and previews do not: nobody chose their size.

1. `check_room`, before the first byte is read, with the length that was announced.
2. `check_room` again under the vault's lock, with the real length, in the transaction that commits:
   two deposits at once cannot both take the last room.

A recipient is told about their own grant, by what they sent themselves, and nothing else. A vault
that is full refuses them in words that say no number, whatever the size that they announce: asking
with one size after another tells them nothing (invariant 7).
"""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from auth import closings
from auth.subjects import Person
from base.errors import ErrorKind, ServiceError
from base.pipeline import Transaction, fetch, fetch_one, write
from vault import records
from vault.rules import Reason
from vault.services import Services

MIB = 1024 * 1024
_KIB = 1024
_WARNED_AT = 0.8
_REASONS = {
    "grant_full": Reason.GRANT_FULL,
    "vault_cannot_take_more": Reason.NO_ROOM,
    "service_closed": Reason.CLOSED,
}


class QuotaWarning(StrEnum):
    """What an answer to a deposit warns of."""

    VAULT_ALMOST_FULL = "vault_almost_full"
    GRANT_ALMOST_FULL = "grant_almost_full"


@dataclass(frozen=True, slots=True)
class Room:
    """What is used of a vault or a grant, and its limits: documents, and bytes."""

    documents: int
    size: int
    max_documents: int
    max_size: int

    @property
    def mib(self) -> int:
        """MiB used, rounded up."""
        return -(-self.size // MIB)

    @property
    def max_mib(self) -> int:
        """MiB at most."""
        return self.max_size // MIB

    @property
    def almost_full(self) -> bool:
        """Whether 80 % of either is used."""
        return (
            self.documents >= self.max_documents * _WARNED_AT
            or self.size >= self.max_size * _WARNED_AT
        )

    @property
    def full(self) -> bool:
        """Whether nothing more fits at all."""
        return self.documents >= self.max_documents or self.size >= self.max_size

    def fits(self, documents: int, size: int) -> bool:
        """Whether so much more is within both limits."""
        return self.documents + documents <= self.max_documents and (
            self.size + size <= self.max_size
        )

    def plus(self, documents: int, size: int) -> "Room":
        """The same with so much more in it."""
        return Room(self.documents + documents, self.size + size, self.max_documents, self.max_size)


def kib(size: int) -> int:
    """Bytes in KiB, rounded up: how a version is counted."""
    return -(-size // _KIB)


def reason_of(failure: ServiceError) -> Reason | None:
    """Why a recipient's deposit was refused by a quota, for the person's log; else None."""
    return _REASONS.get(failure.code)


async def vault_room(services: Services, tx: Transaction, owner_id: UUID) -> Room:
    """What a person's vault holds; for that person alone."""
    (used,) = await fetch(tx, records.vault_use(owner_id))
    settings = services.settings
    return Room(
        used.documents, used.size_kib * _KIB, settings.max_vault_documents, settings.max_vault_bytes
    )


async def grant_room(services: Services, tx: Transaction, grant_id: UUID) -> Room:
    """What the recipient of a grant has added; for that recipient and the vault's owner."""
    row = await fetch_one(tx, records.deposit_total(grant_id))
    documents, size_kib = (0, 0) if row is None else (row.documents, row.size_kib)
    settings = services.settings
    return Room(documents, size_kib * _KIB, settings.max_grant_documents, settings.max_grant_bytes)


async def see_room(services: Services, person: Person) -> Room:
    """What the person's own vault holds."""
    async with services.database.pipeline.transaction() as tx:
        return await vault_room(services, tx, person.id)


async def check_room(
    services: Services,
    tx: Transaction,
    owner_id: UUID,
    *,
    grant_id: UUID | None = None,
    size: int = 0,
    documents: int = 1,
    moved: bool = False,
) -> tuple[QuotaWarning, ...]:
    """Refuse what would not fit; returns what to warn of once it is stored.

    `grant_id`: under which a recipient deposits; None for the owner. `size`: bytes sent, or
    announced; 0 while unknown. `documents`: 0 for a new version. `moved`: nothing new comes in.
    Raises `ServiceError` (CONFLICT): `vault_full`, `too_many_documents`; to a recipient
    `grant_full`, `vault_cannot_take_more`. REFUSED `service_closed` after the last day.
    """
    if not moved:
        await closings.check_open(services, tx)
    vault = await vault_room(services, tx, owner_id)
    if grant_id is None:
        return _own(vault, documents, size)
    grant = await grant_room(services, tx, grant_id)
    if not grant.fits(documents, size):
        raise ServiceError(
            ErrorKind.CONFLICT,
            "grant_full",
            limit=grant.max_documents,
            limit_mib=grant.max_mib,
        )
    if vault.full:
        raise ServiceError(ErrorKind.CONFLICT, "vault_cannot_take_more")
    almost = grant.plus(documents, size).almost_full
    return (QuotaWarning.GRANT_ALMOST_FULL,) if almost else ()


async def count_deposit(tx: Transaction, owner_id: UUID, grant_id: UUID, size: int) -> None:
    """Count a recipient's document, of so many bytes, in the transaction that stores it."""
    await write(tx, records.add_to_deposit_total(owner_id, grant_id, size_kib=kib(size)))


def check_version_number(services: Services, number: int) -> None:
    """Refuse a version beyond those that a paper may have. Raises `too_many_versions`."""
    limit = services.settings.max_versions
    if number > limit:
        raise ServiceError(ErrorKind.CONFLICT, "too_many_versions", limit=limit)


def _own(vault: Room, documents: int, size: int) -> tuple[QuotaWarning, ...]:
    after = vault.plus(documents, size)
    if documents and after.documents > vault.max_documents:
        raise ServiceError(ErrorKind.CONFLICT, "too_many_documents", limit=vault.max_documents)
    if after.size > vault.max_size:
        raise ServiceError(
            ErrorKind.CONFLICT,
            "vault_full",
            limit=vault.max_documents,
            limit_mib=vault.max_mib,
        )
    return (QuotaWarning.VAULT_ALMOST_FULL,) if after.almost_full else ()
