"""The program that speaks: a sentence on its standard input, a file of sound at the end.

Run without a shell, in a minimal environment, for a bounded time (`base/processes.py`).
"""

import os
import shlex
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from base.processes import ProgramFailed, run

OUTPUT, LANGUAGE = "{output}", "{language}"
MAX_BYTES = 8 << 20
"""The longest file that is read of a program: three minutes, as espeak-ng writes."""
SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class SpeechCommand:
    """The setting, taken apart: `program` is an absolute path."""

    text: str
    program: Path
    arguments: tuple[str, ...]

    def speak(self, sentence: str, tag: str) -> bytes:
        """The sound of a sentence, as the program wrote it. Raises `ProgramFailed`."""
        with tempfile.TemporaryDirectory(prefix="unefois-voices-") as folder:
            output = Path(folder) / "sentence"
            given = [
                word.replace(LANGUAGE, tag).replace(OUTPUT, str(output)) for word in self.arguments
            ]
            run(self.program, *given, account=None, stdin=f"{sentence}\n", limit=SECONDS)
            return _read(output, self.program.name)


def parse_speech_command(text: str) -> SpeechCommand:
    """The command of a setting. Raises `ValueError` when it cannot be run."""
    try:
        words = shlex.split(text)
    except ValueError:
        words = []  # a quotation that does not end
    if not words or not any(OUTPUT in word for word in words[1:]):
        raise ValueError(f"UNEFOIS_SPEECH_COMMAND must be a program and its words, with {OUTPUT}")
    found = shutil.which(words[0], path=os.environ.get("PATH") or os.defpath)
    if found is None:
        raise ValueError(
            f"{words[0]} is not installed: install it (on Debian, `apt install espeak-ng`), or name"
            " another program in UNEFOIS_SPEECH_COMMAND"
        )
    return SpeechCommand(text, Path(found).absolute(), tuple(words[1:]))


def _read(output: Path, program: str) -> bytes:
    try:
        with output.open("rb") as file:
            sound = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ProgramFailed(f"{program} wrote no file where {OUTPUT} stands") from None
    if not sound or len(sound) > MAX_BYTES:
        raise ProgramFailed(f"{program} wrote a file of {len(sound)} bytes")
    return sound
