"""`voices`: sounds of what pages say, for browsers that have no voice of a language."""

import argparse
import fcntl
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from base.processes import ProgramFailed
from base.settings import Settings
from web.cli.command import Command, Commands
from web.cli.command import add as declare
from web.cli.progress import show
from web.process.signals import Signals
from web.speech.fixed_sentences import tags
from web.speech.recorder import record
from web.speech.sound_files import NoSound
from web.speech.sound_library import SoundLibrary, library_of
from web.speech.speech_command import SpeechCommand, parse_speech_command


def add(commands: Commands) -> None:
    """Declare it."""
    voices = declare(
        commands,
        "voices",
        "Make sound files of what pages say, where a browser has no voice; only what is new.",
        Command(_voices),
    )
    voices.add_argument(
        "--language", action="append", choices=tags(), help="this one; all, unless said"
    )


def _voices(settings: Settings, options: argparse.Namespace, _: Signals) -> int:
    command = parse_speech_command(settings.speech_command)
    library = library_of(settings)
    library.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    chosen = tuple(dict.fromkeys(options.language or tags()))
    with _alone(library.folder):
        failed = [tag for tag in chosen if not _record(library, command, tag)]
        if not options.language:
            _forget_others(library, chosen)
        removed = library.remove_others(_listed(library))
    sys.stdout.write(f"{removed} sounds that nothing says any more removed\n")
    return 1 if failed else 0


def _record(library: SoundLibrary, command: SpeechCommand, tag: str) -> bool:
    """Make one language; whether it was made. One that has no voice leaves the others."""
    try:
        done = record(library, command, tag, show)
    except (ProgramFailed, NoSound) as failure:
        sys.stdout.flush()
        sys.stderr.write(f"\nunefois: {tag}: {failure}\n")
        return False
    sys.stdout.write(f"\n{tag}: {done.sentences} sentences, {done.made} sounds made\n")
    return True


def _forget_others(library: SoundLibrary, kept: Sequence[str]) -> None:
    for tag, path in library.lists().items():
        if tag not in kept:
            path.unlink()


def _listed(library: SoundLibrary) -> set[str]:
    """The names of every sound that a list has."""
    lists = [json.loads(path.read_bytes()) for path in library.lists().values()]
    return {name for one in lists for name in one["sounds"].values()}


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two at once would remove each other's sounds."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise ValueError(f"another `unefois voices` is at work in {folder}") from None
    finally:
        os.close(descriptor)
