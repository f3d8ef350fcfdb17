"""Small FLOE files, their segments, and the reason of a refusal."""

import runpy
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from storage.floe import HEADER_LENGTH, Encryptor, InvalidCiphertext, Parameters, Reason

KEY = b"k" * 32


AAD = b"a file"


SMALL = Parameters(segment_length=48)


PAYLOAD = 16


VECTORS = Path(__file__).parents[1] / "vectors"


MAKER = SimpleNamespace(**runpy.run_path(str(VECTORS / "make_floe.py")))


def octets(length: int) -> bytes:
    """`length` bytes in which no two segments are equal."""
    return b"".join(number.to_bytes(8, "big") for number in range(length // 8 + 1))[:length]


def feed(sealer: Encryptor, *chunks: bytes) -> bytes:
    """All the output of a sealer, each piece copied before the next is requested."""
    out = bytearray(sealer.header)
    for chunk in chunks:
        for piece in sealer.update(chunk):
            out += piece
    out += sealer.finish()
    return bytes(out)


def refusal(attempt: Callable[[], object]) -> Reason:
    """The reason with which the attempt is refused."""
    with pytest.raises(InvalidCiphertext) as caught:
        attempt()
    return caught.value.reason


def segments_of(sealed: bytes, length: int = 48) -> list[bytes]:
    """The segments of a sealed file, without its header."""
    body = sealed[HEADER_LENGTH:]
    return [body[i : i + length] for i in range(0, len(body), length)]
