"""Inputs of a decoder from bytes, and its results."""

import io
from collections.abc import AsyncIterator
from uuid import UUID

import pikepdf

from vault.decoding.decoder import Decoder, Source
from vault.decoding.media import Inspection

ACCOUNT = UUID(int=1)


def source(data: bytes) -> Source:
    """Slices of one reused buffer, as opening a sealed file gives them."""

    async def slices() -> AsyncIterator[memoryview]:
        buffer = bytearray(64 * 1024)
        for at in range(0, len(data), len(buffer)):
            piece = data[at : at + len(buffer)]
            buffer[: len(piece)] = piece
            yield memoryview(buffer)[: len(piece)]

    return slices


async def inspected(decoder: Decoder, *parts: bytes) -> tuple[Inspection, bytes]:
    """The findings, and what a recipient gets: the copy, or the original when "same"."""
    async with await decoder.inspect([source(part) for part in parts], account=ACCOUNT) as decoded:
        copy = b"".join([piece async for piece in decoded.rendition()])
        assert len(copy) == decoded.inspection.rendition_length
        if decoded.inspection.rendition == "same":
            assert copy == b""
            copy = parts[0]
        return decoded.inspection, copy


def written_objects(data: bytes) -> bytes:
    """Every dictionary and array of a PDF, names without escapes; streams without their data."""
    with pikepdf.open(io.BytesIO(data)) as pdf:
        return b"\n".join(
            (thing.stream_dict if isinstance(thing, pikepdf.Stream) else thing).unparse(
                resolved=True
            )
            for thing in pdf.objects
            if isinstance(thing, (pikepdf.Stream, pikepdf.Dictionary, pikepdf.Array))
        )
