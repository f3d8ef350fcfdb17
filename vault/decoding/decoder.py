"""Inspecting a file and making its copies: what the use cases call."""

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from types import TracebackType
from typing import Any, Literal, Self

from base.errors import ErrorKind, ServiceError, invalid
from vault.decoding import sniff
from vault.decoding.confine import Protection
from vault.decoding.media import Inspection, Limits, MediaType, Note, Part, Undecodable
from vault.decoding.sandbox import Sandbox, freeze, memory_file

Source = Callable[[], AsyncIterator[bytes | bytearray | memoryview]]
"""Opens one part's plaintext anew, in slices; they may be reused buffers."""

SLICE_BYTES = 64 * 1024
PREVIEW_BYTES = 300 * 1024


class Decoded:
    """Findings and, unless it is "same", the recipient's copy, held outside this process's memory.

    Use it as an asynchronous context manager: leaving it frees the copy.
    """

    def __init__(self, inspection: Inspection, output: int) -> None:
        self.inspection = inspection
        self._output = output

    async def rendition(self) -> AsyncIterator[bytes]:
        """The copy in slices of at most 64 KiB, as often as wanted; nothing when "same"."""
        at, end = 0, self.inspection.rendition_length
        while at < end:
            piece = os.pread(self._output, min(SLICE_BYTES, end - at), at)
            at += len(piece)
            yield piece

    def close(self) -> None:
        """Frees the copy; once is enough."""
        output, self._output = self._output, -1
        if output >= 0:
            os.close(output)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Decoder:
    """The file-inspection room. One for a process; `start` it, `stop` it."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._sandbox = Sandbox(self.limits)

    @property
    def protections(self) -> frozenset[Protection]:
        """What was seen to hold inside a child at start-up; for readiness to report."""
        return self._sandbox.protections

    async def start(self) -> None:
        """Loads the decoders (under a second). `RuntimeError` when children cannot be confined."""
        await self._sandbox.start()

    async def stop(self) -> None:
        """Ends every decoding process."""
        await self._sandbox.stop()

    async def inspect(self, sources: Sequence[Source]) -> Decoded:
        """Decodes one paper, of one file or several, and makes the copy for its recipients.

        Raises `ServiceError`: "type_not_allowed" (415); "file_too_large" (413); "file_empty",
        "too_many_parts", "does_not_decode", "password_protected", "too_many_pages",
        "too_many_pixels" (422); "decoder_busy", "decoder_unavailable" (503, come back). With
        several parts, `part` (from 1) says which one.
        """
        if not sources:
            raise invalid("file_empty")
        if len(sources) > self.limits.parts:
            raise invalid("too_many_parts", limit=self.limits.parts)
        async with self._job("inspect", sources) as (answer, output):
            try:
                return Decoded(self._inspection(answer, output, len(sources)), os.dup(output))
            except (KeyError, ValueError, TypeError):
                raise invalid("does_not_decode") from None

    async def preview(self, source: Source) -> bytes:
        """The first page, upright: JPEG, at most 1000 px wide, 300 KiB, without metadata.

        Raises as `inspect` does.
        """
        async with self._job("preview", [source]) as (answer, output):
            length = answer.get("length")
            if not isinstance(length, int) or not 0 < length <= PREVIEW_BYTES:
                raise invalid("does_not_decode")
            return os.pread(output, length, 0)

    @asynccontextmanager
    async def _job(
        self, job: str, sources: Sequence[Source]
    ) -> AsyncIterator[tuple[dict[str, Any], int]]:
        """The child's answer and the output's descriptor, open as long as the context."""
        async with AsyncExitStack() as held:
            output = memory_file(self.limits.output_bytes)
            held.callback(os.close, output)
            async with self._sandbox.slot():
                with ExitStack() as lent:
                    types, inputs, room = [], [], self.limits.input_bytes
                    for number, source in enumerate(sources, 1):
                        part = number if len(sources) > 1 else None
                        inputs.append(memory_file())
                        lent.callback(os.close, inputs[-1])
                        kind, length = await self._take(source, inputs[-1], room, part)
                        types.append(kind)
                        room -= length
                    order = {"job": job, "types": types}
                    try:
                        answer = await self._sandbox.run(order, inputs, output)
                    except Undecodable as refused:
                        raise _failure(refused, self.limits) from None
            yield answer, output

    async def _take(
        self, source: Source, into: int, room: int, part: int | None
    ) -> tuple[MediaType, int]:
        """Copies one part into memory outside ours; its type, as soon as its first bytes tell."""
        where = {} if part is None else {"part": part}
        kind, length = None, 0
        async for piece in source():
            length += len(piece)
            if length > room:
                limit = self.limits.input_bytes
                raise ServiceError(ErrorKind.TOO_LARGE, "file_too_large", limit=limit, **where)
            _write(into, piece)
            if kind is None and length >= sniff.PREFIX_BYTES:
                kind = _sniffed(into, where)
        if length == 0:
            raise invalid("file_empty", **where)
        kind = kind or _sniffed(into, where)
        freeze(into)
        return kind, length

    def _inspection(self, answer: dict[str, Any], output: int, parts: int) -> Inspection:
        """The child's words, checked one by one; anything odd is a `ValueError`."""
        rendition: MediaType | Literal["same"] = "same"
        length = 0
        if answer["rendition"] != "same":
            rendition, length = MediaType(answer["rendition"]), int(answer["length"])
            start = os.pread(output, sniff.PREFIX_BYTES, 0)[:length]
            if not 0 < length <= self.limits.output_bytes or sniff.media_type(start) != rendition:
                raise ValueError("the copy is not what the child says")
        found = tuple(_part(*told) for told in answer["parts"])
        if len(found) != parts or (parts > 1 and rendition == "same"):
            raise ValueError("not as many parts as given")
        notes = tuple(Note(note) for note in answer["notes"])
        return Inspection(found, rendition, length, notes)


def _write(descriptor: int, piece: bytes | bytearray | memoryview) -> None:
    rest = memoryview(piece)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _sniffed(descriptor: int, where: dict[str, int]) -> MediaType:
    kind = sniff.media_type(os.pread(descriptor, sniff.PREFIX_BYTES, 0))
    if kind is None:
        raise ServiceError(ErrorKind.UNSUPPORTED_TYPE, "type_not_allowed", **where)
    return kind


def _part(kind: str, pages: int, width: int | None, height: int | None) -> Part:
    sizes = tuple(None if side is None else int(side) for side in (width, height))
    return Part(MediaType(kind), int(pages), *sizes)


def _failure(refused: Undecodable, limits: Limits) -> ServiceError:
    """A child's word becomes one of ours; a word that it should not know becomes the plainest."""
    part = refused.values.get("part")
    where = {} if part is None else {"part": part}
    match refused.code:
        case "password_protected":
            return invalid("password_protected", **where)
        case "too_many_pages":
            return invalid("too_many_pages", limit=limits.pages, **where)
        case "too_many_pixels":
            return invalid("too_many_pixels", limit=limits.pixels, **where)
        case _:
            return invalid("does_not_decode", **where)
