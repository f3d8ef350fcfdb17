"""Messages are sent right after the commit, once, or given up; nothing of them is logged."""

import asyncio
from datetime import timedelta
from math import ceil

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

from auth import message_delivery, messages, one_time_codes
from auth.message_delivery import LANE, MAX_ATTEMPTS, Deliverer
from auth.messengers import NotSent, Outgoing, Undeliverable
from auth.messengers.inbox import InboxMessenger
from auth.records import messages as messages_records
from auth.records.messages import (
    Message,
    claim_messages,
    delete_late_messages,
)
from auth.services import CoreServices
from base import clock, part_state
from base.db_time import now
from tests.auth.steps import new_email, new_phone


class Recorder:
    """Accepts messages, or raises the given failure."""

    keeps = False

    def __init__(self, failure: Exception | None = None) -> None:
        self.sent: list[Outgoing] = []
        self.tried = 0
        self.failure = failure
        self._news = asyncio.Condition()

    async def send(self, message: Outgoing) -> None:
        self.tried += 1
        await asyncio.sleep(0)
        if self.failure is not None:
            raise self.failure
        async with self._news:
            self.sent.append(message)
            self._news.notify_all()

    async def has(self, count: int) -> None:
        """Wait for that many messages."""
        async with self._news:
            await self._news.wait_for(lambda: len(self.sent) >= count)


async def put(services: CoreServices, to: str, **options: object) -> None:
    options = {"channel": "sms", **options}
    async with services.database.transaction() as tx:
        await messages.queue(services, tx, to=to, text="Bonjour", **options)  # type: ignore[arg-type]  # options


async def waiting(services: CoreServices) -> int:
    async with services.database.transaction() as tx:
        return len((await tx.execute(select(Message.id))).all())


async def make_due(services: CoreServices) -> None:
    async with services.database.transaction() as tx:
        await tx.execute(update(Message).values(due_at=now()))


async def delay_left(services: CoreServices) -> float:
    async with services.database.transaction() as tx:
        left = await tx.execute(select(Message.due_at - now()))
        seconds: float = left.scalar_one().total_seconds()
    return seconds


async def test_a_message_leaves_and_its_row_with_it(quiet_services: CoreServices) -> None:
    phone, recorder = new_phone(), Recorder()
    await put(quiet_services, phone)
    assert await Deliverer(quiet_services, recorder).deliver_due() == 1
    assert [(m.channel, m.to, m.text) for m in recorder.sent] == [("sms", phone, "Bonjour")]
    assert await waiting(quiet_services) == 0


async def test_what_is_rolled_back_is_not_sent(quiet_services: CoreServices) -> None:
    recorder = Recorder()
    with pytest.raises(ZeroDivisionError):
        async with quiet_services.database.transaction() as tx:
            await messages.queue(quiet_services, tx, channel="sms", to=new_phone(), text="Bonjour")
            raise ZeroDivisionError
    assert await Deliverer(quiet_services, recorder).deliver_due() == 0


async def test_it_leaves_as_soon_as_it_is_committed(quiet_services: CoreServices) -> None:
    recorder = Recorder()
    running = asyncio.create_task(Deliverer(quiet_services, recorder).run())
    try:
        # Several messages: the deliverer's first query could find only the first of them.
        for count in range(1, 6):
            await put(quiet_services, new_phone())
            async with asyncio.timeout(5):
                await recorder.has(count)
                while await waiting(quiet_services):  # noqa: ASYNC110  (a row of the database)
                    await asyncio.sleep(0.02)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_two_deliverers_send_each_message_once(quiet_services: CoreServices) -> None:
    recorder = Recorder()
    phones = {new_phone() for _ in range(30)}
    for phone in phones:
        await put(quiet_services, phone)
    deliverers = [Deliverer(quiet_services, recorder) for _ in range(4)]
    while any(await asyncio.gather(*(one.deliver_due() for one in deliverers))):
        pass
    assert sorted(message.to for message in recorder.sent) == sorted(phones)


async def test_a_failure_is_tried_again_later_and_later_then_given_up(
    quiet_services: CoreServices,
) -> None:
    recorder = Recorder(NotSent("smtp: 451"))
    deliverer = Deliverer(quiet_services, recorder)
    await put(quiet_services, new_phone())
    delays = []
    for _ in range(MAX_ATTEMPTS - 1):
        assert await deliverer.deliver_due() == 1
        assert await deliverer.deliver_due() == 0, "not before its time"
        delays.append(ceil(await delay_left(quiet_services)))
        await make_due(quiet_services)
    assert delays == sorted(delays)
    assert delays[0] <= 5
    assert delays[-1] > 250
    assert await deliverer.deliver_due() == 1
    assert (recorder.tried, await waiting(quiet_services)) == (MAX_ATTEMPTS, 0)


