"""The folder of sounds: one file a sentence, and for each language the list of those it has.

Nothing in it is about a person. A file's name is derived from how, in which language and what was
said, so that another content has another name.
"""

import json
import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import Any

from base.files import flush_folder
from base.settings import Settings
from web.i18n.languages import languages
from web.speech.sound_files import TYPES

MAX_BYTES = 4 << 20
_SOUND = re.compile(r"[0-9a-f]{16}\.(?:wav|mp3)")
_LIST = re.compile(r"([a-z]{2,3})\.json")
_TEMPORARY = re.compile(r"\.[0-9a-f]{16}\.tmp")


def key_of(command: str, tag: str, sentence: str) -> str:
    """The name of a sentence's sound, without its end."""
    return sha256("\0".join(("1", command, tag, sentence)).encode()).hexdigest()[:16]


@dataclass(slots=True)
class SoundLibrary:
    """One folder, which need not be there."""

    folder: Path
    _seen: int = -1
    _tags: tuple[str, ...] = field(default=())

    def tags(self) -> tuple[str, ...]:
        """The languages that have sounds. Costs the look at one folder while it stays the same."""
        try:
            changed = self.folder.stat().st_mtime_ns
            if changed != self._seen:
                self._tags = tuple(sorted(self.lists()))
                self._seen = changed
        except OSError:
            # Unreadable, or not there: pages go without.
            return ()
        return self._tags

    def lists(self) -> dict[str, Path]:
        """The file that lists the sounds of each language."""
        names = {path: _LIST.fullmatch(path.name) for path in self.folder.iterdir()}
        return {match[1]: path for path, match in names.items() if match}

    def sounds(self) -> set[str]:
        """The names of the sounds that are there."""
        return {path.name for path in self.folder.iterdir() if _SOUND.fullmatch(path.name)}

    def read(self, name: str) -> tuple[bytes, str] | None:
        """A sound or a list, with its media type; None for any other name, and what is not there.
        A link is not followed."""
        if _SOUND.fullmatch(name):
            media_type = TYPES[name.rpartition(".")[2]]
        elif _LIST.fullmatch(name):
            media_type = "application/json"
        else:
            return None
        content = _read(self.folder / name)
        return None if content is None else (content, media_type)

    def write(self, name: str, content: bytes) -> None:
        """Replace a file, for every account to read: servers may run under another one. A crash
        leaves the former one, and a `.tmp` that `remove_others` takes away."""
        temporary = self.folder / f".{token_hex(8)}.tmp"
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(self.folder / name)

    def write_list(self, tag: str, listed: dict[str, Any]) -> None:
        """Say which sounds a language has, once all of them are there for good. A crash before
        leaves the former list, and sounds that the next run finds."""
        flush_folder(self.folder)
        self.write(f"{tag}.json", json.dumps(listed, ensure_ascii=False).encode())
        flush_folder(self.folder)

    def remove_others(self, kept: set[str]) -> int:
        """Remove every sound of a name that is not among `kept`, and what crashes left; how many
        sounds. Files that are not ours stay. A crash leaves the rest to the next run."""
        gone = self.sounds() - kept
        left = [path.name for path in self.folder.iterdir() if _TEMPORARY.fullmatch(path.name)]
        for name in (*gone, *left):
            (self.folder / name).unlink(missing_ok=True)
        return len(gone)


def library_of(settings: Settings) -> SoundLibrary:
    """The folder of sounds of an installation, in its home."""
    return _libraries.setdefault(settings.home, SoundLibrary(settings.home / "voices"))


def tags_with_sounds(settings: Settings, codes: Iterable[str]) -> list[str]:
    """Of the languages of a page, those that have sounds here, for where a browser has no voice."""
    there = library_of(settings).tags()
    tags = dict.fromkeys(languages()[code].tag for code in codes)
    return [tag for tag in tags if tag in there]


def _read(path: Path) -> bytes | None:
    """A plain file that is not too long; None for a link, a folder, a pipe, or nothing."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        content = os.pread(descriptor, MAX_BYTES + 1, 0)
    finally:
        os.close(descriptor)
    return content if len(content) <= MAX_BYTES else None


_libraries: dict[Path, SoundLibrary] = {}
