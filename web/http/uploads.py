"""A multipart form read as it arrives (RFC 7578): files stream to the caller, fields are kept.

No part is spooled: the sign-in was checked before the first byte is read, and each slice goes
from the socket straight to sealing.
"""

from collections import deque
from collections.abc import AsyncIterator, Callable, Collection

from fastapi import Request
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser
from starlette.requests import ClientDisconnect

from base.errors import ErrorKind, Field, ServiceError, invalid
from web.http.part_headers import Disposition, boundary_of, disposition_of, encoding_named

MAX_PARTS = 140
MAX_BOUNDARY_BYTES = 200
MAX_FIELD_BYTES = 8 * 1024
MAX_HEADER_BYTES = 16 * 1024
_OVERHEAD = 64 * 1024

_Event = tuple[str, bytes | memoryview]
_BEGIN, _NAME, _VALUE, _HEADER_END = "begin", "name", "value", "header_end"
_HEADERS, _DATA, _END = "headers", "data", "end"
_CHARSET = "_charset_"


class MultipartForm:
    """One form being received. `fields` is complete once `files()` is exhausted.

    `known`: the names of its other fields, which an error may repeat; no other name is.
    `announced`: the bytes of its files at least, by the length of the body; 0 when not said.
    """

    def __init__(
        self,
        request: Request,
        limit: int,
        *,
        file_field: str = "file",
        known: Collection[str] = (),
    ) -> None:
        self.fields: dict[str, str] = {}
        self._known = known
        self._request = request
        self._file_field = file_field
        self._events: deque[_Event] = deque()
        self._parts = 0
        self.announced = max(0, _check_length(request, limit) - _OVERHEAD)
        self._parser = MultipartParser(_boundary(request), self._callbacks())  # type: ignore[arg-type]  # its TypedDict wants every key
        self._body = request.stream()
        self._ended = False
        self._complete = False
        self._encoding = "utf-8"

    async def files(self) -> AsyncIterator["IncomingPart"]:
        """The files, one at a time; each must be read before the next. What browsers send where
        no file was picked, neither name nor bytes, is none."""
        while (event := await self._next()) is not None:
            if event[0] != _BEGIN:
                continue
            part = disposition_of(await self._headers())
            is_file = part.is_file or part.name == self._file_field
            if is_file and not part.file_name and await self._is_empty():
                continue
            if is_file and part.name != self._file_field:
                raise invalid("unknown_field", fields=[()])
            if is_file:
                incoming = IncomingPart(part.file_name, self)
                yield incoming
                await incoming.drain()
            else:
                await self._field(part)

    async def slices(self) -> AsyncIterator[bytes | memoryview]:
        """The data of the current part: parts of what was received, without a copy."""
        while (event := await self._next()) is not None and event[0] != _END:
            yield event[1]

    async def _field(self, part: Disposition) -> None:
        name, value = part.name, bytearray()
        async for piece in self.slices():
            value += piece
            if len(value) > MAX_FIELD_BYTES:
                at = self._named(name)
                raise ServiceError(ErrorKind.TOO_LARGE, "field_too_large", fields=[at])
        try:
            text = value.decode(part.encoding or self._encoding)
        except UnicodeDecodeError:
            raise ServiceError(ErrorKind.MALFORMED, "malformed_form") from None
        if name == _CHARSET:
            # RFC 7578 §4.6: how the fields after it are written.
            self._encoding = encoding_named(text)
            return
        if name in self.fields:
            raise invalid("repeated_field", fields=[self._named(name)])
        self.fields[name] = text

    def _named(self, name: str) -> Field:
        """The field, or the form itself."""
        return (name,) if name in self._known else ()

    async def _headers(self) -> dict[str, str]:
        """The headers of a part, their names in lower case. A name or a value that arrives in
        pieces is one; one that is said twice is refused, since each reader takes another."""
        headers: dict[str, str] = {}
        name, value, size = bytearray(), bytearray(), 0
        while (event := await self._next()) is not None and event[0] != _HEADERS:
            kind, data = event
            size += len(data)
            if size > MAX_HEADER_BYTES:
                raise ServiceError(ErrorKind.MALFORMED, "malformed_form")
            if kind == _NAME:
                name += data
            elif kind == _VALUE:
                value += data
            elif kind == _HEADER_END:
                key = name.decode("latin-1").lower()
                if key in headers:
                    raise ServiceError(ErrorKind.MALFORMED, "malformed_form")
                headers[key] = value.decode("latin-1").strip(" \t")
                name, value = bytearray(), bytearray()
        return headers

    async def _is_empty(self) -> bool:
        """Whether the current part has no bytes; they are read after, if it has."""
        while (event := await self._next()) is not None:
            if event[0] == _END:
                return True
            if event[1]:
                self._events.appendleft(event)
                return False
        return True

    async def _next(self) -> _Event | None:
        """The next event of the parser; None at the end of a complete form."""
        while not self._events:
            if self._ended:
                return None
            await self._feed()
        return self._events.popleft()

    async def _feed(self) -> None:
        try:
            async for chunk in self._body:
                if chunk:
                    self._parser.write(chunk)
                    return
            self._ended = True
            self._parser.finalize()
        except (MultipartParseError, ClientDisconnect):
            # A client that disconnected reads no answer; its form is dropped like any cut one.
            raise ServiceError(ErrorKind.MALFORMED, "malformed_form") from None
        if not self._events and not self._complete:
            raise ServiceError(ErrorKind.MALFORMED, "malformed_form")

    def _callbacks(self) -> dict[str, Callable[..., None]]:
        def put(kind: str) -> Callable[..., None]:
            def with_data(data: bytes, start: int, end: int) -> None:
                self._events.append((kind, memoryview(data)[start:end]))

            return with_data

        def mark(kind: str) -> Callable[..., None]:
            return lambda: self._events.append((kind, b""))

        return {
            "on_part_begin": self._begin_part,
            "on_header_field": put(_NAME),
            "on_header_value": put(_VALUE),
            "on_header_end": mark(_HEADER_END),
            "on_headers_finished": mark(_HEADERS),
            "on_part_data": put(_DATA),
            "on_part_end": mark(_END),
            "on_end": self._end_form,
        }

    def _begin_part(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise invalid("too_many_fields", limit=MAX_PARTS)
        self._events.append((_BEGIN, b""))

    def _end_form(self) -> None:
        self._complete = True


class IncomingPart:
    """A file of the form, read once."""

    def __init__(self, name: str | None, form: MultipartForm) -> None:
        self.name = name
        self._form = form
        self._slices = form.slices()

    async def slices(self) -> AsyncIterator[bytes | memoryview]:
        """Its bytes, as they arrive."""
        async for piece in self._slices:
            yield piece

    async def drain(self) -> None:
        """Skip what was not read."""
        async for _ in self._slices:
            pass


def _check_length(request: Request, limit: int) -> int:
    """The announced length of the body, or 0. Refuses at once one that is over the limit."""
    announced = request.headers.get("content-length")
    if announced is None:
        return 0
    if not announced.isdecimal():
        raise ServiceError(ErrorKind.MALFORMED, "malformed_form")
    if int(announced[:20]) > limit + _OVERHEAD:
        raise ServiceError(ErrorKind.TOO_LARGE, "too_large", limit_mib=limit // (1024 * 1024))
    return int(announced)


def _boundary(request: Request) -> bytes:
    try:
        boundary = boundary_of(request.headers.get("content-type", ""))
    except ServiceError:
        boundary = None
    if boundary is None or not 0 < len(boundary) <= MAX_BOUNDARY_BYTES:
        raise ServiceError(ErrorKind.UNSUPPORTED_TYPE, "form_expected")
    return boundary
