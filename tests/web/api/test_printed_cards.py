"""A card printed in the answer that makes it: over HTTP, by whom, and what it leaves nowhere."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import httpx
import pypdfium2
import pytest
import structlog
import zxingcpp
from sqlalchemy import text
from structlog.testing import capture_logs

from tests.auth.means_steps import (
    add_card,
    enter,
    means,
    pin_of,
    proved,
    usable_pins,
)
from tests.auth.steps import log_of
from tests.fixtures import MakePerson, SomePerson
from tests.web.printouts.reading import opened, text_of
from vault.services import Services
from web.http.pdf_response import prefers_pdf
from web.printouts import card_sheet, typesetter
from web.printouts.typesetter import NotTypeset

PDF = {"Accept": "application/pdf"}


@pytest.fixture
async def person(make_person: MakePerson) -> SomePerson:
    return await make_person()


async def printed(
    http: httpx.AsyncClient, person: SomePerson, pin: str, language: str = "fr", **more: Any
) -> httpx.Response:
    headers = person.headers | PDF | {"Accept-Language": language}
    body = {"pin": pin, "again": pin, **more}
    return await proved(http, person, "POST", "/v1/me/cards", body, headers)


def code_on(pdf: bytes) -> str:
    """The code as it is read on the page: five groups of four."""
    (words, again) = (one for one in text_of(pdf).split() if one.count("-") == 4)
    assert words == again
    assert [len(group) for group in words.split("-")] == [4] * 5
    return words


def scanned(pdf: bytes) -> str:
    (page,) = pypdfium2.PdfDocument(pdf)
    grey = page.render(scale=200 / 72).to_pil().convert("L")
    first, second = zxingcpp.read_barcodes(grey, zxingcpp.BarcodeFormat.QRCode)
    assert first.text == second.text
    return str(first.text)


@pytest.mark.parametrize("language", ["fr", "ar", "uk"])
async def test_what_is_printed_opens_the_vault(
    client: httpx.AsyncClient, services: Services, person: SomePerson, language: str
) -> None:
    pin = await pin_of(services, person)
    answer = await printed(client, person, pin, language)
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-disposition"] == 'attachment; filename="unefois-carte.pdf"'
    (_, card) = await means(client, person.headers)
    assert answer.headers["location"] == f"/v1/me/means/{card['id']}"
    with opened(answer.content) as pdf:
        assert (len(pdf.pages), str(pdf.Root.Lang)) == (1, language)
    code, address = code_on(answer.content), scanned(answer.content)
    assert code.endswith(card["label"])
    assert address.startswith(f"{services.settings.public_url.rstrip('/')}/#")
    assert (await enter(client, code, pin)).status_code == 201
    assert (await enter(client, address, pin)).status_code == 201


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("application/pdf", True),
        ("APPLICATION/PDF", True),
        ("application/pdf, */*;q=0.1", True),
        ("application/json;q=0.5, application/pdf", True),
        ("", False),
        ("*/*", False),
        ("application/*", False),
        ("application/json", False),
        ("text/html", False),
        ("application/pdf, application/json", False),
        ("application/pdf;q=0.3, */*;q=0.8", False),
        ("application/pdf;q=0", False),
        ("application/pdf;q=x", False),
        ("application/pdfx", False),
        ("x/y," * 30 + "application/pdf", False),
    ],
)
def test_whoever_does_not_name_a_pdf_gets_json(accept: str, wanted: bool) -> None:
    assert prefers_pdf(accept) is wanted


async def test_without_that_accept_it_is_json(
    client: httpx.AsyncClient, services: Services, person: SomePerson
) -> None:
    card = await add_card(client, person, await pin_of(services, person), with_name=True)
    assert {"id", "code", "secret"} <= set(card)


async def test_who_is_not_the_person_gets_no_card(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson
) -> None:
    mine, theirs = await make_person(), await make_person()
    (pin, other, *_) = await usable_pins(services, mine, theirs)
    card = await add_card(client, theirs, other)
    refused = await printed(client, mine, pin, replaces=card["id"])
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    assert refused.headers["content-type"] == "application/problem+json"
    nobody = await client.post("/v1/me/cards", headers=PDF, json={"pin": pin, "again": pin})
    assert nobody.status_code == 401
    assert (await enter(client, card["code"], other)).status_code == 201
    assert len(await means(client, mine.headers)) == 1


async def test_refusals_are_problems_and_make_no_card(
    client: httpx.AsyncClient, services: Services, person: SomePerson
) -> None:
    pin = await pin_of(services, person)
    weak = await printed(client, person, "123456")
    assert (weak.status_code, weak.json()["code"]) == (422, "pin_weak")
    long = await printed(client, person, pin, help_phone="0" * 41)
    assert long.status_code == 422
    assert len(await means(client, person.headers)) == 1


async def test_the_name_is_printed_if_one_wishes(
    client: httpx.AsyncClient, services: Services, person: SomePerson
) -> None:
    body = {"name": "Malika B."}
    named = await client.put("/v1/me/name", headers=person.headers, json=body)
    assert named.json()["name"] == "Malika B."
    pin = await pin_of(services, person)
    without = text_of((await printed(client, person, pin)).content)
    assert "Malika" not in without
    assert "Appelez" not in without
    beside: dict[str, Any] = {"with_name": True, "help_phone": "+33320000001"}
    page = text_of((await printed(client, person, pin, **beside)).content).replace("\u00a0", " ")
    assert page.count("Malika B.") == 2
    assert page.count("Appelez le 03 20 00 00 01") == 2


async def test_words_in_the_place_of_a_number_are_quoted(
    client: httpx.AsyncClient, services: Services, person: SomePerson
) -> None:
    hostile = "#eval(1) $x$ *gras*\u202e"
    pdf = await printed(client, person, await pin_of(services, person), help_phone=hostile)
    assert text_of(pdf.content).count("« #eval(1) $x$ *gras* »") == 2


async def test_a_page_that_fails_makes_no_card_and_ends_none(
    client: httpx.AsyncClient,
    services: Services,
    person: SomePerson,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pin, other, *_ = await usable_pins(services, person)
    held = await add_card(client, person, pin)
    before = await log_of(services, person.id)

    def refused(template: str, data: dict[str, Any]) -> bytes:
        raise NotTypeset

    monkeypatch.setattr(card_sheet, "typeset", refused)
    try:
        answer = await printed(client, person, other, replaces=held["id"])
        assert answer.status_code == 500
    except NotTypeset:  # as it is raised where no server stands between
        pass
    monkeypatch.undo()
    assert await log_of(services, person.id) == before
    assert [one["id"] for one in await means(client, person.headers)][1:] == [held["id"]]
    assert (await enter(client, held["code"], pin)).status_code == 201
    again = await printed(client, person, other, replaces=held["id"])
    assert again.status_code == 201
    assert (await enter(client, held["code"], other)).status_code == 401


async def test_when_too_much_is_printed_no_card_is_made(
    client: httpx.AsyncClient,
    services: Services,
    person: SomePerson,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both threads are kept by others. The PIN is not even looked at: a weak one is told 503."""
    asked = asyncio.Event()

    def reserved() -> Any:
        asked.set()
        return typesetter.reserved_thread()

    async with typesetter.reserved_thread() as first, typesetter.reserved_thread():
        monkeypatch.setattr(card_sheet, "reserved_thread", reserved)
        monkeypatch.setattr(typesetter.pool(), "_queue_seconds", -1.0)  # whoever waits at all
        waits = asyncio.ensure_future(printed(client, person, "123456"))
        await asked.wait()
        await first(lambda: b"")
        answer = await waits
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert "retry-after" in answer.headers
    assert len(await means(client, person.headers)) == 1


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """All that the loggers of this process are given."""
    out, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(out), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield out
    root.setLevel(level)
    root.removeHandler(handler)


