"""PostgreSQL's pipeline mode, for what thousands ask at once: several prepared statements in one
round trip, on connections of their own.

psycopg's own `pipeline()` was measured 23 % slower here (docs/adr/0013). A transaction takes two
rounds: the first `fetch`, which also begins it, and the end of its block, which also sends what
was deferred. Statements are SQLAlchemy Core's, compiled once, and serve both kinds of
transaction: this one and SQLAlchemy's.
"""

import asyncio
from collections import namedtuple
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Self, cast
from uuid import UUID

import psycopg
from psycopg import pq
from psycopg.adapt import Transformer
from sqlalchemy import ClauseElement, Executable, text
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection

_DIALECT = asyncpg.dialect()  # type: ignore[no-untyped-call]  # for its placeholders: PostgreSQL's own
_SERIAL = count(1)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TEXT, _BINARY = pq.Format.TEXT, pq.Format.BINARY
_REFUSED = (pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.PIPELINE_ABORTED)

_PLANS = "-c timezone=UTC -c plan_cache_mode=force_generic_plan"
"""Look-ups by key have one good plan: it is made once a connection."""

Rows = Sequence[Any]
"""Named tuples, by the statement's own column names."""


class Statement:
    """A statement compiled once: `JUDGED(grant=…, document=…)` binds its values.

    Values left out are those it was written with.
    """

    def __init__(self, clause: Executable) -> None:
        self.clause = clause
        compiled = cast(ClauseElement, clause).compile(dialect=_DIALECT)
        self.name = b"unefois_%d" % next(_SERIAL)
        self.sql = str(compiled).encode()
        self._names: tuple[str, ...] = tuple(compiled.positiontup or ())  # type: ignore[attr-defined]  # of SQL compilers
        written = compiled.params
        self._written = {name: written[name] for name in self._names if written[name] is not None}
        self._row: Callable[[Sequence[Any]], Any] | None = None

    def __call__(self, **values: object) -> "Bound":
        """Bind it. Raises `KeyError` when a value is missing."""
        for name in self._names:
            if name not in values and name not in self._written:
                raise KeyError(name)
        return Bound(self, values)

    def encoded(self, values: dict[str, object]) -> list[tuple[bytes | None, pq.Format]]:
        """The values in the statement's order, as PostgreSQL reads them."""
        return [
            _encoded(values[name] if name in values else self._written[name])
            for name in self._names
        ]

    def rows(self, result: pq.abc.PGresult) -> Rows:
        """What a result holds."""
        if not result.nfields:
            return ()
        if self._row is None:
            names = [(result.fname(at) or b"").decode() for at in range(result.nfields)]
            self._row = namedtuple("Row", names)._make  # type: ignore[attr-defined]  # of every named tuple
        reading = Transformer()
        reading.set_pgresult(result)
        return reading.load_rows(0, result.ntuples, self._row)


@dataclass(frozen=True, slots=True)
class Bound:
    """A statement with its values."""

    statement: Statement
    values: dict[str, object] = field(repr=False)


_BEGIN, _COMMIT, _ROLLBACK = (Statement(text(word))() for word in ("BEGIN", "COMMIT", "ROLLBACK"))


class Pipeline:
    """The connections of a process, opened as they are needed and kept."""

    def __init__(self, address: Callable[[], str], size: int) -> None:
        self._address = address
        self._free = asyncio.Semaphore(size)
        self._idle: list[_Connection] = []

    def transaction(self) -> "PipelineTransaction":
        """`async with pipeline.transaction() as tx:` begins at the first `fetch`; it commits when
        the block ends well and something was deferred, and is rolled back otherwise."""
        return PipelineTransaction(self)

    async def close(self) -> None:
        """Close what is idle; nothing may be under way."""
        while self._idle:
            await self._idle.pop().close()

    async def take(self) -> "_Connection":
        """A connection that nobody else uses."""
        await self._free.acquire()
        try:
            while self._idle:
                connection = self._idle.pop()
                if connection.sound:
                    return connection
                await connection.close()
            return await _Connection.open(self._address())
        except BaseException:
            self._free.release()
            raise

    async def give_back(self, connection: "_Connection") -> None:
        """Keep it for the next one; one that was cut in the middle of a round is closed."""
        self._free.release()
        if connection.sound:
            self._idle.append(connection)
        else:
            await connection.close()


class PipelineTransaction:
    """One transaction. A crash before its block has ended leaves all of it or nothing."""

    __slots__ = ("_begun", "_connection", "_deferred", "_pipeline")

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._begun = False
        self._deferred: list[Bound] = []
        self._connection: _Connection

    async def __aenter__(self) -> Self:
        self._connection = await self._pipeline.take()
        return self

    async def __aexit__(self, failed: type[BaseException] | None, *_: object) -> None:
        """Commit what was deferred, or roll back. Raises `psycopg.Error`: then nothing is done,
        unless the connection was lost and the commit alone was carried out."""
        try:
            if failed is None and self._deferred:
                begin = () if self._begun else (_BEGIN,)
                self._begun = True
                await self._connection.round((*begin, *self._deferred, _COMMIT))
                self._begun = False
        finally:
            await self._end()

    async def _end(self) -> None:
        """Roll back what was begun and not committed; give the connection back."""
        try:
            if self._begun and self._connection.sound:
                await self._connection.round((_ROLLBACK,))
        finally:
            await self._pipeline.give_back(self._connection)

    async def fetch(self, *questions: Bound) -> list[Rows]:
        """The rows of each, in order, in one round trip. Raises `psycopg.Error`."""
        if self._begun:
            return await self._connection.round(questions)
        self._begun = True
        return (await self._connection.round((_BEGIN, *questions)))[1:]

    def defer(self, *writes: Bound) -> None:
        """Have these written at the end of the block, in the round that commits. Nothing that
        rests on them may be revealed before the block has ended."""
        self._deferred += writes


