"""One account sends forty files that are slow to read: the others hardly wait (docs/adr/0033)."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.fixtures import MakePerson, Served, SomePerson
from tests.vault.decoding import corpus, slow_pdfs
from vault.decoding.decoder import Decoder
from vault.decoding.media import Limits
from vault.decoding.processor_budget import ProcessorBudget
from vault.services import Services

IN_FLIGHT = 40
MOST_DELAY = 2.0


@pytest.fixture
async def decoder(services: Services) -> AsyncIterator[Decoder]:
    """A decoder of this test's own, whose jobs end with it; two slots, as by default."""
    usual = services.decoder
    made = Decoder(Limits())
    made.budget = ProcessorBudget(services)
    await made.start()
    object.__setattr__(services, "decoder", made)
    yield made
    object.__setattr__(services, "decoder", usual)
    await made.stop()


@pytest.fixture
async def busy(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    """As many connections as an attacker likes."""
    limits = httpx.Limits(max_connections=IN_FLIGHT)
    async with httpx.AsyncClient(
        base_url=served.base_url, timeout=120, limits=limits, trust_env=False
    ) as speaking:
        yield speaking


async def deposit(
    client: httpx.AsyncClient, person: SomePerson, content: bytes
) -> tuple[httpx.Response, float]:
    """The answer, and how long it took."""
    began = time.monotonic()
    answer = await client.post(
        "/v1/documents",
        headers=person.headers,
        files={"file": ("a.pdf", content)},
        data={"type": "rent_receipt"},
    )
    return answer, time.monotonic() - began


async def times(client: httpx.AsyncClient, person: SomePerson, first: int) -> list[float]:
    """Of three deposits, one after the other."""
    taken = []
    for number in range(first, first + 3):
        made = corpus.blank_pdf()
        made.docinfo["/Subject"] = f"Papier {number}"
        answer, seconds = await deposit(client, person, corpus.pdf_bytes(made))
        assert answer.status_code == 201, answer.text
        taken.append(seconds)
    return taken


async def test_forty_slow_files_of_one_account_delay_another_by_less_than_two_seconds(
    decoder: Decoder, client: httpx.AsyncClient, busy: httpx.AsyncClient, make_person: MakePerson
) -> None:
    attacker, other = await make_person(), await make_person()
    alone = await times(client, other, 0)
    slow = [slow_pdfs.fine_pattern, slow_pdfs.endless_curves]
    files = [slow[number % 2](number) for number in range(IN_FLIGHT)]
    attack = [asyncio.create_task(deposit(busy, attacker, file)) for file in files]
    refused = [task async for task in _first(attack, IN_FLIGHT - 1 - decoder.limits.waiting_each)]
    under_attack = await times(client, other, 3)
    await decoder.stop()
    answers = [answer for answer, _ in await asyncio.gather(*attack)]

    assert max(under_attack) - max(alone) < MOST_DELAY, (alone, under_attack)
    assert Counter(answer.json()["code"] for answer in refused) == {
        "too_many_at_once": len(refused)
    }
    assert all(answer.headers["Retry-After"] for answer in refused)
    assert not [answer for answer in answers if answer.is_success]


async def _first(
    tasks: list["asyncio.Task[tuple[httpx.Response, float]]"], many: int
) -> AsyncIterator[httpx.Response]:
    """The first answers, as they come."""
    for done in asyncio.as_completed(tasks):
        answer, _ = await done
        yield answer
        many -= 1
        if not many:
            return


async def test_a_file_that_takes_too_long_is_refused_in_words_that_say_so(
    decoder: Decoder, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    object.__setattr__(decoder.limits, "cpu_seconds", 1)
    answer, _ = await deposit(client, person, slow_pdfs.fine_pattern())
    assert (answer.status_code, answer.json()["code"]) == (422, "too_dear")
    assert "trop compliqué" in answer.json()["detail"]


async def test_an_account_whose_files_took_the_hours_seconds_waits_alone(
    decoder: Decoder, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person, other = await make_person(), await make_person()
    assert decoder.budget is not None
    for _ in range(6):
        await decoder.budget.take("inspect", person.id, 19.9)
    answer, _ = await deposit(client, person, corpus.pdf())
    assert (answer.status_code, answer.json()["code"]) == (429, "decoding_time_spent")
    assert int(answer.headers["Retry-After"]) >= 130
    assert "dans 3 minutes" in answer.json()["what_to_do"]
    answer, _ = await deposit(client, other, corpus.pdf())
    assert answer.status_code == 201
