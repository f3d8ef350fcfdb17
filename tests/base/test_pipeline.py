"""Statements in one round trip: their results, what a refusal or a cancellation leaves, and that a
lost connection is not reused."""

import asyncio
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import ARRAY, DateTime, LargeBinary, Text, Uuid, bindparam, select, text

from base import pipeline as pipelines
from base.database import Database
from base.pipeline import Pipeline
from base.settings import Settings
from base.statements import RowNotWritten, Statement

ID = UUID("01890000-0000-7000-8000-000000000001")
AT = datetime(2031, 5, 17, 8, 30, 15, 123456, tzinfo=UTC)
TAGS = [b"", b'\\",{}\x00', bytes(range(256))]

ECHO = Statement(
    select(
        bindparam("id", type_=Uuid()).label("id"),
        bindparam("at", type_=DateTime(timezone=True)).label("at"),
        bindparam("words", type_=Text()).label("words"),
        bindparam("ids", type_=ARRAY(Uuid())).label("ids"),
        bindparam("tags", type_=ARRAY(LargeBinary())).label("tags"),
    )
)
MUST_ADD = Statement(
    text("INSERT INTO kept SELECT :word WHERE :word <> 'dropped'").bindparams(
        bindparam("word", type_=Text())
    ),
    must_write=True,
)
BAD = Statement(text("SELECT 1 / 0"))
PID = Statement(text("SELECT pg_backend_pid() AS pid"))
SLEEP = Statement(text("SELECT pg_sleep(60)"))
TABLE = Statement(text("CREATE TEMPORARY TABLE kept (word text)"))
ADD = Statement(text("INSERT INTO kept VALUES (:word)").bindparams(bindparam("word", type_=Text())))
FOREVER = Statement(text("SELECT 'infinity'::timestamptz AS at"))
A_MOMENT = Statement(text("SELECT pg_sleep(0.02)"))
PLAIN = Statement(text("SELECT 1 AS one"))
COUNT = Statement(text("SELECT count(*) AS lines FROM kept"))


@pytest.fixture
async def pipeline(base_settings: Settings) -> AsyncIterator[Pipeline]:
    """One connection of the owner, who may make a table that only this connection sees."""
    assert base_settings.migrations_database_url is not None
    database = Database(base_settings.migrations_database_url)
    one = Pipeline(database.conninfo, 1)
    yield one
    await one.close()
    await database.close()


async def test_values_come_back_as_they_went(pipeline: Pipeline) -> None:
    """Several statements, one round trip, rows by name; times keep their microseconds."""
    async with pipeline.transaction() as tx:
        first, second = await tx.fetch(
            ECHO(id=ID, at=AT, words="pièce « d'identité »", ids=[ID], tags=TAGS),
            ECHO(id=None, at=None, words=None, ids=None, tags=None),
        )
    assert first[0]._asdict() == {
        "id": ID, "at": AT, "words": "pièce « d'identité »", "ids": [ID], "tags": TAGS,
    }  # fmt: skip
    assert tuple(second[0]) == (None, None, None, None, None)


async def test_lists_without_items_come_back_empty(pipeline: Pipeline) -> None:
    async with pipeline.transaction() as tx:
        (rows,) = await tx.fetch(ECHO(id=ID, at=AT, words="", ids=[], tags=[]))
    assert (rows[0].words, rows[0].ids, rows[0].tags) == ("", [], [])


async def test_only_what_was_committed_stays(pipeline: Pipeline) -> None:
    """A block that ends or fails without deferring anything leaves nothing."""
    async with pipeline.transaction() as tx:
        tx.defer(TABLE())
    async with pipeline.transaction() as tx:
        await tx.fetch(ADD(word="left"))
    with pytest.raises(LookupError):
        async with pipeline.transaction() as tx:
            await tx.fetch(ADD(word="failed"))
            raise LookupError
    assert await _lines(pipeline) == 0
    async with pipeline.transaction() as tx:
        await tx.fetch(COUNT())
        tx.defer(ADD(word="kept"))
    assert await _lines(pipeline) == 1


