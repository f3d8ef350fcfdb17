"""A sound as browsers get it: WAV, made small, or MP3 as it came. Pure.

What speech programs write (16 bits, 22 kHz) is four times what a voice needs to be understood. Of 8
bits at half the rate, it is what every browser plays since there are any; a telephone has less.
"""

import io
import sys
import wave
from array import array

TYPES = {"wav": "audio/wav", "mp3": "audio/mpeg"}
"""By the end of a file's name."""
_LEAST_RATE = 11_025
_SILENCE = 128
_HEARD = 2
"""Of 8 bits: what differs less from silence is silence."""


class NoSound(ValueError):
    """Neither WAV nor MP3."""


def as_served(sound: bytes) -> tuple[str, bytes]:
    """The end of its name, and the sound. A WAV of 16 bits and one channel is made small; others
    stay. Raises `NoSound`."""
    if sound.startswith(b"ID3") or (sound[:1] == b"\xff" and sound[1:2] >= b"\xe0"):
        return "mp3", sound
    if sound[:4] != b"RIFF" or sound[8:12] != b"WAVE":
        raise NoSound("the speech command must write WAV or MP3")
    return "wav", _smaller(sound)


def _smaller(sound: bytes) -> bytes:
    try:
        with wave.open(io.BytesIO(sound)) as source:
            rate, shape = source.getframerate(), (source.getnchannels(), source.getsampwidth())
            samples = array("h", source.readframes(source.getnframes()) if shape == (1, 2) else b"")
    except (wave.Error, EOFError, ValueError) as error:
        raise NoSound("the speech command wrote a WAV that cannot be read") from error
    if shape != (1, 2):
        return sound
    if sys.byteorder == "big":
        samples.byteswap()
    while rate >= 2 * _LEAST_RATE:
        samples, rate = _half(samples), rate // 2
    return _written(_whole_seconds(bytes((each >> 8) + _SILENCE for each in samples), rate), rate)


def _half(samples: "array[int]") -> "array[int]":
    """Half as many samples. Each is of four, so that what half cannot hold is not heard in it."""
    fours = zip(*(samples[start::2] for start in range(4)), strict=False)
    return array("h", ((a + 3 * b + 3 * c + d) >> 3 for a, b, c, d in fours))


def _whole_seconds(samples: bytes, rate: int) -> bytes:
    """Without silence at the end, then with silence up to a whole second: of a sound that is
    fetched, a network sees the length, and many sentences share one."""
    heard = len(samples)
    while heard and abs(samples[heard - 1] - _SILENCE) <= _HEARD:
        heard -= 1
    return samples[:heard] + bytes([_SILENCE]) * (-heard % rate)


def _written(samples: bytes, rate: int) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(rate)
        file.writeframes(samples)
    return out.getvalue()
