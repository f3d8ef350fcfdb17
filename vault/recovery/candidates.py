"""Which one vault is meant: the same statements whether there is one, several or none, so that
nothing tells an agent what was found. Which are run follows from what was typed alone.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth import card_means
from auth.card_codes import CardText
from auth.card_tries import STOPPED
from auth.records import anchors, people, pins
from auth.services import CoreServices
from auth.subjects import Worker
from base.ids import new_id
from vault.consent.people import find_person
from vault.recovery.candidate_rules import OnPhone, Ways, means_of, pick
from vault.recovery.recovery_rules import AnchorSeen, FoundBy, MeansKind
from vault.recovery.shown_means import ReadMeans
from vault.services import Services
from vault.trusted import vouching

_SEVERAL = 2


@dataclass(frozen=True, slots=True)
class Sought:
    """By what an agent looks for a vault: the tag of the paper that they read, and what was shown
    beside it."""

    worker: Worker
    tag: bytes = field(repr=False)
    means: ReadMeans


@dataclass(frozen=True, slots=True)
class Pointed:
    """The vault that is meant, and by what: an id of nobody's where there is none, or several.
    `means`: those shown that are its own."""

    id: UUID
    by: FoundBy | None = None
    means: frozenset[MeansKind] = frozenset()

    def of(self, vault: UUID) -> "Pointed":
        """What it says of one vault: nothing where another one is meant."""
        return self if self.id == vault else Pointed(vault)


async def point(services: Services, tx: AsyncConnection, sought: Sought) -> Pointed:
    """The one vault that is meant. Its caller holds it, then looks again by `point_again`. Raises
    `RowAltered`."""
    ways, nobody = await _ways(services, tx, sought), new_id()
    picked = pick(ways)
    if picked is None:
        return Pointed(nobody)
    return Pointed(*picked, means_of(ways, picked[0]))


async def point_again(
    services: Services, tx: AsyncConnection, sought: Sought, before: Pointed
) -> Pointed:
    """The same, of a vault that is held now: nothing where another one is meant meanwhile, or it is
    not there any more. Raises `RowAltered`."""
    ways = await _ways(services, tx, sought)
    if sought.means.trusted_code:
        # The digits are spent now, whosever they are, and count if they serve.
        spent = await vouching.vouched(services, tx, sought.means.trusted_code)
        ways = replace(ways, trusted=spent)
    again = pick(ways)
    if not await is_there(services, tx, before.id) or again is None or again[0] != before.id:
        return Pointed(before.id)
    return Pointed(*again, means_of(ways, before.id))


async def is_there(services: CoreServices, tx: AsyncConnection, person_id: UUID) -> bool:
    """Whether a vault is there, and did not end in another. Raises `RowAltered`."""
    macs = await services.field_encryption.row_macs()
    row = await people.person(tx, macs, person_id)
    return row is not None and not row.ended


async def compare(
    services: CoreServices, tx: AsyncConnection, person_id: UUID, tag: bytes
) -> AnchorSeen:
    """A vault's anchor, beside what an agent read. Raises `RowAltered`."""
    macs = await services.field_encryption.row_macs()
    row = await anchors.anchor(tx, macs, person_id)
    same = hmac.compare_digest(bytes(len(tag)) if row is None else row.tag, tag)
    if row is None:
        return "none"
    return "same" if same else "other"


async def _ways(services: Services, tx: AsyncConnection, sought: Sought) -> Ways:
    macs = await services.field_encryption.row_macs()
    means = sought.means
    found = await anchors.anchors_of_tag(tx, macs, sought.tag, limit=_SEVERAL)
    card, stopped = await _card(services, tx, means.card)
    known, trusted = None, None
    if means.trusted_code:
        trusted = await vouching.vault_of(services, tx, means.trusted_code)
    if means.known is not None:
        known = await find_person(services, tx, sought.worker, means.known)
    return Ways(
        anchor=found[0].person_id if len(found) == 1 else None,
        card=card,
        stopped=stopped,
        trusted=trusted,
        known=known,
        reached=await _on_phone(services, tx, means.reached),
        number=await _on_phone(services, tx, means.number),
    )


async def _card(
    services: Services, tx: AsyncConnection, text: CardText | None
) -> tuple[UUID | None, bool]:
    """Whose a card is, and whether it was stopped as lost."""
    row = None if text is None else await card_means.card_of(services, tx, text)
    return (None, False) if row is None else (row.person_id, row.wrong == STOPPED)


async def _on_phone(
    services: Services, tx: AsyncConnection, tags: Sequence[bytes]
) -> tuple[OnPhone, ...]:
    if not tags:
        return ()
    macs = await services.field_encryption.row_macs()
    rows = await pins.people_of_phone(tx, macs, tags)
    return tuple(OnPhone(row.id, row.asleep) for row in rows)
