"""Queued messages are sent, then deleted; in the demo, shown."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from auth.messages import CHANNEL
from auth.messengers import Channel, Messenger, NotSent, Outgoing, Undeliverable
from auth.records import messages
from auth.services import CoreServices
from base.key_names import MESSAGE
from base.outages import is_reported
from storage.field_encryption import DecryptionError

MAX_ATTEMPTS = 8
INBOX = 50
_BATCH = 10
# While the lease runs, no other process sends the same message: sending must take less.
_LEASE = timedelta(seconds=60)
_MAX_SENDING_SECONDS = 40.0
_MAX_WAIT_SECONDS = 30.0

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class InboxMessage:
    """A message as the demo's inbox shows it."""

    id: UUID
    at: datetime
    channel: Channel
    to: str = field(repr=False)
    text: str = field(repr=False)


async def inbox(services: CoreServices, *, to: str | None = None) -> list[InboxMessage]:
    """The demo's last messages, newest first, or those to one address. `RuntimeError` elsewhere."""
    if services.settings.mode != "demo" or services.settings.messenger != "inbox":
        raise RuntimeError("messages may be shown in the demo only")
    reader = await services.field_encryption.reader(None)
    async with services.database.transaction() as tx:
        rows = await messages.messages(tx, INBOX)
    shown = []
    for row in rows:
        values = reader.open(MESSAGE, row.id, row.sealed)
        if values["send"] and to in (None, values["to"]):
            shown.append(
                InboxMessage(row.id, row.created_at, row.channel, values["to"], values["text"])
            )
    return shown


class Deliverer:
    """Sends what is queued. Any number may run, in any number of processes."""

    def __init__(self, services: CoreServices, messenger: Messenger) -> None:
        self._services = services
        self._messenger = messenger

    async def run(self) -> None:
        """Deliver until cancelled. Retries while the database is unreachable."""
        pause = 1.0
        while True:
            try:
                async with self._services.database.listening(CHANNEL) as connection:
                    while True:
                        while await self.deliver_due():
                            pass
                        pause = 1.0
                        await self._wait(connection)
            except (psycopg.Error, SQLAlchemyError, OSError) as error:
                if not is_reported(error):
                    _log.warning("deliverer_interrupted", error=type(error).__name__)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 30.0)

    async def deliver_due(self) -> int:
        """Send one batch of due messages; returns how many were taken.

        A crash between sending and deleting sends a message twice; none is lost.
        """
        async with self._services.database.transaction() as tx:
            batch = await messages.claim_messages(
                tx, lease=_LEASE, limit=_BATCH, max_attempts=MAX_ATTEMPTS
            )
        await asyncio.gather(*(self._deliver(row) for row in batch))
        if batch and self._messenger.keeps:
            async with self._services.database.transaction() as tx:
                await messages.trim_inbox(tx, INBOX)
        return len(batch)

    async def _deliver(self, row: Any) -> None:
        done = await self._send(row)
        async with self._services.database.transaction() as tx:
            if not done and row.attempts < MAX_ATTEMPTS:
                delay = timedelta(seconds=min(5 * 2 ** (row.attempts - 1), 300))
                await messages.postpone_message(tx, row.id, delay)
            elif done and self._messenger.keeps:
                await messages.keep_in_inbox(tx, row.id)
            else:
                await messages.delete_message(tx, row.id)

    async def _send(self, row: Any) -> bool:
        """False when it must be retried. Logs hold only ids and kinds of failure."""
        log = _log.bind(message=str(row.id), channel=row.channel, attempt=row.attempts)
        try:
            reader = await self._services.field_encryption.reader(None)
            values = reader.open(MESSAGE, row.id, row.sealed)
            if values["send"]:
                outgoing = Outgoing(row.channel, values["to"], values["subject"], values["text"])
                async with asyncio.timeout(_MAX_SENDING_SECONDS):
                    await self._messenger.send(outgoing)
        except (Undeliverable, DecryptionError) as error:
            log.warning("message_dropped", error=str(error))
        except NotSent as error:
            log.warning("message_not_sent", error=str(error))
            return False
        except Exception as error:  # noqa: BLE001  (one message must not stop the others)
            log.warning("message_not_sent", error=type(error).__name__)
            return False
        return True

    async def _wait(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Wait until a message is queued, or the next attempt is due."""
        async with self._services.database.transaction() as tx:
            due = await messages.seconds_until_due(tx, MAX_ATTEMPTS)
        seconds = _MAX_WAIT_SECONDS if due is None else min(max(due, 0.05), _MAX_WAIT_SECONDS)
        async for _ in connection.notifies(timeout=seconds, stop_after=1):
            return
