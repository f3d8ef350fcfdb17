"""`unefois voices`, with the real program: what is new is made, what nothing says goes."""

import json
import os
import stat
from pathlib import Path

import pytest

from tests.web.speech.espeak import needs_espeak, only
from web.cli.main import main
from web.speech import recorder, speech_command
from web.speech.fixed_sentences import sentences, tags, unread

HELLO, PAPERS = "Bonjour.", "Mes papiers"
MP3 = """#!/bin/sh
cat >/dev/null
printf 'ID3%s' "$1" >"$2"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of sounds of a new home, with few sentences to say."""
    for name in [name for name in os.environ if name.startswith("UNEFOIS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("UNEFOIS_MODE", "demo")
    monkeypatch.setenv("UNEFOIS_MESSENGER", "inbox")
    monkeypatch.setenv("UNEFOIS_HOME", str(tmp_path / "home"))
    say(monkeypatch, HELLO, PAPERS)
    return tmp_path / "home" / "voices"


def say(monkeypatch: pytest.MonkeyPatch, *said: str) -> None:
    """Let pages say nothing but this."""
    signs = {part for tag in tags() for part in sentences(unread(tag))}
    monkeypatch.setattr(recorder, "fixed_sentences", only(*said, *signs))


def listed(folder: Path, tag: str) -> dict[str, str]:
    """The sounds of a language by what is said."""
    sounds: dict[str, str] = json.loads((folder / f"{tag}.json").read_text())["sounds"]
    return sounds


def sounds_in(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*.wav")} | {p.name for p in folder.glob("*.mp3")}


@needs_espeak
def test_only_what_is_new_is_made_and_what_nothing_says_goes(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["voices", "--language", "fr", "--language", "ar"]
    assert main(command) == 0
    french = listed(folder, "fr")
    assert {HELLO, PAPERS} < set(french)
    assert sounds_in(folder) == {*french.values(), *listed(folder, "ar").values()}
    assert set(french.values()).isdisjoint(listed(folder, "ar").values())
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o644 for path in folder.iterdir())
    before = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.wav")}
    # 1. Again: nothing is made.
    capsys.readouterr()
    assert main(command) == 0
    said = capsys.readouterr().out
    assert said.count(" 0 sounds made") == 2
    assert "0 sounds that nothing says any more" in said
    assert before == {path.name: path.stat().st_mtime_ns for path in folder.glob("*.wav")}
    # 2. A sentence goes, another comes, a crash left something; one language alone is made anew.
    say(monkeypatch, HELLO, "Au revoir.")
    (folder / ".0123456789abcdef.tmp").write_bytes(b"half")
    (folder / "notes.txt").write_text("the operator's own")
    assert main(["voices", "--language", "fr"]) == 0
    now = listed(folder, "fr")
    assert PAPERS not in now
    assert now[HELLO] == french[HELLO]
    assert not (folder / french[PAPERS]).exists()
    assert not list(folder.glob("*.tmp"))
    assert (folder / "notes.txt").exists()
    assert PAPERS in listed(folder, "ar")
    assert sounds_in(folder) == {*now.values(), *listed(folder, "ar").values()}


def test_another_program_has_other_names(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What a browser keeps for a year under one name never changes."""
    program = tmp_path / "speak"
    program.write_text(MP3)
    program.chmod(0o755)
    monkeypatch.setenv("UNEFOIS_SPEECH_COMMAND", f"{program} {{language}} {{output}}")
    assert main(["voices"]) == 0
    first = listed(folder, "fr")
    assert {path.stem for path in folder.glob("*.json")} == set(tags())
    assert (folder / first[HELLO]).read_bytes() == b"ID3fr"
    monkeypatch.setenv("UNEFOIS_SPEECH_COMMAND", f"{program} other {{output}}")
    (folder / "xx.json").write_text('{"sounds": {}}')
    assert main(["voices"]) == 0
    assert set(listed(folder, "fr").values()).isdisjoint(first.values())
    assert not (folder / "xx.json").exists()


def test_a_missing_program_is_said_with_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert main(["voices"]) == 1
    said = capsys.readouterr().err
    assert "espeak-ng is not installed" in said
    assert "apt install espeak-ng" in said
    assert not folder.exists()


@pytest.mark.parametrize("command", ["", "espeak-ng -v fr", "{output}", "espeak-ng 'open"])
def test_a_command_that_cannot_be_is_refused(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
) -> None:
    monkeypatch.setenv("UNEFOIS_SPEECH_COMMAND", command or " ")
    assert main(["voices"]) == 1
    assert "UNEFOIS_SPEECH_COMMAND" in capsys.readouterr().err
    assert not folder.exists()


@pytest.mark.parametrize(
    ("script", "word"),
    [
        ("exit 3", "ended with 3"),
        ("exec sleep 9", "did not end within"),
        ("cat >/dev/null", "wrote no file"),
        ('cat >/dev/null; printf OggS >"$2"', "WAV or MP3"),
        ('cat >/dev/null; : >"$2"', "0 bytes"),
        ('head -c 9000000 /dev/zero >"$2"', "bytes"),
    ],
)
def test_a_language_that_fails_keeps_what_it_had(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    script: str,
    word: str,
) -> None:
    program = tmp_path / "speak"
    program.write_text(MP3)
    program.chmod(0o755)
    monkeypatch.setenv("UNEFOIS_SPEECH_COMMAND", f"{program} {{language}} {{output}}")
    assert main(["voices"]) == 0
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    program.write_text(f'#!/bin/sh\n[ "$1" = fr ] || {{ {script}; exit; }}\n{MP3}')
    say(monkeypatch, HELLO, PAPERS, "Encore une.")
    monkeypatch.setattr(speech_command, "SECONDS", 1.0)
    assert main(["voices"]) == 1
    failed = capsys.readouterr().err
    assert failed.count(word) == len(tags()) - 1
    assert "unefois: ar: " in failed
    assert "Encore une." in listed(folder, "fr")
    assert before.items() <= {path.name: path.read_bytes() for path in folder.iterdir()}.items() | {
        ("fr.json", before["fr.json"])
    }


def test_words_for_a_shell_stay_words(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trap = tmp_path / "trap"
    program = tmp_path / "speak"
    program.write_text(MP3)
    program.chmod(0o755)
    monkeypatch.setenv(
        "UNEFOIS_SPEECH_COMMAND", f"{program} '$(touch {trap});`touch {trap}`' {{output}}"
    )
    assert main(["voices", "--language", "fr"]) == 0
    assert not trap.exists()
    assert b"$(touch" in (folder / listed(folder, "fr")[HELLO]).read_bytes()


def test_two_at_once_do_not_remove_each_other_s_sounds(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import fcntl

    folder.mkdir(parents=True)
    held = os.open(folder, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        assert main(["voices"]) == 1
    finally:
        os.close(held)
    assert "another `unefois voices`" in capsys.readouterr().err
