"""Sounds become small, stay what every browser plays, and their length tells little."""

import io
import math
import wave
from array import array
from itertools import pairwise

import pytest

from tests.web.speech.espeak import espeak, needs_espeak
from web.speech.sound_files import NoSound, as_served


def wav(samples: list[int], *, rate: int = 22_050, channels: int = 1) -> bytes:
    """A WAV of 16 bits."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(array("h", samples).tobytes())
    return out.getvalue()


def tone(hertz: int, seconds: float, rate: int = 22_050) -> list[int]:
    """A pure tone."""
    count = int(seconds * rate)
    return [int(20_000 * math.sin(2 * math.pi * hertz * at / rate)) for at in range(count)]


def opened(sound: bytes) -> tuple[tuple[int, int, int], bytes]:
    """Channels, bytes of a sample, rate; the samples."""
    with wave.open(io.BytesIO(sound)) as file:
        shape = (file.getnchannels(), file.getsampwidth(), file.getframerate())
        return shape, file.readframes(file.getnframes())


@pytest.mark.parametrize("rate", [22_050, 44_100])
def test_a_voice_is_made_small(rate: int) -> None:
    end, sound = as_served(wav(tone(440, 1.2, rate), rate=rate))
    shape, samples = opened(sound)
    assert (end, shape) == ("wav", (1, 1, 11_025))
    # It is the tone still: as many turns in the first second, about as loud.
    second = samples[:11_025]
    turns = sum(1 for a, b in pairwise(second) if a < 128 <= b)
    assert abs(turns - 440) <= 1
    assert max(second) > 128 + 60


@pytest.mark.parametrize("seconds", [0.2, 0.6, 0.99])
def test_sounds_of_a_second_are_of_one_length(seconds: float) -> None:
    quiet = [0] * 9_000  # as programs end
    assert len(as_served(wav(tone(300, seconds) + quiet))[1]) == 44 + 11_025


def test_other_sounds_stay() -> None:
    both = wav([1, 2, 3, 4], channels=2)
    assert as_served(both) == ("wav", both)
    for mp3 in (b"ID3\x04etc", b"\xff\xfb\x90\x00etc"):
        assert as_served(mp3) == ("mp3", mp3)


@pytest.mark.parametrize(
    "sound", [b"", b"OggS", b"<svg>", b"RIFF\0\0\0\0WAVE", b"RIFF\0\0\0\0AVI ", wav([1])[:30]]
)
def test_what_is_no_sound_is_refused(sound: bytes) -> None:
    with pytest.raises(NoSound):
        as_served(sound)


@needs_espeak
@pytest.mark.parametrize("tag", ["fr", "en", "es", "ar", "uk"])
def test_the_real_program_speaks_each_language(tag: str) -> None:
    spoken = espeak().speak("Telephone 112. Телефон. هاتف.", tag)
    end, sound = as_served(spoken)
    (shape, samples) = opened(sound)
    assert (end, shape) == ("wav", (1, 1, 11_025))
    assert len(sound) < len(spoken) / 3
    assert max(samples) - min(samples) > 60