async def test_what_was_deferred_is_not_written_when_the_block_fails(pipeline: Pipeline) -> None:
    """An exception, a cancellation, a statement that fails beside it: nothing is committed."""
    async with pipeline.transaction() as tx:
        tx.defer(TABLE())
    with pytest.raises(LookupError):
        async with pipeline.transaction() as tx:
            tx.defer(ADD(word="failed"))
            raise LookupError
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1), pipeline.transaction() as tx:
            tx.defer(ADD(word="late"))
            await asyncio.sleep(60)
    with pytest.raises(psycopg.errors.DivisionByZero):
        async with pipeline.transaction() as tx:
            tx.defer(ADD(word="before"), BAD(), ADD(word="after"))
    assert await _lines(pipeline) == 0
    async with pipeline.transaction() as tx:
        tx.defer(ADD(word="kept"))
    assert await _lines(pipeline) == 1


async def test_what_is_flushed_is_committed_whole_or_not_at_all(pipeline: Pipeline) -> None:
    async with pipeline.transaction() as tx:
        tx.defer(TABLE())
    async with pipeline.transaction() as tx:
        tx.defer(ADD(word="first"), MUST_ADD(word="second"))
        await tx.flush()
    assert await _lines(pipeline) == 2
    with pytest.raises(RowNotWritten):
        async with pipeline.transaction() as tx:
            tx.defer(ADD(word="third"), MUST_ADD(word="dropped"))
            await tx.flush()
    with pytest.raises(LookupError):
        async with pipeline.transaction() as tx:
            tx.defer(ADD(word="fourth"))
            await tx.flush()
            raise LookupError
    assert await _lines(pipeline) == 2


@pytest.mark.parametrize("values", [{}, {"word": "a", "wrod": "b"}, {"wrod": "b"}])
def test_values_are_those_of_the_statement(values: dict[str, str]) -> None:
    with pytest.raises(KeyError):
        ADD(**values)


async def test_a_refused_statement_undoes_its_round_and_quotes_nothing(pipeline: Pipeline) -> None:
    """The other statements are undone, the connection stays in use, the error holds only a code."""
    async with pipeline.transaction() as tx:
        tx.defer(TABLE())
    with pytest.raises(psycopg.errors.DivisionByZero) as caught:
        async with pipeline.transaction() as tx:
            tx.defer(ADD(word="secret"), BAD())
    assert str(caught.value) == "22012"
    assert await _lines(pipeline) == 0
    with pytest.raises(psycopg.errors.DivisionByZero):
        async with pipeline.transaction() as tx:
            await tx.fetch(BAD())


async def test_a_value_that_is_not_read_costs_no_connection(pipeline: Pipeline) -> None:
    """A time that Python does not have, written by hand: what came after it is prepared and used
    again on the same connection."""
    before = await _pid(pipeline)
    for _ in range(2):
        with pytest.raises(psycopg.DataError):
            async with pipeline.transaction() as tx:
                await tx.fetch(FOREVER(), PLAIN())
    async with pipeline.transaction() as tx:
        ((row,),) = await tx.fetch(PLAIN())
    assert row.one == 1
    assert await _pid(pipeline) == before


async def test_a_cut_round_costs_its_connection_and_no_other(pipeline: Pipeline) -> None:
    """A connection cancelled in the middle of a round trip is not given to another caller."""
    before = await _pid(pipeline)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1), pipeline.transaction() as tx:
            await tx.fetch(SLEEP())
    assert await _pid(pipeline) != before


async def test_a_connection_that_the_server_closed_is_not_lent_again(
    pipeline: Pipeline, base_settings: Settings
) -> None:
    """A connection closed while idle, as by a restart of PostgreSQL."""
    pid = await _pid(pipeline)
    assert base_settings.migrations_database_url is not None
    address = base_settings.migrations_database_url.get_secret_value().replace("+psycopg", "")
    async with await psycopg.AsyncConnection.connect(address, autocommit=True) as other:
        await other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    async with asyncio.timeout(10):
        while pipeline._idle[0].usable:  # noqa: ASYNC110  (bounded)
            await asyncio.sleep(0)
    assert await _pid(pipeline) != pid


