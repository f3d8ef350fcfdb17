"""What is shown at the desk beside an identity paper, as it is typed, and read before anything is
looked up: a card without its PIN, a phone that answers, digits of a trusted person; and what only
helps to find a vault: the number that the person had, or that the worker knows them.
"""

from dataclasses import dataclass, field
from typing import get_args
from uuid import UUID

from auth import card_means, session_start
from auth.card_codes import CardText
from auth.services import CoreServices
from auth.subjects import Worker
from base.errors import about
from base.user_text import digits_of
from vault.recovery import reached_phones
from vault.recovery.recovery_rules import MeansKind

KINDS: tuple[MeansKind, ...] = get_args(MeansKind)


@dataclass(frozen=True, slots=True)
class ShownMeans:
    """As it was typed. `reached`: what `reached_phones.confirm` gave; `known`: the worker's own id
    of one of their people."""

    card: str = field(default="", repr=False)
    reached: str = field(default="", repr=False)
    trusted_code: str = field(default="", repr=False)
    former_phone: str = field(default="", repr=False)
    known: UUID | None = None


NOTHING_SHOWN = ShownMeans()


@dataclass(frozen=True, slots=True)
class ReadMeans:
    """The same, read. `reached` and `number`: the tags of each form of a phone."""

    card: CardText | None = None
    reached: tuple[bytes, ...] = ()
    trusted_code: str = field(default="", repr=False)
    number: tuple[bytes, ...] = ()
    known: UUID | None = None

    @property
    def typed(self) -> tuple[MeansKind, ...]:
        """The kinds of means that were shown, whether or not they are of the vault."""
        given: dict[MeansKind, object] = {
            "card": self.card,
            "phone": self.reached,
            "trusted": self.trusted_code,
        }
        return tuple(kind for kind in KINDS if given[kind])


async def read(services: CoreServices, worker: Worker, shown: ShownMeans) -> ReadMeans:
    """Read what was typed: nothing of a vault is looked up. Raises `ServiceError` INVALID
    `card_typo`, `card_of_another`, `phone_invalid`, `phone_not_reached`."""
    card, number = None, None
    if shown.card:
        with about("shown", "card"):
            card = await card_means.read_card(services, shown.card)
    if shown.former_phone:
        with about("former_phone"):
            number = await session_start.phone_address(services, shown.former_phone)
    reached: tuple[bytes, ...] = ()
    if shown.reached:
        with about("shown", "reached"):
            reached = await reached_phones.reached(services, worker, shown.reached)
    return ReadMeans(
        card,
        reached,
        digits_of(shown.trusted_code),
        () if number is None else number.tags,
        shown.known,
    )
