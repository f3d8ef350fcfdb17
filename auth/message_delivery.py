"""Queued messages are sent, then deleted; in the demo, shown."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
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
from base.tasks import end
from storage.field_encryption import DecryptionError

MAX_ATTEMPTS = 290
"""A day of them, at `LONGEST_DELAY`: as long as most messages live. A gateway that is away for an
hour loses none."""
INBOX = 50
LANE = 10
"""Messages of one channel sent at once by a process. One that hangs takes one of these places, and
delays nothing of the other channel."""
# While the lease runs, no other process sends the same message: sending must take less. It begins
# as soon as a message is claimed, since no more are claimed than there are places.
_LEASE = timedelta(seconds=60)
_MAX_SENDING_SECONDS = 40.0
_MAX_WAIT_SECONDS = 30.0
_STOP_SECONDS = 4.0
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 30.0
CHANNELS: tuple[Channel, ...] = ("sms", "email")

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
        self._states = {"sms": services.parts.sms, "email": services.parts.email}
        self._lanes = {channel: _Lane() for channel in CHANNELS}
        self._trimming = asyncio.Lock()
        self._pause = _FIRST_PAUSE

    async def run(self) -> None:
        """Deliver until cancelled. Retries while the database is unreachable, at growing intervals
        that are short again once it has answered."""
        try:
            while True:
                try:
                    await self._run_lanes()
                except* (psycopg.Error, SQLAlchemyError, OSError) as group:
                    error = group.exceptions[0]
                    if not is_reported(error):
                        _log.warning("deliverer_interrupted", error=type(error).__name__)
                    await asyncio.sleep(self._pause)
                    self._pause = min(self._pause * 2, _LONGEST_PAUSE)
        finally:
            await asyncio.gather(*(lane.stop() for lane in self._lanes.values()))

    async def _run_lanes(self) -> None:
        """One task a channel, woken by `NOTIFY`. What is being sent goes on if one of them fails:
        it would be sent twice."""
        async with (
            self._services.database.listening(CHANNEL) as connection,
            asyncio.TaskGroup() as tasks,
        ):
            for channel in CHANNELS:
                tasks.create_task(self._run_lane(channel), name=f"messages: {channel}")
            async for _ in connection.notifies():
                for lane in self._lanes.values():
                    lane.wake.set()

    async def _run_lane(self, channel: Channel) -> None:
        lane = self._lanes[channel]
        while True:
            lane.wake.clear()
            places = LANE - len(lane.sending)
            batch = await self._claim(channel, places)
            for row in batch:
                lane.start(self._deliver(row))
            if not batch:
                # Without a place, what is due waits for one: the end of a sending wakes.
                seconds = _MAX_WAIT_SECONDS
                if places:
                    seconds = await self._seconds_until_due(channel)
                with suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        await lane.wake.wait()

    async def deliver_due(self) -> int:
        """Send one batch of each channel; returns how many were taken.

        A crash between sending and deleting sends a message twice; none is lost.
        """
        batches = [await self._claim(channel, LANE) for channel in CHANNELS]
        await asyncio.gather(*(self._deliver(row) for batch in batches for row in batch))
        return sum(map(len, batches))

    async def _claim(self, channel: Channel, limit: int) -> Sequence[Any]:
        if not limit:
            return ()
        async with self._services.database.transaction() as tx:
            await messages.bring_forward(tx)
            claimed = await messages.claim_messages(
                tx, channel, lease=_LEASE, limit=limit, max_attempts=MAX_ATTEMPTS
            )
        self._pause = _FIRST_PAUSE
        return claimed

    async def _deliver(self, row: Any) -> None:
        done = await self._send(row)
        async with self._services.database.transaction() as tx:
            if not done and row.attempts < MAX_ATTEMPTS:
                delay = timedelta(seconds=5 * 2 ** min(row.attempts - 1, 10))
                delay = min(delay, messages.LONGEST_DELAY)
                await messages.postpone_message(tx, row.id, delay)
            elif done and self._messenger.keeps:
                await messages.keep_in_inbox(tx, row.id)
            else:
                await messages.delete_message(tx, row.id)
        if done and self._messenger.keeps:
            async with self._trimming, self._services.database.transaction() as tx:
                await messages.trim_inbox(tx, INBOX)

    async def _send(self, row: Any) -> bool:
        """False when it must be retried. Logs hold only ids and kinds of failure."""
        log = _log.bind(message=str(row.id), channel=row.channel, attempt=row.attempts)
        try:
            reader = await self._services.field_encryption.reader(None)
            values = reader.open(MESSAGE, row.id, row.sealed)
            if values["send"]:
                await self._hand_over(
                    Outgoing(row.channel, values["to"], values["subject"], values["text"])
                )
        except (Undeliverable, DecryptionError) as error:
            log.warning("message_dropped", error=str(error))
        except NotSent as error:
            # Not a warning for each message: the state of the channel has given one.
            log.info("message_not_sent", error=str(error))
            return False
        except Exception as error:  # noqa: BLE001  (one message must not stop the others)
            log.info("message_not_sent", error=type(error).__name__)
            return False
        return True

    async def _hand_over(self, message: Outgoing) -> None:
        """Send one message, and tell the state of its channel how that ended."""
        state = self._states[message.channel]
        try:
            async with asyncio.timeout(_MAX_SENDING_SECONDS):
                await self._messenger.send(message)
        except Undeliverable:
            state.answered()  # about this message
            raise
        except NotSent as error:
            state.failed(str(error))
            raise
        except Exception as error:
            state.failed(type(error).__name__)
            raise
        state.answered()

    async def _seconds_until_due(self, channel: Channel) -> float:
        """Until the next attempt of this channel; a new message is notified."""
        async with self._services.database.transaction() as tx:
            due = await messages.seconds_until_due(tx, channel, MAX_ATTEMPTS)
        return _MAX_WAIT_SECONDS if due is None else min(max(due, 0.05), _MAX_WAIT_SECONDS)


class _Lane:
    """What one process sends by one channel at this moment."""

    def __init__(self) -> None:
        self.wake = asyncio.Event()
        self.sending: set[asyncio.Task[None]] = set()

    def start(self, delivery: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(delivery)
        self.sending.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self.sending.discard(task)
        self.wake.set()
        if not task.cancelled() and (error := task.exception()) and not is_reported(error):
            # The lease ends, and it is sent again.
            _log.warning("delivery_interrupted", error=type(error).__name__)

    async def stop(self) -> None:
        """Let what is being sent end; a message that is cut may be sent again."""
        if self.sending:
            _, left = await asyncio.wait(self.sending, timeout=_STOP_SECONDS)
            await end(*left)
