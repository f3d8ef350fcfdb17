"""A closing of the service in tests: its days, and what was sent about it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from sqlalchemy import select, text

from auth import closing_rules, closings
from auth.records.messages import Message
from base.database import Database
from base.time_zones import PARIS
from tests.fixtures import MoveClock
from vault.services import Services

TODAY = datetime.now(PARIS).date()
LAST_DAY = closing_rules.earliest(TODAY)


def stand_at(move: MoveClock, day: date, hour: int = 10, minute: int = 0) -> None:
    """Move the database's clock to an hour of a day in Paris."""
    move(datetime.combine(day, time(hour, minute), PARIS) - datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message that is queued."""

    channel: str
    subject: str
    text: str


async def sent_to(services: Services, address: str) -> list[SentMessage]:
    """All that was queued for an address about a closing, in its order."""
    reader = await services.field_encryption.reader(None)
    async with services.database.transaction() as tx:
        rows = (await tx.execute(select(Message.__table__).order_by(Message.id))).all()
    opened = [(row.channel, reader.open("message", row.id, row.sealed)) for row in rows]
    return [
        SentMessage(channel, values["subject"], values["text"])
        for channel, values in opened
        if values["to"] == address and "« Mes papiers »" in values["text"]
    ]


async def end(services: Services, owner: Database) -> None:
    """No closing for the tests that follow."""
    async with owner.transaction() as tx:
        for table in ("closing_step", "closing"):
            await tx.execute(text(f"DELETE FROM unefois.{table}"))  # noqa: S608  (our own names)
    closings.forget(services)
