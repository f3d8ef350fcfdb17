"""The decoder that use cases call: inspects files, makes copies for recipients and previews."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, Protocol, Self
from uuid import UUID

from base.errors import ErrorKind, ServiceError, invalid, not_found
from base.user_text import clean_text
from vault.decoding import sniff
from vault.decoding.confine import Protection
from vault.decoding.media import (
    MAX_CODE_LENGTH,
    MAX_CODES,
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
from vault.decoding.memory_files import write_whole
from vault.decoding.sandbox import Job, Sandbox

Source = Callable[[], AsyncIterator[bytes | bytearray | memoryview]]
"""Each call opens one part's plaintext from the start, in slices; buffers may be reused."""

SLICE_BYTES = 64 * 1024
PREVIEW_BYTES = 300 * 1024
THUMBNAIL_BYTES = 6 * 1024
_UNTRUE = (KeyError, ValueError, TypeError, ArithmeticError)
"""What reading an answer meets that is not as a child writes it."""
_MAX_COUNT = 2**31 - 1


class DecodingResult:
    """The findings and, unless it is "same", the recipient's copy, outside this process's memory.

    `preview` and `thumbnail` are as `Decoder.preview` and `Decoder.thumbnail` give them, or None:
    then a job draws them. Use it as an asynchronous context manager: leaving it frees the copy.
    """

    def __init__(
        self, inspection: Inspection, preview: bytes | None, thumbnail: bytes | None, output: int
    ) -> None:
        self.inspection = inspection
        self.preview = preview
        self.thumbnail = thumbnail
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


class Budget(Protocol):
    """Counts the processor seconds of each account."""

    async def take(self, job: str, account: UUID, seconds: float) -> None:
        """Take what a file may need at most. Raises `ServiceError` when there is not so much."""

    async def give_back(self, job: str, account: UUID, taken: float, spent: float) -> None:
        """Put back what was not spent."""


@dataclass(slots=True)
class _Bill:
    """The processor seconds that a file may take, and the job that takes them."""

    seconds: float
    job: Job | None = None


