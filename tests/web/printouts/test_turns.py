"""Whoever asks for many printed pages at once makes only themself wait; and who prints them."""

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from auth.subjects import Person
from base.errors import ErrorKind, ServiceError
from base.ids import new_id
from tests.fixtures import MakePerson, MakeWorker
from tests.steps import granted
from tests.web.printouts.examples import entry
from vault.access_log.entries import EntryView
from vault.services import Services
from web.printouts import access_log
from web.printouts.access_log import print_log
from web.printouts.sheet import Sheet
from web.printouts.turns import in_turn


async def test_of_one_account_one_log_is_read_and_printed_at_a_time(
    services: Services, make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each holds thousands of lines in memory, and one of the two threads for seconds."""
    reading: list[UUID] = []
    most: list[int] = []

    async def counted(_services: Services, person: Person) -> AsyncIterator[EntryView]:
        reading.append(person.id)
        most.append(len(reading))
        await asyncio.sleep(0.05)  # time for others to begin, if they may
        yield entry(1)
        reading.remove(person.id)

    monkeypatch.setattr(access_log, "export_all", counted)
    person = (await make_person()).subject
    pdfs = await asyncio.gather(*(print_log(services, person, "fr") for _ in range(6)))
    assert all(pdf.startswith(b"%PDF") for pdf in pdfs)
    assert most == [1] * 6


async def test_whoever_waits_too_long_for_their_own_pages_is_told_to_come_back() -> None:
    caller = Person(new_id())
    async with in_turn(caller):
        with pytest.raises(ServiceError) as refused:
            async with in_turn(caller, patience=0.01):
                pass
        assert (refused.value.kind, refused.value.code) == (ErrorKind.UNAVAILABLE, "unavailable")
        async with in_turn(Person(new_id()), patience=0.01):
            pass
    async with in_turn(caller, patience=0.01):
        pass


async def test_letters_are_looked_up_where_pages_are_printed(
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not where everybody else's requests are answered: the first page of a process reads fonts."""
    threads: list[str] = []
    data = Sheet.data

    def noted(sheet: Sheet, language: str) -> dict[str, Any]:
        threads.append(threading.current_thread().name)
        return data(sheet, language)

    monkeypatch.setattr(Sheet, "data", noted)
    person, worker = await make_person(), await make_worker()
    grant = await granted(client, person, worker.headers, "payslip")
    answer = await client.get(f"/v1/grants/{grant}/receipt.pdf", headers=person.headers)
    assert answer.content.startswith(b"%PDF")
    assert [name.split("_")[0] for name in threads] == ["typesetting"]
