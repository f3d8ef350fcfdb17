"""The speech program of the tests, the real one, and few sentences for it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from base.settings import Settings
from web.speech.sound_library import SoundLibrary
from web.speech.speech_command import SpeechCommand, parse_speech_command

DEFAULT = str(Settings.model_fields["speech_command"].default)
needs_espeak = pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="espeak-ng is not installed: make packages"
)


def espeak() -> SpeechCommand:
    """The default command."""
    return parse_speech_command(DEFAULT)


def new_library(folder: Path) -> SoundLibrary:
    """An empty one."""
    folder.mkdir(parents=True)
    return SoundLibrary(folder)


def only(*sentences: str) -> Callable[[str], list[str]]:
    """What stands for all the sentences of a language: these take a second, those a minute."""
    return lambda _tag: sorted(sentences)