class Decoder:
    """Inspects files in child processes. One per process; `start` it, `stop` it.

    `budget`: what each account may spend; None, before it is set: as much as it takes.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.budget: Budget | None = None
        self._sandbox = Sandbox(self.limits)
        self._giving_back: set[asyncio.Task[None]] = set()

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
        await asyncio.gather(*self._giving_back)

    async def inspect(
        self, sources: Sequence[Source], *, account: UUID, size: int = 0
    ) -> DecodingResult:
        """Decodes one document of one or more files, `size` bytes in all, and makes the copy for
        its recipients and, where that is cheap, the preview. `account`: who deposits.

        Raises `ServiceError`: "type_not_allowed" (415); "file_too_large" (413); "file_empty",
        "too_many_parts", "does_not_decode", "password_protected", "too_many_pages",
        "too_many_pixels", "pdf_too_detailed", "unusual_image", "too_dear" (422);
        "too_many_at_once", "decoding_time_spent" (429); "decoder_busy", "decoder_unavailable" (503,
        retry later).
        With several parts, `part` (from 1) says which one.
        """
        if not sources:
            raise invalid("file_empty")
        if len(sources) > self.limits.parts:
            raise invalid("too_many_parts", limit=self.limits.parts)
        async with self._job("inspect", sources, account, size) as (answer, output):
            try:
                copy, preview, thumbnail = self._lengths(answer)
                inspection = self._inspection(answer, output, copy, len(sources))
                picture = _jpeg(output, copy, preview, PREVIEW_BYTES) if preview else None
                at = copy + preview
                small = _jpeg(output, at, thumbnail, THUMBNAIL_BYTES) if thumbnail else None
                return DecodingResult(inspection, picture, small, os.dup(output))
            except _UNTRUE:
                raise invalid("does_not_decode") from None

    async def preview(self, source: Source, *, account: UUID, size: int = 0) -> bytes:
        """The first page, upright: JPEG, at most 1000 px wide, 300 KiB, without metadata.

        Raises as `inspect` does.
        """
        async with self._job("preview", [source], account, size) as (answer, output):
            try:
                copy, preview, _ = self._lengths(answer)
                return _jpeg(output, copy, preview, PREVIEW_BYTES)
            except _UNTRUE:
                raise invalid("does_not_decode") from None

    async def thumbnail(self, source: Source, *, account: UUID, size: int = 0) -> bytes:
        """The first page, upright and tiny: JPEG, at most 160 px wide, 6 KiB, without metadata.

        Raises as `inspect` does.
        """
        async with self._job("thumbnail", [source], account, size) as (answer, output):
            try:
                copy, preview, thumbnail = self._lengths(answer)
                return _jpeg(output, copy + preview, thumbnail, THUMBNAIL_BYTES)
            except _UNTRUE:
                raise invalid("does_not_decode") from None

    async def page(self, source: Source, number: int, *, account: UUID, size: int = 0) -> bytes:
        """A page of a PDF, from 1, as `preview` draws the first. `account`: who looks at it.

        Raises `not_found` when there are not so many, and else as `inspect` does.
        """
        async with self._job("page", [source], account, size, page=number) as (answer, output):
            try:
                copy, drawn, _ = self._lengths(answer)
                return _jpeg(output, copy, drawn, PREVIEW_BYTES)
            except _UNTRUE:
                raise invalid("does_not_decode") from None

    async def codes(self, source: Source, *, account: UUID, size: int = 0) -> tuple[str, ...]:
        """The QR codes of ours on the first pages of a paper: at most 24 texts, of at most 100
        characters each. Raises as `inspect` does."""
        async with self._job("codes", [source], account, size) as (answer, _output):
            try:
                return tuple(_code(text) for text in answer["codes"][:MAX_CODES])
            except _UNTRUE:
                raise invalid("does_not_decode") from None

    @asynccontextmanager
    async def _job(
        self, job: str, sources: Sequence[Source], account: UUID, size: int, **more: int
    ) -> AsyncIterator[tuple[dict[str, Any], int]]:
        """The child's answer and the output's descriptor, open as long as the context. `more`: what
        the order says beside the files."""
        async with AsyncExitStack() as stack:
            async with self._sandbox.slot(account, size), self._paid(job, account, size) as bill:
                running = await stack.enter_async_context(self._sandbox.job())
                bill.job = running
                types, lengths = await self._copy_in(sources, running)
                order = {"job": job, "types": types, "lengths": lengths, **more}
                try:
                    answer = await running.run(order, bill.seconds)
                except Undecodable as error:
                    raise _failure(error, self.limits) from None
            yield answer, running.output

    @asynccontextmanager
    async def _paid(self, job: str, account: UUID, size: int) -> AsyncIterator["_Bill"]:
        """What the file may take, out of the account's budget; the rest goes back at the end,
        without anybody waiting for that."""
        bill = _Bill(self.limits.cpu_seconds_for(size))
        if self.budget is None:
            yield bill
            return
        await self.budget.take(job, account, bill.seconds)
        try:
            yield bill
        finally:
            spent = 0.0 if bill.job is None else bill.job.spent
            rest = self.budget.give_back(job, account, bill.seconds, spent)
            giving = asyncio.create_task(rest)
            self._giving_back.add(giving)
            giving.add_done_callback(self._giving_back.discard)

    async def _copy_in(
        self, sources: Sequence[Source], job: Job
    ) -> tuple[list[MediaType], list[int]]:
        """Writes the parts into the child's memory file; their types, from their first bytes, and
        their lengths."""
        types: list[MediaType] = []
        lengths: list[int] = []
        for number, source in enumerate(sources, 1):
            values: dict[str, Any] = {"part": number} if len(sources) > 1 else {}
            start = sum(lengths)
            length = await self._copy_part(source, job.source, start, values)
            types.append(_sniffed(job.source, start, length, values))
            lengths.append(length)
        return types, lengths

    async def _copy_part(
        self, source: Source, into: int, start: int, values: dict[str, Any]
    ) -> int:
        """Writes one part after the others; its length. What is not allowed is found early."""
        length, limit = 0, self.limits.input_bytes
        async for chunk in source():
            if length < sniff.PREFIX_BYTES <= length + len(chunk):
                write_whole(into, chunk)
                length += len(chunk)
                _sniffed(into, start, length, values)
                continue
            length += len(chunk)
            if start + length > limit:
                raise ServiceError(ErrorKind.TOO_LARGE, "file_too_large", limit=limit, **values)
            write_whole(into, chunk)
        if length == 0:
            raise invalid("file_empty", **values)
        return length

    def _lengths(self, answer: dict[str, Any]) -> tuple[int, int, int]:
        """Of the copy, of the preview after it and of the thumbnail after that, all inside the
        output."""
        copy, preview, thumbnail = lengths = answer["lengths"]
        if not all(isinstance(length, int) for length in lengths):
            raise TypeError("not lengths")
        if min(lengths) < 0 or sum(lengths) > self.limits.output_bytes:
            raise ValueError("longer than the output")
        return copy, preview, thumbnail

    def _inspection(
        self, answer: dict[str, Any], output: int, length: int, parts: int
    ) -> Inspection:
        """The child's answer, checked field by field; raises `ValueError` if anything is wrong."""
        rendition: MediaType | Literal["same"] = "same"
        if answer["rendition"] != "same":
            rendition = MediaType(answer["rendition"])
            start = os.pread(output, sniff.PREFIX_BYTES, 0)[:length]
            if not length or sniff.media_type(start) != rendition:
                raise ValueError("the copy is not what the child says")
        elif length:
            raise ValueError("a copy that is the same")
        inspected = tuple(_part(*values) for values in answer["parts"])
        if len(inspected) != parts or (parts > 1 and rendition == "same"):
            raise ValueError("not as many parts as given")
        notes = tuple(Note(note) for note in answer["notes"])
        carries = frozenset(Carries(each) for each in answer.get("carries", ()))
        found = answer.get("signatures", ())[:MAX_SIGNATURES]
        signatures = tuple(_signature(*each) for each in found)
        return Inspection(inspected, rendition, length, notes, carries, signatures)


