"""What `/voices` gives: the sounds that were made and their lists, to anybody the same, and no
other file, however its name is written."""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.fixtures import MakePerson, Served
from web.http.content_policy import PAGE_POLICY
from web.speech.sound_library import SoundLibrary, library_of

NAME = "0123456789abcdef"
SOUND = b"RIFF" + bytes(range(200))
SECRET = "what the keyring holds"


@pytest.fixture
def library(served: Served) -> Iterator[SoundLibrary]:
    """One sound and its list, with files around them that nobody may read."""
    library = library_of(served.services.settings)
    home = library.folder.parent
    library.folder.mkdir()
    library.write(f"{NAME}.wav", SOUND)
    library.write_list("ar", {"sounds": {"أنت.": f"{NAME}.wav"}, "unread": []})
    (home / "secret.json").write_text(SECRET)
    (home / "ab.json").write_text(SECRET)
    for name in ("keyring.txt", "abcd.json", "AB.json", f".{NAME}.tmp", f"{NAME}.key"):
        (library.folder / name).write_text(SECRET)
    (library.folder / "ff.json").symlink_to(home / "secret.json")
    (library.folder / f"{'f' * 16}.wav").symlink_to(home / "secret.json")
    (library.folder / "fd.json").mkdir()
    os.mkfifo(library.folder / "fe.json")
    yield library
    _remove(library.folder)
    (home / "secret.json").unlink()
    (home / "ab.json").unlink()


def _remove(folder: Path) -> None:
    (folder / "fd.json").rmdir()
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


@pytest.mark.parametrize(
    "name",
    [
        "../secret.json",
        "..%2fsecret.json",
        "%2e%2e%2fsecret.json",
        "..%2fab.json",
        "%2e%2e/ab.json",
        "..%5cab.json",
        "%2fetc%2fpasswd",
        "ar.json%00",
        "ar.json%0a",
        "ar.json/",
        "ar.json/../ab.json",
        "%61r.json%2f..%2f..%2fab.json",
        "keyring.txt",
        "abcd.json",
        "AB.json",
        "ff.json",
        "fd.json",
        "fe.json",
        f"{'f' * 16}.wav",
        f".{NAME}.tmp",
        f"{NAME}.key",
        f"{NAME.upper()}.wav",
        f"{NAME}.WAV",
        f"{NAME}.wav.wav",
        f"{NAME}.wav%00",
        f"%E2%80%AE{NAME}.wav",
        "",
        ".",
        "%2e",
    ],
)
async def test_no_other_name_gives_anything(
    client: httpx.AsyncClient, library: SoundLibrary, name: str
) -> None:
    # As it is written: a client would tidy it.
    path = b"/voices/" + name.encode()
    url = client.base_url.copy_with(raw_path=path)
    answer = await client.send(httpx.Request("GET", url))
    assert answer.status_code in (404, 405), name
    assert SECRET not in answer.text
    assert "immutable" not in answer.headers.get("cache-control", "")


def test_nor_does_the_folder_itself(library: SoundLibrary) -> None:
    names = ["../ab.json", "/etc/passwd", "ff.json", "fd.json", "fe.json", "ar.json\n"]
    for name in (*names, "٠" * 16 + ".wav"):
        assert library.read(name) is None
    big = f"{'e' * 16}.wav"
    with (library.folder / big).open("wb") as file:
        os.truncate(file.fileno(), (4 << 20) + 1)
    assert library.read(big) is None
    assert library.read(f"{NAME}.wav") == (SOUND, "audio/wav")


async def test_everybody_gets_the_same_and_nobody_is_known_by_it(
    client: httpx.AsyncClient, library: SoundLibrary, make_person: MakePerson
) -> None:
    person = await make_person()
    for path in (f"/voices/{NAME}.wav", "/voices/ar.json"):
        stranger = await client.get(path)
        signed_in = await client.get(path, headers={"Cookie": f"unefois-person={person.token}"})
        assert stranger.status_code == signed_in.status_code == 200
        assert stranger.content == signed_in.content
        assert "set-cookie" not in {**stranger.headers, **signed_in.headers}
        assert stranger.headers["cache-control"].startswith("public")
        assert stranger.headers["x-content-type-options"] == "nosniff"
        tag = {"If-None-Match": stranger.headers["etag"]}
        assert (await client.get(path, headers=tag)).status_code == 304


@pytest.mark.parametrize(
    ("asked", "status", "given"),
    [
        ("bytes=0-1", 206, SOUND[:2]),
        ("bytes=10-", 206, SOUND[10:]),
        ("bytes=-4", 206, SOUND[-4:]),
        ("bytes=0-9999", 206, SOUND),
        ("bytes=9999-", 416, None),
        ("bytes=0-1,4-5", 416, None),
        ("lines=1", 416, None),
    ],
)
async def test_part_of_a_sound_is_given_as_some_browsers_ask(
    client: httpx.AsyncClient, library: SoundLibrary, asked: str, status: int, given: bytes | None
) -> None:
    answer = await client.get(f"/voices/{NAME}.wav", headers={"Range": asked})
    assert answer.status_code == status
    if given is not None:
        assert answer.content == given
        start = SOUND.index(given)
        whole = f"bytes {start}-{start + len(given) - 1}/{len(SOUND)}"
        assert answer.headers["content-range"] == whole
        assert answer.headers["content-type"] == "audio/wav"


def test_a_page_plays_nothing_from_elsewhere() -> None:
    assert " media-src 'self';" in PAGE_POLICY