Transaction = AsyncConnection | PipelineTransaction
"""The two kinds of transaction. A statement serves both."""


async def fetch(tx: Transaction, question: Bound) -> Rows:
    """The rows of a statement, in either kind of transaction."""
    if isinstance(tx, PipelineTransaction):
        return (await tx.fetch(question))[0]
    return (await tx.execute(question.statement.clause, question.values)).all()


async def write(tx: Transaction, act: Bound) -> None:
    """Carry out a statement that gives no rows: now, or in the round that commits."""
    if isinstance(tx, PipelineTransaction):
        tx.defer(act)
    else:
        await tx.execute(act.statement.clause, act.values)


class _Connection:
    """One connection, in libpq's pipeline mode for all its life."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._connection = connection  # kept: it owns the libpq connection
        self._pq = connection.pgconn
        self._prepared: set[bytes] = set()
        self._got: list[pq.abc.PGresult] = []
        self._answer: asyncio.Future[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._socket = self._pq.socket
        self.sound = True
        self._pq.nonblocking = 1
        self._pq.enter_pipeline_mode()
        self._loop.add_reader(self._socket, self._read)

    @classmethod
    async def open(cls, address: str) -> Self:
        """Connect. Raises `psycopg.OperationalError`."""
        return cls(await psycopg.AsyncConnection.connect(address, autocommit=True, options=_PLANS))

    async def close(self) -> None:
        self._leave()
        await self._connection.close()

    async def round(self, asked: Sequence[Bound]) -> list[Rows]:
        """Send all, wait for all. Cancelled in the middle, the connection is of no more use."""
        self.sound = False
        self._got = []
        self._answer = self._loop.create_future()
        sent = self._send(asked)
        await self._answer
        # Whatever the statements said, the server has answered all of them and waits for more.
        self.sound = True
        found: list[Rows] = []
        refused: pq.abc.PGresult | None = None
        for one, result in zip(sent, self._got, strict=True):
            if result.status in _REFUSED:
                refused = refused or result
            elif isinstance(one, Bound):
                found.append(one.statement.rows(result))
            else:
                self._prepared.add(one)
        if refused is not None:
            raise _error(refused)
        return found

    def _send(self, asked: Sequence[Bound]) -> list[Bound | bytes]:
        """What each result to come is of. A statement that this connection never heard is prepared
        first, in the same round."""
        sent: list[Bound | bytes] = []
        for one in asked:
            name = one.statement.name
            if name not in self._prepared and name not in sent:
                self._pq.send_prepare(name, one.statement.sql)
                sent.append(name)
            encoded = one.statement.encoded(one.values)
            values, formats = [value for value, _ in encoded], [form for _, form in encoded]
            self._pq.send_query_prepared(name, values, formats, _BINARY)
            sent.append(one)
        self._pq.pipeline_sync()
        self._flush()
        return sent

    def _flush(self) -> None:
        if self._pq.flush():
            self._loop.add_writer(self._socket, self._flush_more)

    def _flush_more(self) -> None:
        self._loop.remove_writer(self._socket)
        try:
            self._flush()
        except psycopg.Error as error:
            self._lost(error)

    def _read(self) -> None:
        try:
            self._pq.consume_input()
            if self._answer is None or self._answer.done():
                return
            nothing = 0
            while nothing < 2 and not self._pq.is_busy():
                result = self._pq.get_result()
                if result is None:  # between two statements; twice: that is all for now
                    nothing += 1
                    continue
                nothing = 0
                if result.status == pq.ExecStatus.PIPELINE_SYNC:
                    self._answer.set_result(None)
                    return
                self._got.append(result)
        except psycopg.Error as error:
            self._lost(error)

    def _lost(self, error: psycopg.Error) -> None:
        """The server went away, perhaps while nobody was asking anything."""
        self.sound = False
        self._leave()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    def _leave(self) -> None:
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)


def _encoded(value: object) -> tuple[bytes | None, pq.Format]:
    """A value as PostgreSQL reads it: in binary where that is exact and shorter."""
    if value is None:
        return None, _BINARY
    if isinstance(value, UUID):
        return value.bytes, _BINARY
    if isinstance(value, bytes):
        return value, _BINARY
    if isinstance(value, datetime):
        since = (value - _EPOCH) // _MICROSECOND
        return since.to_bytes(8, "big", signed=True), _BINARY
    if isinstance(value, timedelta):
        return b"%d microseconds" % (value // _MICROSECOND), _TEXT
    if isinstance(value, list):  # of ids: nothing in them needs quoting
        return b"{%s}" % ",".join(str(UUID(int=one.int)) for one in value).encode(), _TEXT
    if isinstance(value, str | int):  # a bool too: True, False
        return str(value).encode(), _TEXT
    raise TypeError(f"no way to send a {type(value).__name__}")


def _error(result: pq.abc.PGresult) -> psycopg.Error:
    """The error by its code alone: the server's words may quote a value."""
    code = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
    try:
        return psycopg.errors.lookup(code)(code)
    except KeyError:
        return psycopg.DatabaseError(code or "the server refused")
