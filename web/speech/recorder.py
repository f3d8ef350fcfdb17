"""Making the sounds of a language: those that are new; the rest is there already."""

from collections.abc import Callable
from dataclasses import dataclass

from web.speech.fixed_sentences import fixed_sentences, sentences, unread
from web.speech.sound_files import as_served
from web.speech.sound_library import SoundLibrary, key_of
from web.speech.speech_command import SpeechCommand

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Recorded:
    """How many sentences a language has, and how many sounds were made now."""

    sentences: int
    made: int


def record(library: SoundLibrary, command: SpeechCommand, tag: str, progress: Progress) -> Recorded:
    """Make what a language lacks, then list all it has. Raises `ProgramFailed`, `NoSound` and
    `OSError`: the former list stays, and what was made is found by the next run."""
    there = {name.partition(".")[0]: name for name in library.sounds()}
    wanted, made, listed = fixed_sentences(tag), 0, {}
    for done, sentence in enumerate(wanted):
        key = key_of(command.text, tag, sentence)
        if key not in there:
            end, sound = as_served(command.speak(sentence, tag))
            there[key] = f"{key}.{end}"
            library.write(there[key], sound)
            made += 1
        listed[sentence] = there[key]
        progress(done + 1, len(wanted))
    sign = [listed[sentence] for sentence in sentences(unread(tag))]
    library.write_list(tag, {"sounds": listed, "unread": sign})
    return Recorded(len(wanted), made)