def _code(text: object) -> str:
    if not isinstance(text, str) or len(text) > MAX_CODE_LENGTH:
        raise ValueError("not the text of a code")
    return text


def _jpeg(output: int, start: int, length: int, most: int) -> bytes:
    """A picture's bytes; raises `ValueError` unless it is a JPEG of at most `most` bytes."""
    if not 0 < length <= most:
        raise ValueError("not a length of this picture")
    picture = os.pread(output, length, start)
    if sniff.media_type(picture[: sniff.PREFIX_BYTES]) is not MediaType.JPEG:
        raise ValueError("not a JPEG")
    return picture


def _sniffed(descriptor: int, start: int, length: int, values: dict[str, Any]) -> MediaType:
    kind = sniff.media_type(os.pread(descriptor, min(length, sniff.PREFIX_BYTES), start))
    if kind is None:
        raise ServiceError(ErrorKind.UNSUPPORTED_TYPE, "type_not_allowed", **values)
    return kind


def _part(kind: str, pages: int, width: int | None, height: int | None) -> Part:
    sides = tuple(None if side is None else _count(side) for side in (width, height))
    return Part(MediaType(kind), _count(pages), *sides)


def _count(value: object) -> int:
    if type(value) is not int or not 0 < value <= _MAX_COUNT:
        raise ValueError("not a count of pages or pixels")
    return value


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
        case "no_such_page":
            return not_found()
        case "password_protected":
            return invalid("password_protected", **where)
        case "too_many_pages":
            return invalid("too_many_pages", limit=limits.pages, **where)
        case "too_many_pixels":
            return invalid("too_many_pixels", **where)
        case "pdf_too_detailed":
            return invalid("pdf_too_detailed", **where)
        case "unusual_image":
            return invalid("unusual_image", **where)
        case "too_dear":
            return invalid("too_dear", **where)
        case _:
            return invalid("does_not_decode", **where)
