"""The folder of sounds: what a list names is there for good."""

import os
from pathlib import Path

import pytest

from web.speech.sound_library import SoundLibrary


def test_a_list_names_only_what_outlives_a_crash_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: set[int] = set()
    flush = os.fsync

    def noted(descriptor: int) -> None:
        flushed.add(os.fstat(descriptor).st_ino)
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    library, name = SoundLibrary(tmp_path), "0123456789abcdef.wav"
    library.write(name, b"RIFF")
    library.write_list("fr", {"sounds": {"Bonjour.": name}, "unread": []})
    kept = {path.stat().st_ino for path in (tmp_path, *tmp_path.iterdir())}
    assert len(kept) == 3
    assert kept <= flushed
    assert (tmp_path / name).read_bytes() == b"RIFF"
