"""Small uploads are kept in memory until they are decoded; nothing of them is left."""

from pathlib import Path

import httpx
import pytest

from tests.fixtures import MakePerson
from tests.steps import deposit
from tests.vault.decoding import corpus
from vault.documents import kept_upload
from vault.documents.kept_upload import KEPT_BYTES, MAX_KEPT, KeptUpload


async def _read(kept: KeptUpload) -> list[bytes]:
    return [b"".join([bytes(piece) async for piece in source()]) for source in kept.sources()]


async def test_each_file_is_read_as_it_was_written_and_more_than_once() -> None:
    with KeptUpload() as kept:
        for file in (b"first", b"", b"third" * 50_000):
            kept.write(file[:100_000])
            kept.write(memoryview(file)[100_000:])
            kept.end_file()
        for _ in range(2):
            assert await _read(kept) == [b"first", b"", b"third" * 50_000]


def test_a_large_upload_is_not_kept() -> None:
    before = _descriptors()
    with KeptUpload() as kept:
        kept.write(bytes(KEPT_BYTES))
        assert kept.whole
        kept.write(b"x")
        assert not kept.whole
        assert _descriptors() == before
        kept.write(b"x")
    assert KeptUpload._many == 0


def test_no_more_than_a_few_are_kept_and_none_is_left() -> None:
    before = _descriptors()
    uploads = [KeptUpload() for _ in range(MAX_KEPT + 1)]
    assert [upload.__enter__().whole for upload in uploads] == [True] * MAX_KEPT + [False]
    for upload in uploads:
        upload.__exit__(None, None, None)
    with KeptUpload() as another:
        assert another.whole
    assert KeptUpload._many == 0
    assert _descriptors() == before


@pytest.mark.parametrize("limit", [0, 16])
async def test_a_deposit_is_the_same_whether_it_is_kept_or_read_back(
    limit: int, client: httpx.AsyncClient, make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_upload, "MAX_KEPT", limit)
    person = await make_person()
    data = corpus.phone_jpeg(6)
    document = await deposit(client, person, data)
    assert document["file"]["preview"] is True
    path = f"/v1/documents/{document['id']}/content"
    assert (await client.get(path, headers=person.headers)).content == data
    pages = [("file", (f"{number}.jpg", data)) for number in range(3)]
    several = await client.post(
        "/v1/documents", headers=person.headers, files=pages, data={"type": "payslip"}
    )
    assert several.status_code == 201, several.text
    assert several.json()["file"]["pages"] == 3
    assert KeptUpload._many == 0


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
