"""Which of several files is refused: its number, how many there are, and what it is, in words."""

import re
from typing import Any

import httpx
import pytest

from tests.fixtures import MakePerson, MakeWorker, Served
from tests.steps import approve, ask, blobs, is_problem
from tests.vault.decoding import corpus, hostile_pdfs
from vault.services import Services
from web.pages import forms

GOOD = corpus.plain_jpeg()
VIDEO = corpus.REFUSED["quicktime"] + b"moov" * 2000

WRONG: dict[str, tuple[bytes, int, str, str]] = {
    "cut": (GOOD[: len(GOOD) * 4 // 5], 422, "does_not_decode", "abîmé ou incomplet"),
    "video": (VIDEO, 415, "type_not_allowed", "est une vidéo"),
    "text": (b"Bonjour", 415, "type_not_allowed", "est un texte"),
    "program": (b"MZ" + bytes(90), 415, "type_not_allowed", "ni un PDF, ni une photo"),
    "empty": (b"", 422, "file_empty", "est vide"),
    "locked": (hostile_pdfs.locked_pdf(), 422, "password_protected", "mot de passe"),
    "bomb": (corpus.pixel_bomb_png(), 422, "too_many_pixels", "trop de détails"),
}


def _files(wrong: bytes, position: int, count: int) -> list[tuple[str, tuple[str, bytes]]]:
    parts = [GOOD + bytes([number]) for number in range(count)]
    parts[position] = wrong
    return [("file", (f"IMG_{number}.jpg", part)) for number, part in enumerate(parts)]


@pytest.mark.parametrize("case", WRONG)
async def test_the_third_of_five_is_named(
    case: str, services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    wrong, status, code, words = WRONG[case]
    person, before = await make_person(), await blobs(services)
    answer = await _send(client, person.headers, _files(wrong, 2, 5))
    is_problem(answer, status, code)
    told = answer.json()
    assert told["detail"].startswith("C’est la photo ou le fichier 3 sur 5. ")
    assert words in told["detail"]
    assert [(one["pointer"], one["detail"]) for one in told["errors"]] == [
        ("#/file/2", told["detail"])
    ]
    assert "IMG" not in answer.text
    assert await blobs(services) == before
    headers = {**person.headers, "Accept-Language": "en"}
    in_english = await _send(client, headers, _files(wrong, 2, 5))
    assert in_english.json()["detail"].startswith("It is photo or file 3 of 5. ")


async def _send(
    client: httpx.AsyncClient, headers: dict[str, str], files: list[Any]
) -> httpx.Response:
    data = {"type": "payslip"}
    return await client.post("/v1/documents", headers=headers, files=files, data=data)


@pytest.mark.parametrize(("position", "count"), [(0, 2), (1, 2), (4, 5)])
async def test_the_first_and_the_last_too(
    position: int, count: int, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    for case in ("cut", "video"):
        answer = await _send(client, person.headers, _files(WRONG[case][0], position, count))
        assert f" {position + 1} sur {count}. " in answer.json()["detail"]


@pytest.mark.parametrize("case", ["cut", "video", "empty"])
async def test_one_alone_has_no_number(
    case: str, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    answer = await _send(client, person.headers, _files(WRONG[case][0], 0, 1))
    assert "sur" not in answer.json()["detail"]
    assert answer.json()["errors"][0]["pointer"] == "#/file/0"


async def test_a_video_is_told_what_to_do(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    told = (await _send(client, person.headers, _files(VIDEO, 0, 1))).json()
    assert told["title"] == "C’est une vidéo"
    assert told["what_to_do"] == "Prenez une photo du papier, puis envoyez la photo."


async def test_a_new_version_and_a_recipient_s_deposit_say_it_too(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    kept = (await _send(client, person.headers, _files(GOOD, 0, 1))).json()
    files = _files(WRONG["cut"][0], 1, 3)
    path = f"/v1/documents/{kept['id']}/versions"
    answer = await client.post(path, headers=person.headers, files=files)
    assert " 2 sur 3. " in answer.json()["detail"]
    scope = {"document_types": ["payslip"], "document_ids": [], "actions": ["deposit"]}
    request = await ask(client, worker.headers, person.phone, scope=scope)
    grant = await approve(client, person, request)
    answer = await client.post(
        f"/v1/grants/{grant['id']}/documents",
        headers=worker.headers,
        files=files,
        data={"type": "payslip"},
    )
    assert " 2 sur 3. " in answer.json()["detail"]


async def test_the_page_says_it_and_keeps_the_others(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with httpx.AsyncClient(
        base_url=served.base_url, cookies={"unefois-person": person.token}, trust_env=False
    ) as browser:
        for case in ("cut", "video"):
            wrong, status, _, words = WRONG[case]
            token = await forms.token_for(served.services, person.token)
            address, files = "/documents/add?type=payslip", _files(wrong, 2, 5)
            answer = await browser.post(address, data={"form": token}, files=files)
            assert answer.status_code == status
            page = re.sub(r"<[^>]+>|\s+", " ", answer.text)
            assert re.search(
                r"C’est la photo ou le fichier 3 sur 5\.\s+Ce fichier|Le fichier", page
            )
            assert words in page
            assert "gardés : 4" in page
