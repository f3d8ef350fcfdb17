"""What a call asks of the database: equal statements, equal work."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from auth.services import CoreServices


@contextmanager
def statements(services: CoreServices) -> Iterator[list[str]]:
    """Every SQL statement that this task sends in the block, on any connection."""
    sent: list[str] = []
    mine = asyncio.current_task()

    def note(_1: object, _2: object, statement: str, *_3: object) -> None:
        if asyncio.current_task() is mine:
            sent.append(statement)

    engines = [services.database.engine.sync_engine, services.database._separate.sync_engine]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)