async def test_a_clock_that_was_ahead_puts_no_message_off(quiet_services: CoreServices) -> None:
    """The machine's clock jumped two days ahead while one waited, and came back: it leaves now."""
    recorder = Recorder()
    await put(quiet_services, new_phone(), life=timedelta(days=3))
    async with quiet_services.database.transaction() as tx:
        await tx.execute(update(Message).values(due_at=now() + timedelta(days=2)))
    assert await Deliverer(quiet_services, recorder).deliver_due() == 1
    assert len(recorder.sent) == 1


async def test_no_more_are_taken_than_there_are_places(quiet_services: CoreServices) -> None:
    """Whatever plan PostgreSQL chooses: one of them runs a subquery for each row."""
    for _ in range(12):
        await put(quiet_services, new_phone())
    lease = timedelta(seconds=60)
    async with quiet_services.database.transaction() as tx:
        for other in ("hashjoin", "mergejoin", "hashagg", "sort", "material"):
            await tx.execute(text(f"SET LOCAL enable_{other} = off"))
        taken = await claim_messages(tx, "sms", lease=lease, limit=3, max_attempts=MAX_ATTEMPTS)
        await tx.execute(delete(Message))
    assert len(taken) == 3


async def test_each_interruption_is_followed_by_a_short_pause(
    quiet_services: CoreServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the day before do not delay what is sent after the next one."""
    monkeypatch.setattr(message_delivery, "_FIRST_PAUSE", 0.02)
    recorder, interruptions = Recorder(), 9
    running = asyncio.create_task(Deliverer(quiet_services, recorder).run())
    try:
        async with asyncio.timeout(4):
            for count in range(1, interruptions + 1):
                await put(quiet_services, new_phone())
                await recorder.has(count)
                await end_listening(quiet_services)
            await put(quiet_services, new_phone())
            await recorder.has(interruptions + 1)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def end_listening(services: CoreServices) -> None:
    """As when the server ends the connection on which news of messages come."""
    listening = text(
        "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity"
        " WHERE query = 'LISTEN \"unefois_messages\"'"
    )
    async with asyncio.timeout(5):
        ended: list[bool] = []
        while not ended:
            async with services.database.transaction() as tx:
                ended += (await tx.execute(listening)).scalars()
    assert all(ended)


class Hanging(Recorder):
    """Its SMS gateway takes a request and answers nothing; e-mails leave."""

    def __init__(self) -> None:
        super().__init__()
        self.hung = 0

    async def send(self, message: Outgoing) -> None:
        if message.channel == "sms":
            self.hung += 1
            await asyncio.Event().wait()
        await super().send(message)


async def asks_when_it_is_due(services: CoreServices, monkeypatch: pytest.MonkeyPatch) -> int:
    """How often SMS are asked for in half a second."""
    asked: list[str] = []
    ask = messages_records.seconds_until_due

    async def counted(connection: AsyncConnection, channel: str, attempts: int) -> float | None:
        asked.append(channel)
        return await ask(connection, channel, attempts)

    with monkeypatch.context() as counting:
        counting.setattr(messages_records, "seconds_until_due", counted)
        await asyncio.sleep(0.5)
    return asked.count("sms")


async def test_a_hung_gateway_delays_no_email(
    quiet_services: CoreServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own lane is full, and holds no more messages than are being sent: each for as long as its
    lease, so that no other process sends it meanwhile. What waits behind costs no query."""
    hanging = Hanging()
    running = asyncio.create_task(Deliverer(quiet_services, hanging).run())
    try:
        for _ in range(LANE + 5):
            await put(quiet_services, new_phone())
        async with asyncio.timeout(5):
            while hanging.hung < LANE:  # noqa: ASYNC110  (another task)
                await asyncio.sleep(0.02)
        for _ in range(3):
            began = clock.monotonic()
            await put(quiet_services, new_email(), channel="email")
            async with asyncio.timeout(5):
                while len(hanging.sent) == 0:  # noqa: ASYNC110  (another task)
                    await asyncio.sleep(0.01)
            assert clock.monotonic() - began < 1
            hanging.sent.clear()
        assert hanging.hung == LANE
        assert await asks_when_it_is_due(quiet_services, monkeypatch) == 0
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    # Nothing is lost: those that hung, and those behind them, are sent later.
    await make_due(quiet_services)
    good = Recorder()
    while await Deliverer(quiet_services, good).deliver_due():
        pass
    assert len(good.sent) == LANE + 5


async def test_a_failing_channel_is_one_warning_and_says_when_it_recovered(
    quiet_services: CoreServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part_state, "QUIET_SECONDS", 0.0)
    parts = quiet_services.parts
    with capture_logs() as lines:
        for _ in range(3):
            await put(quiet_services, new_phone())
            await Deliverer(quiet_services, Recorder(NotSent("sms gateway: 402"))).deliver_due()
            await make_due(quiet_services)
        assert parts.failing() == ["sms"]
        while await Deliverer(quiet_services, Recorder()).deliver_due():
            pass
    told = [line for line in lines if line["log_level"] == "warning"]
    assert [(line["event"], line["part"], line["code"]) for line in told] == [
        ("part_failing", "sms", "sms gateway: 402"),
        ("part_recovered", "sms", "sms gateway: 402"),
    ]
    assert parts.failing() == []


async def test_a_messenger_that_breaks_stops_neither_the_others_nor_the_deliverer(
    quiet_services: CoreServices,
) -> None:
    recorder = Recorder(ZeroDivisionError())
    await put(quiet_services, new_phone())
    assert await Deliverer(quiet_services, recorder).deliver_due() == 1
    await make_due(quiet_services)
    assert await Deliverer(quiet_services, good := Recorder()).deliver_due() == 1
    assert len(good.sent) == 1


async def test_an_impossible_address_is_given_up_at_once(quiet_services: CoreServices) -> None:
    recorder = Recorder(Undeliverable("smtp: 550"))
    await put(quiet_services, new_phone())
    await Deliverer(quiet_services, recorder).deliver_due()
    assert await waiting(quiet_services) == 0


async def test_a_code_is_not_sent_once_it_has_expired(quiet_services: CoreServices) -> None:
    recorder = Recorder()
    await put(quiet_services, new_phone(), life=timedelta(seconds=-1))
    assert await Deliverer(quiet_services, recorder).deliver_due() == 0
    async with quiet_services.database.transaction() as tx:
        assert await delete_late_messages(tx, MAX_ATTEMPTS) == 1


async def test_an_unknown_worker_is_sent_nothing_and_the_row_goes(
    quiet_services: CoreServices,
) -> None:
    recorder = Recorder()
    await one_time_codes.send_code(quiet_services, email=new_email())
    assert await Deliverer(quiet_services, recorder).deliver_due() == 1
    assert (recorder.tried, await waiting(quiet_services)) == (0, 0)


@pytest.mark.parametrize("failure", [NotSent("smtp: 451"), Undeliverable("x"), OSError("+33612")])
async def test_nothing_personal_is_logged(quiet_services: CoreServices, failure: Exception) -> None:
    phone = new_phone()
    await one_time_codes.send_code(quiet_services, phone=phone)
    with capture_logs() as lines:
        await Deliverer(quiet_services, Recorder(failure)).deliver_due()
    assert "+336" not in str(lines)
    about_it = [line for line in lines if line["event"] != "part_failing"]
    assert len(about_it) == 1
    assert "code" not in str(about_it)
    await make_due(quiet_services)
    await Deliverer(quiet_services, Recorder()).deliver_due()


async def test_the_demos_inbox_shows_the_last_messages_and_only_these(
    quiet_services: CoreServices,
) -> None:
    phone = new_phone()
    for _ in range(60):
        await put(quiet_services, phone)
    await put(quiet_services, new_phone())
    deliverer = Deliverer(quiet_services, InboxMessenger())
    while await deliverer.deliver_due():
        pass
    shown = await message_delivery.inbox(quiet_services)
    assert len(shown) == message_delivery.INBOX == await waiting(quiet_services)
    mine = await message_delivery.inbox(quiet_services, to=phone)
    assert len(mine) == message_delivery.INBOX - 1
    assert {shown.text for shown in mine} == {"Bonjour"}
    assert mine == sorted(mine, key=lambda shown: shown.id, reverse=True)


@pytest.mark.parametrize(
    "change", [{"mode": "production"}, {"messenger": "smtp"}, {"messenger": "console"}]
)
async def test_there_is_no_inbox_outside_the_demo(
    quiet_services: CoreServices, change: dict[str, str]
) -> None:
    elsewhere = CoreServices(
        parts=quiet_services.parts,
        settings=quiet_services.settings.model_copy(update=change),
        database=quiet_services.database,
        field_encryption=quiet_services.field_encryption,
        audit_log=quiet_services.audit_log,
        translate=quiet_services.translate,
    )
    with pytest.raises(RuntimeError):
        await message_delivery.inbox(elsewhere)
