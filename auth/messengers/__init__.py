"""How a message is sent: the contract of every messenger."""

from dataclasses import dataclass, field
from typing import Literal, Protocol

Channel = Literal["sms", "email"]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message opened for sending. `to` is E.164 for `sms`, an address for `email`."""

    channel: Channel
    to: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)


class NotSent(Exception):
    """Not sent; it may be retried. The text is for the operator, with nothing of the message."""


class Undeliverable(Exception):
    """It can never be sent. Same rule for the text."""


class Messenger(Protocol):
    """Sends one message, or raises `NotSent` or `Undeliverable`.

    A messenger that `keeps` sends nothing: the rows stay, for the demo's inbox to show.
    """

    keeps: bool

    async def send(self, message: Outgoing) -> None:
        """Return once the next server has accepted the message."""
        ...
