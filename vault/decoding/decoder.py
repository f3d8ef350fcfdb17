"""The decoder that use cases call: inspects files, makes copies for recipients and previews."""

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, Self

from base.errors import ErrorKind, ServiceError, invalid
from base.user_text import clean_text
from vault.decoding import sniff
from vault.decoding.confine import Protection
from vault.decoding.media import (
    MAX_SIGNATURE_NAME,
    MAX_SIGNATURES,
    Carries,
    Inspection,
    Limits,
    MediaType,
    Note,
    Part,
    Signature,
    SignatureState,
    Undecodable,
)
from vault.decoding.sandbox import Sandbox, freeze, memory_file

Source = Callable[[], AsyncIterator[bytes | bytearray | memoryview]]
"""Each call opens one part's plaintext from the start, in slices; buffers may be reused."""

SLICE_BYTES = 64 * 1024
PREVIEW_BYTES = 300 * 1024


class DecodingResult:
    """The findings and, unless it is "same", the recipient's copy, outside this process's memory.

    Use it as an asynchronous context manager: leaving it frees the copy.
    """

    def __init__(self, inspection: Inspection, output: int) -> None:
        self.inspection = inspection
        self._output = output

    async def rendition(self) -> AsyncIterator[bytes]:
        """The copy in slices of at most 64 KiB; may be called again; empty when "same"."""
        at, end = 0, self.inspection.rendition_length
        while at < end:
            piece = os.pread(self._output, min(SLICE_BYTES, end - at), at)
            at += len(piece)
            yield piece

    def close(self) -> None:
        """Frees the copy; a second call does nothing."""
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
    """Inspects files in child processes. One per process; `start` it, `stop` it."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._sandbox = Sandbox(self.limits)

    @property
    def protections(self) -> frozenset[Protection]:
        """The protections observed inside a child at start-up; readiness reports them."""
        return self._sandbox.protections

    async def start(self) -> None:
        """Loads the decoders (under a second). `RuntimeError` when children cannot be confined."""
        await self._sandbox.start()

    async def stop(self) -> None:
        """Ends every decoding process."""
        await self._sandbox.stop()

    async def inspect(self, sources: Sequence[Source]) -> DecodingResult:
        """Decodes one document of one or more files, and makes the copy for its recipients.

        Raises `ServiceError`: "type_not_allowed" (415); "file_too_large" (413); "file_empty",
        "too_many_parts", "does_not_decode", "password_protected", "too_many_pages",
        "too_many_pixels" (422); "decoder_busy", "decoder_unavailable" (503, retry later).
        With several parts, `part` (from 1) says which one.
        """
        if not sources:
            raise invalid("file_empty")
        if len(sources) > self.limits.parts:
            raise invalid("too_many_parts", limit=self.limits.parts)
        async with self._job("inspect", sources) as (answer, output):
            try:
                return DecodingResult(
                    self._inspection(answer, output, len(sources)), os.dup(output)
                )
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
        async with AsyncExitStack() as output_stack:
            output = memory_file(self.limits.output_bytes)
            output_stack.callback(os.close, output)
            async with self._sandbox.slot():
                with ExitStack() as input_stack:
                    types, inputs, remaining = [], [], self.limits.input_bytes
                    for number, source in enumerate(sources, 1):
                        part = number if len(sources) > 1 else None
                        inputs.append(memory_file())
                        input_stack.callback(os.close, inputs[-1])
                        kind, length = await self._copy_in(source, inputs[-1], remaining, part)
                        types.append(kind)
                        remaining -= length
                    order = {"job": job, "types": types}
                    try:
                        answer = await self._sandbox.run(order, inputs, output)
                    except Undecodable as error:
                        raise _failure(error, self.limits) from None
            yield answer, output

    async def _copy_in(
        self, source: Source, into: int, max_bytes: int, part: int | None
    ) -> tuple[MediaType, int]:
        """Copies one part into a memory file; its type, from its first bytes, and its length."""
        values: dict[str, Any] = {} if part is None else {"part": part}
        kind, length = None, 0
        async for chunk in source():
            length += len(chunk)
            if length > max_bytes:
                limit = self.limits.input_bytes
                raise ServiceError(ErrorKind.TOO_LARGE, "file_too_large", limit=limit, **values)
            _write(into, chunk)
            if kind is None and length >= sniff.PREFIX_BYTES:
                kind = _sniffed(into, values)
        if length == 0:
            raise invalid("file_empty", **values)
        kind = kind or _sniffed(into, values)
        freeze(into)
        return kind, length

    def _inspection(self, answer: dict[str, Any], output: int, parts: int) -> Inspection:
        """The child's answer, checked field by field; raises `ValueError` if anything is wrong."""
        rendition: MediaType | Literal["same"] = "same"
        length = 0
        if answer["rendition"] != "same":
            rendition, length = MediaType(answer["rendition"]), int(answer["length"])
            start = os.pread(output, sniff.PREFIX_BYTES, 0)[:length]
            if not 0 < length <= self.limits.output_bytes or sniff.media_type(start) != rendition:
                raise ValueError("the copy is not what the child says")
        inspected = tuple(_part(*values) for values in answer["parts"])
        if len(inspected) != parts or (parts > 1 and rendition == "same"):
            raise ValueError("not as many parts as given")
        notes = tuple(Note(note) for note in answer["notes"])
        carries = frozenset(Carries(each) for each in answer.get("carries", ()))
        signatures = tuple(
            _signature(*each) for each in answer.get("signatures", ())[:MAX_SIGNATURES]
        )
        return Inspection(inspected, rendition, length, notes, carries, signatures)


def _write(descriptor: int, piece: bytes | bytearray | memoryview) -> None:
    rest = memoryview(piece)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _sniffed(descriptor: int, values: dict[str, Any]) -> MediaType:
    kind = sniff.media_type(os.pread(descriptor, sniff.PREFIX_BYTES, 0))
    if kind is None:
        raise ServiceError(ErrorKind.UNSUPPORTED_TYPE, "type_not_allowed", **values)
    return kind


def _part(kind: str, pages: int, width: int | None, height: int | None) -> Part:
    sizes = tuple(None if side is None else int(side) for side in (width, height))
    return Part(MediaType(kind), int(pages), *sizes)


def _signature(signer: str | None, signed_at: str | None, state: str) -> Signature:
    """A signature as the child tells it: its texts are bounded, and hold no control character."""
    name = (
        None if signer is None else clean_text(str(signer)[:MAX_SIGNATURE_NAME], MAX_SIGNATURE_NAME)
    )
    at = None if signed_at is None else datetime.fromisoformat(signed_at).astimezone(UTC)
    return Signature(name, at, SignatureState(state))


def _failure(error: Undecodable, limits: Limits) -> ServiceError:
    """The service's error for a child's error code; `does_not_decode` for an unknown one."""
    part = error.values.get("part")
    where: dict[str, Any] = {} if part is None else {"part": part}
    match error.code:
        case "password_protected":
            return invalid("password_protected", **where)
        case "too_many_pages":
            return invalid("too_many_pages", limit=limits.pages, **where)
        case "too_many_pixels":
            return invalid("too_many_pixels", limit=limits.pixels, **where)
        case _:
            return invalid("does_not_decode", **where)
