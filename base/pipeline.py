"""PostgreSQL's pipeline mode, for the busiest queries: several prepared statements in one round
trip, on separate connections.

psycopg's own `pipeline()` was measured 23 % slower here (docs/adr/0013). A transaction takes two
round trips: the first `fetch`, which also begins it, and the end of its block, which also sends
what was deferred. Statements are SQLAlchemy Core's, compiled once, and run in both kinds of
transaction: this one and SQLAlchemy's.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Self

import psycopg
from psycopg import abc, pq
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from base.caller_turns import CallerTurns, Turn
from base.connections import BUSY_SECONDS, POOL_SECONDS, STATEMENT_SECONDS, BoundedConnection
from base.outages import outage_code
from base.part_state import PartState
from base.statements import Bound, RowNotWritten, Rows, Statement

_FAILED = (pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.PIPELINE_ABORTED)

_OPTIONS = "-c timezone=UTC -c plan_cache_mode=force_generic_plan"
"""Look-ups by key have one good plan, which is made once per connection."""

_BEGIN, _COMMIT, _ROLLBACK = (Statement(text(word))() for word in ("BEGIN", "COMMIT", "ROLLBACK"))


class Pipeline:
    """A pool of pipeline connections, opened when needed and kept."""

    def __init__(
        self, address: Callable[[], str], size: int, state: PartState | None = None
    ) -> None:
        self._address = address
        self._slots = asyncio.Semaphore(size)
        self.turns = CallerTurns(size)
        self._idle: list[_Connection] = []
        self._answered_at = 0.0
        self._state = state or PartState("database")

    def transaction(self) -> "PipelineTransaction":
        """`async with pipeline.transaction() as tx:` begins at the first `fetch`; it commits when
        the block ends well and something was deferred or flushed, and is rolled back otherwise.
        Entering it raises as `CallerTurns.take`: each may wait for a lock."""
        return PipelineTransaction(self)

    async def commit(self, command: Bound) -> Rows:
        """The rows of one statement that is a transaction of its own, in one round trip. Raises
        `psycopg.Error`: then nothing is written, unless the connection was lost after the server
        had committed."""
        connection = await self.acquire()
        try:
            # Without BEGIN, the server commits at the end of what one round trip sends.
            rows = (await connection.run((command,)))[0]
        except BaseException as error:
            self.note(error)
            raise
        finally:
            await self.release(connection)
        self.note(None)
        return rows

    async def close(self) -> None:
        """Close the idle connections; no transaction may be under way."""
        while self._idle:
            await self._idle.pop().close()

    async def acquire(self) -> "_Connection":
        """A connection for the caller alone. Raises `psycopg.OperationalError`."""
        await self._take_slot()
        try:
            while self._idle:
                connection = self._idle.pop()
                if connection.usable:
                    return connection
                await connection.close()
            return await _Connection.open(self._address())
        except BaseException as error:
            self._slots.release()
            self.note(error)
            raise

    async def _take_slot(self) -> None:
        """Wait in turn: `POOL_SECONDS` where no statement is answered, else `BUSY_SECONDS`."""
        if not self._slots.locked():
            await self._slots.acquire()
            return
        loop = asyncio.get_running_loop()
        began = loop.time()
        timer: asyncio.TimerHandle | None = None

        def look() -> None:
            nonlocal timer
            end = min(max(began, self._answered_at) + POOL_SECONDS, began + BUSY_SECONDS)
            if end <= loop.time():
                limit.reschedule(end)
            else:
                timer = loop.call_at(end, look)

        try:
            async with asyncio.timeout(None) as limit:
                look()
                await self._slots.acquire()
        except TimeoutError:
            error = psycopg.OperationalError("timeout: no connection is free")
            self.note(error)
            raise error from None
        finally:
            if timer is not None:
                timer.cancel()

    async def release(self, connection: "_Connection") -> None:
        """Keep it for the next transaction, or close it if a round trip was cut. If it was lost, so
        are the others perhaps, and none of them is tried again."""
        self._slots.release()
        if connection.usable:
            self._idle.append(connection)
            return
        await connection.close()
        if connection.lost:
            await self.close()

    def note(self, error: BaseException | None) -> None:
        """What the end of a transaction says of the database."""
        if error is None:
            self._answered_at = asyncio.get_running_loop().time()
            self._state.answered()
        elif (code := outage_code(error)) is not None:
            self._state.failed(code)


class PipelineTransaction:
    """One transaction. A crash before its block has ended leaves all of it or nothing."""

    __slots__ = ("_begun", "_connection", "_deferred", "_pipeline", "_turn", "_written")

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._begun = self._written = False
        self._deferred: list[Bound] = []
        self._connection: _Connection
        self._turn: Turn | None = None

    async def __aenter__(self) -> Self:
        self._turn = await self._pipeline.turns.take()
        try:
            self._connection = await self._pipeline.acquire()
        except BaseException:
            self._give_turn_back()
            raise
        return self

    async def __aexit__(self, error: type[BaseException] | None, *_: object) -> None:
        """Commit what was deferred, or roll back. Raises `psycopg.Error`: then nothing is written,
        unless the connection was lost after the server had committed. Raises `RowNotWritten` after
        the commit of what else was deferred: nothing may be revealed."""
        try:
            if error is None and (self._deferred or self._written):
                begin = () if self._begun else (_BEGIN,)
                self._begun = True
                await self._run((*begin, *self._deferred, _COMMIT))
                self._begun = False
        finally:
            await self._end()

    async def _end(self) -> None:
        """Roll back what was begun and not committed; release the connection."""
        try:
            if self._begun and self._connection.usable:
                await self._run((_ROLLBACK,))
        finally:
            self._give_turn_back()
            await self._pipeline.release(self._connection)

    def _give_turn_back(self) -> None:
        if self._turn is not None:
            self._turn.give_back()

    async def fetch(self, *queries: Bound) -> list[Rows]:
        """The rows of each, in order, in one round trip. Raises `psycopg.Error`."""
        if self._begun:
            return await self._run(queries)
        self._begun = True
        return (await self._run((_BEGIN, *queries)))[1:]

    async def _run(self, statements: Sequence[Bound]) -> list[Rows]:
        try:
            rows = await self._connection.run(statements)
        except psycopg.Error as error:
            self._pipeline.note(error)
            raise
        self._pipeline.note(None)
        return rows

    async def flush(self) -> None:
        """Write what was deferred, before the round trip that commits: for rows of which none may
        be committed without the others. Raises `psycopg.Error`, and `RowNotWritten`: with either,
        the block ends without a commit."""
        deferred, self._deferred = self._deferred, []
        await self.fetch(*deferred)
        self._written = True

    def defer(self, *writes: Bound) -> None:
        """Write these at the end of the block, in the round trip that commits. Nothing that
        depends on them may be revealed before the block has ended."""
        self._deferred += writes


Transaction = AsyncConnection | PipelineTransaction
"""The two kinds of transaction. A statement runs in both."""


async def fetch(tx: Transaction, query: Bound) -> Rows:
    """The rows of a statement, in either kind of transaction."""
    if isinstance(tx, PipelineTransaction):
        return (await tx.fetch(query))[0]
    return (await tx.execute(query.statement.clause, query.values)).all()


async def fetch_one(tx: Transaction, query: Bound) -> Any | None:
    """The first row of a statement, or None."""
    return next(iter(await fetch(tx, query)), None)


async def write(tx: Transaction, command: Bound) -> None:
    """Run a statement that returns no rows: now, or in the round trip that commits.

    Raises `RowNotWritten`, here or at the end of the block: see `Statement`.
    """
    if isinstance(tx, PipelineTransaction):
        tx.defer(command)
        return
    written = await tx.execute(command.statement.clause, command.values)
    if command.statement.must_write and written.rowcount != 1:
        raise RowNotWritten


class _Connection:
    """One connection, always in libpq's pipeline mode."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._connection = connection  # kept: it owns the libpq connection
        self._pq = connection.pgconn
        self._prepared: set[bytes] = set()
        self._transformers: dict[bytes, abc.Transformer] = {}
        self._results: list[pq.abc.PGresult] = []
        self._synced: asyncio.Future[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._socket = self._pq.socket
        self._registered = True
        self.usable = True
        self.lost = False
        self._pq.nonblocking = 1
        self._pq.enter_pipeline_mode()
        self._loop.add_reader(self._socket, self._read)

    @classmethod
    async def open(cls, address: str) -> Self:
        """Connect. Raises `psycopg.OperationalError`."""
        return cls(await BoundedConnection.connect(address, autocommit=True, options=_OPTIONS))

    async def close(self) -> None:
        try:
            self._unregister()
        finally:
            await self._connection.close()

    async def run(self, statements: Sequence[Bound]) -> list[Rows]:
        """Send all, wait for all results. If cancelled meanwhile, the connection is not reused; nor
        if the server does not answer in `STATEMENT_SECONDS`: every statement here is short."""
        self.usable = False
        self._results = []
        self._synced = self._loop.create_future()
        limit = self._loop.call_later(STATEMENT_SECONDS, self._lost, _unanswered())
        try:
            sent = self._send(statements)
            await self._synced
        except psycopg.Error:
            self.lost = True
            raise
        finally:
            limit.cancel()
        # Even if a statement failed, the server has answered all and is ready for more; unless the
        # connection was lost between its answer and here.
        self.usable = self._registered
        return self._rows(self._answers(sent))

    def _answers(self, sent: Sequence[Bound | bytes]) -> list[tuple[Bound, pq.abc.PGresult]]:
        """Each statement with its result. What was prepared is noted first, whatever failed: the
        server keeps it. Raises `psycopg.Error`."""
        answers: list[tuple[Bound, pq.abc.PGresult]] = []
        failed: pq.abc.PGresult | None = None
        for item, result in zip(sent, self._results, strict=True):
            if result.status in _FAILED:
                failed = failed or result
            elif isinstance(item, Bound):
                answers.append((item, result))
            else:
                self._prepared.add(item)
        if failed is not None:
            raise _error(failed)
        return answers

    def _rows(self, answers: Sequence[tuple[Bound, pq.abc.PGresult]]) -> list[Rows]:
        """The rows of each. Raises `RowNotWritten`, and `psycopg.DataError` for a value that Python
        has no type for; the connection stays usable."""
        if any(
            item.statement.must_write and result.command_tuples != 1 for item, result in answers
        ):
            raise RowNotWritten
        return [item.statement.rows(result, self._transformers) for item, result in answers]

    def _send(self, statements: Sequence[Bound]) -> list[Bound | bytes]:
        """Send all; returns what each expected result belongs to: a statement, or the name of one
        that this connection had to prepare first, in the same round trip."""
        sent: list[Bound | bytes] = []
        for bound in statements:
            name = bound.statement.name
            if name not in self._prepared and name not in sent:
                self._pq.send_prepare(name, bound.statement.sql)
                sent.append(name)
            encoded = bound.statement.encoded(bound.values)
            values, formats = [value for value, _ in encoded], [form for _, form in encoded]
            self._pq.send_query_prepared(name, values, formats, pq.Format.BINARY)
            sent.append(bound)
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
            if self._synced is None or self._synced.done():
                return
            empty = 0
            while empty < 2 and not self._pq.is_busy():
                result = self._pq.get_result()
                if result is None:  # between two statements; twice: no more for now
                    empty += 1
                    continue
                empty = 0
                if result.status == pq.ExecStatus.PIPELINE_SYNC:
                    self._synced.set_result(None)
                    return
                self._results.append(result)
        except psycopg.Error as error:
            self._lost(error)

    def _lost(self, error: psycopg.Error) -> None:
        """The connection is lost, perhaps while it was idle."""
        self.usable = False
        self._unregister()
        if self._synced is not None and not self._synced.done():
            self._synced.set_exception(error)

    def _unregister(self) -> None:
        """Once only: libpq closes the socket of a lost connection, and the next one opened by this
        process, of a caller perhaps, gets its number."""
        if not self._registered:
            return
        self._registered = False
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)


def _unanswered() -> psycopg.Error:
    return psycopg.OperationalError("timeout: no answer to a statement")


def _error(result: pq.abc.PGresult) -> psycopg.Error:
    """The error with its code only: the server's message may quote a value."""
    code = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
    try:
        return psycopg.errors.lookup(code)(code)
    except KeyError:
        return psycopg.DatabaseError(code or "the server refused")
