"""Mutated bodies of deposits over HTTP: an answer in words, never a failure of the server."""

import os
import random
import secrets
import time
from collections import Counter

import httpx

from tests.fixtures import MakePerson
from tests.fuzz.mutations import mutated
from tests.vault.decoding import corpus

MINUTES = float(os.environ.get("FUZZ_MINUTES", "0"))
SEED = int(os.environ.get("FUZZ_SEED", "0")) or (secrets.randbelow(10**9) if MINUTES else 1)
BODIES = 10**9 if MINUTES else 80
A_PERSON = 20
"""Bodies that one person sends: fewer than any limit of a person."""


def _part(head: str, data: bytes) -> bytes:
    return b"--edge\r\nContent-Disposition: form-data; " + head.encode() + b"\r\n\r\n" + data


def _bodies() -> list[bytes]:
    scan = _part('name="file"; filename="scan.png"\r\nContent-Type: image/png', corpus.plain_png())
    named = _part("name=\"file\"; filename*=UTF-8''re%C3%A7u.png", corpus.plain_png("1"))
    texts = [
        _part(f'name="{name}"', value.encode())
        for name, value in (("type", "income_tax_notice"), ("title", "Avis 2026 é"))
    ]
    end = b"\r\n--edge--\r\n"
    return [b"\r\n".join(parts) + end for parts in ([scan, *texts], [*texts, named], [scan, scan])]


def _code(answer: httpx.Response) -> str:
    """The word for what is wrong; what is no HTTP is answered before the service reads it."""
    if answer.headers.get("Content-Type") != "application/problem+json":
        assert answer.status_code in (200, 201, 400), answer.text
        return ""
    return str(answer.json()["code"])


async def test_mutated_bodies_get_an_answer_in_words(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    bodies, answers = _bodies(), Counter[str]()
    end = time.monotonic() + (MINUTES * 60 if MINUTES else 60)
    person = await make_person()
    for number in range(BODIES):
        if time.monotonic() > end:
            break
        if number % A_PERSON == A_PERSON - 1:
            person = await make_person()
        dice = random.Random(f"deposit {SEED} {number}")
        kind = "multipart/form-data; boundary=edge"
        if dice.random() < 0.1:
            kind = mutated("multipart", [kind.encode()], dice).decode("latin-1")
            kind = "".join(sign for sign in kind if " " <= sign <= "~").strip()
        answer = await client.post(
            "/v1/documents",
            headers={**person.headers, "Content-Type": kind},
            content=mutated("multipart", bodies, dice),
        )
        code = _code(answer)
        answers[f"{answer.status_code} {code}"] += 1
        assert answer.status_code < 500, f"FUZZ_SEED={SEED}, body {number}: {answer.text}"
    print(f"\ndeposit, FUZZ_SEED={SEED}: {dict(answers)}")
    assert sum(answers.values()) >= min(BODIES, 20)
    assert len(answers) > 3
