"""A person's log as a table and as a text to print, over HTTP."""

import asyncio
import csv
import io
from datetime import datetime, timedelta
from typing import Any

import httpx
import pypdfium2
import pytest

from tests.fixtures import MakePerson, MakeWorker, SomePerson, SomeWorker
from tests.vault.consent.steps import asking
from vault.access_log import entries
from vault.access_log.entries import EntryView
from vault.consent.requests import ask
from vault.cursors import Page
from vault.services import Services
from web.http.csv_rows import _cell

FILES = ["/v1/access-log.csv", "/v1/access-log.pdf"]
STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
HOSTILE = '=HYPERLINK("http://x.example";"Cliquez")'


@pytest.fixture
async def requested(
    services: Services, make_person: MakePerson, make_worker: MakeWorker
) -> tuple[SomePerson, SomeWorker]:
    """A person with a request from a worker whose name is a formula."""
    person = await make_person()
    worker = await make_worker(name=HOSTILE, phone="+33 3 20 00 00 01")
    purpose = '@SUM(A1)\n"devis", suite' + "".join(f"{one}=1+1" for one in ",;\t|: _/")
    request = asking("rent_receipt", purpose=purpose)
    await ask(services, worker.subject, person.phone, request)
    return person, worker


async def rows(
    client: httpx.AsyncClient, person: SomePerson, language: str = "fr"
) -> list[list[str]]:
    headers = person.headers | {"Accept-Language": language}
    answer = await client.get("/v1/access-log.csv", headers=headers)
    assert answer.status_code == 200
    text = answer.content.decode("utf-8-sig")
    separator = ";" if language == "fr" else ","
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))


def words_of(raw: bytes) -> str:
    document = pypdfium2.PdfDocument(raw)
    text_of_pages = ""
    for page in document:
        text = page.get_textpage()
        text_of_pages += text.get_text_range() + "\n"
        text.close()
        page.close()
    document.close()
    return " ".join(text_of_pages.split())


async def test_the_table_has_every_line_of_the_log(
    client: httpx.AsyncClient, requested: tuple[SomePerson, SomeWorker]
) -> None:
    person, worker = requested
    listed = (await client.get("/v1/access-log?limit=100", headers=person.headers)).json()["items"]

    heads, *lines = await rows(client, person)

    assert heads[0] == "Quand"
    assert [line[-1] for line in lines] == [entry["id"] for entry in listed]
    told = [datetime.fromisoformat(line[0]) for line in lines]
    assert told == [datetime.fromisoformat(entry["at"]) for entry in listed]
    assert {at.utcoffset() for at in told} <= {timedelta(hours=1), timedelta(hours=2)}, "France"
    assert all(len(line) == len(heads) for line in lines)
    (asking_line,) = [line for line in lines if line[7] == "consent.request"]
    assert worker.subject.organisation in asking_line


async def test_no_cell_is_a_formula(
    client: httpx.AsyncClient, requested: tuple[SomePerson, SomeWorker]
) -> None:
    person, _ = requested
    cells = [cell for line in await rows(client, person) for cell in line]
    assert f"'{HOSTILE}" in cells
    assert not any(cell.startswith(STARTS) for cell in cells)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", ":", " ", "_", "/"])
async def test_nor_in_a_spreadsheet_that_takes_another_separator(
    client: httpx.AsyncClient, requested: tuple[SomePerson, SomeWorker], separator: str
) -> None:
    person, _ = requested
    answer = await client.get("/v1/access-log.csv", headers=person.headers)
    text = answer.content.decode("utf-8-sig")
    assert all(line.startswith('"') and line.endswith('"') for line in text.splitlines())
    assert len(text.splitlines()) == len(text.split("\r\n")) - 1
    for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE):
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, quoting=quoting)
        cells = [cell.strip() for line in lines for cell in line]
        assert [cell for cell in cells if cell.startswith(STARTS)] == []


def test_nor_a_wide_sign_nor_a_line_of_its_own() -> None:
    assert _cell("＝1 ＋1\r\n－1\u2028＠a") == "'＝1 '＋1 '－1 '＠a"
    assert _cell("porte-clé, 2026-05-03T08:00:00+02:00, a@b.example") == (
        "porte-clé, 2026-05-03T08:00:00+02:00, a@b.example"
    )


async def test_a_table_in_english_has_commas(
    client: httpx.AsyncClient, requested: tuple[SomePerson, SomeWorker]
) -> None:
    lines = await rows(client, requested[0], "en")
    assert {len(line) for line in lines} == {13}


async def test_the_text_to_print_has_every_line(
    client: httpx.AsyncClient, requested: tuple[SomePerson, SomeWorker]
) -> None:
    person, _ = requested
    listed = (await client.get("/v1/access-log?limit=100", headers=person.headers)).json()["items"]
    answer = await client.get("/v1/access-log.pdf", headers=person.headers)
    assert answer.headers["content-type"] == "application/pdf"
    words = words_of(answer.content)
    for entry in listed:
        assert entry["id"] in words
        assert " ".join(entry["sentence"].split()) in words


async def test_a_long_log_is_whole(client: httpx.AsyncClient, make_person: MakePerson) -> None:
    """More entries than one page of the log, or of the printed text, holds."""
    person = await make_person()
    for _ in range(130):
        await client.get("/v1/documents", headers=person.headers)
    lines = (await rows(client, person))[1:]
    assert len({line[-1] for line in lines}) == len(lines) >= 130
    answer = await client.get("/v1/access-log.pdf", headers=person.headers)
    words = words_of(answer.content)
    assert all(line[-1] in words for line in lines)


@pytest.mark.parametrize("path", FILES)
async def test_it_is_for_its_owner_alone(
    client: httpx.AsyncClient, requested: tuple[SomePerson, SomeWorker], path: str
) -> None:
    person, worker = requested
    assert (await client.get(path)).status_code == 401
    assert (await client.get(path, headers=worker.headers)).status_code == 403
    answer = await client.get(path, headers=person.headers)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-disposition"].startswith("attachment; ")


@pytest.mark.parametrize("path", FILES)
async def test_another_person_s_log_says_nothing_of_mine(
    client: httpx.AsyncClient,
    requested: tuple[SomePerson, SomeWorker],
    make_person: MakePerson,
    path: str,
) -> None:
    other = await make_person()
    raw = (await client.get(path, headers=other.headers)).content
    text = words_of(raw) if path.endswith("pdf") else raw.decode()
    assert "HYPERLINK" not in text


async def test_of_tables_asked_for_at_once_one_page_is_read_at_a_time(
    client: httpx.AsyncClient, make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is long: together they would read for nobody else."""
    person, reading, most = await make_person(), 0, 0
    whole = entries.list_for_person

    async def counted(*args: Any, **more: Any) -> Page[EntryView]:
        nonlocal reading, most
        reading += 1
        most = max(most, reading)
        page = await whole(*args, **more)
        reading -= 1
        return page

    monkeypatch.setattr(entries, "list_for_person", counted)
    found = await asyncio.gather(*(rows(client, person) for _ in range(4)))
    assert len(found) == 4
    assert most == 1