async def test_code_and_secret_stand_nowhere_else(
    client: httpx.AsyncClient, services: Services, person: SomePerson, written: io.StringIO
) -> None:
    """Not in a line of any logger, not in the database."""
    with capture_logs() as lines:
        structlog.get_logger().info("heard")
        logging.getLogger("any").debug("heard too")
        answer = await printed(client, person, await pin_of(services, person))
    code, secret = code_on(answer.content), scanned(answer.content).partition("#")[2]
    heard = json.dumps(lines, default=str) + written.getvalue()
    assert "heard" in json.dumps(lines, default=str)
    assert "heard too" in written.getvalue()
    kept = heard + await _database(services)
    assert str(person.id) in kept
    for hidden in (code, code.replace("-", ""), secret):
        assert hidden not in kept
    assert secret not in repr(answer.headers)


async def _database(services: Services) -> str:
    """Every row of every table, as text; bytes also as the letters that they may be."""
    rows = []
    async with services.database.transaction() as tx:
        named = "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname IN "
        tables = await tx.execute(text(named + "('unefois', 'procrastinate', 'public')"))
        for table in tables.scalars().all():
            for row in await tx.execute(text(f"SELECT * FROM {table}")):  # noqa: S608
                rows += [
                    one.decode("latin-1") if isinstance(one, bytes) else str(one) for one in row
                ]
    return "\n".join(rows)