async def test_a_connection_lost_right_after_its_answer_is_not_lent_again(
    pipeline: Pipeline,
) -> None:
    """Nobody would read what comes on it: the next caller would wait for eight seconds."""
    before = await _pid(pipeline)
    connection = pipeline._idle[0]
    loop = asyncio.get_running_loop()

    def read() -> None:
        connection._read()
        assert connection._synced is not None
        if connection._synced.done():
            connection._lost(psycopg.OperationalError("timeout"))

    loop.add_reader(connection._socket, read)
    assert await _pid(pipeline) == before
    async with asyncio.timeout(5):
        assert await _pid(pipeline) != before


async def test_a_lost_connection_leaves_its_sockets_number_to_others(
    pipeline: Pipeline, base_settings: Settings
) -> None:
    """libpq gave the number back: its next user is heard, and the next statement runs."""
    pid = await _pid(pipeline)
    number = pipeline._idle[0]._socket
    assert base_settings.migrations_database_url is not None
    address = base_settings.migrations_database_url.get_secret_value().replace("+psycopg", "")
    async with await psycopg.AsyncConnection.connect(address, autocommit=True) as other:
        await other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    async with asyncio.timeout(10):
        while pipeline._idle[0].usable:  # noqa: ASYNC110  (bounded)
            await asyncio.sleep(0)
    pairs = [socket.socketpair() for _ in range(8)]
    ends = {
        one.fileno(): other
        for left, right in pairs
        for one, other in [(left, right), (right, left)]
    }
    assert number in ends, "the number was not free"
    heard = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(number, heard.set)
    try:
        assert await _pid(pipeline) != pid
        ends[number].send(b"x")
        async with asyncio.timeout(5):
            await heard.wait()
    finally:
        loop.remove_reader(number)
        for one in (end for pair in pairs for end in pair):
            one.close()


async def _pid(pipeline: Pipeline) -> int:
    async with pipeline.transaction() as tx:
        ((row,),) = await tx.fetch(PID())
    pid: int = row.pid
    return pid


async def _lines(pipeline: Pipeline) -> int:
    async with pipeline.transaction() as tx:
        ((row,),) = await tx.fetch(COUNT())
    lines: int = row.lines
    return lines


async def _hold(pipeline: Pipeline, answers: int) -> None:
    """Keep the only connection while the database answers so many times."""
    async with pipeline.transaction() as tx:
        for _ in range(answers):
            await tx.fetch(A_MOMENT())


async def _wait(pipeline: Pipeline) -> None:
    """Ask for the connection that another one has."""
    await asyncio.sleep(0)
    async with pipeline.transaction() as tx:
        await tx.fetch(PLAIN())


async def test_who_waits_while_others_are_answered_waits_on(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A queue is no outage."""
    monkeypatch.setattr(pipelines, "POOL_SECONDS", 0.2)
    await asyncio.gather(_hold(pipeline, 40), _wait(pipeline))


@pytest.mark.parametrize(("pool", "busy", "answers"), [(0.2, 0.4, 200), (0.1, 10.0, 0)])
async def test_no_wait_is_longer_than_its_limit(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, pool: float, busy: float, answers: int
) -> None:
    """Where others are answered for too long, and where nobody is."""
    monkeypatch.setattr(pipelines, "POOL_SECONDS", pool)
    monkeypatch.setattr(pipelines, "BUSY_SECONDS", busy)
    holding = asyncio.create_task(_hold(pipeline, answers) if answers else _sleep_in(pipeline))
    with pytest.raises(psycopg.OperationalError, match="no connection is free"):
        await _wait(pipeline)
    assert not holding.done()
    holding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await holding


async def _sleep_in(pipeline: Pipeline) -> None:
    async with pipeline.transaction() as tx:
        await tx.fetch(SLEEP())
