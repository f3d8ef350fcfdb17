"""A multipart form read as it arrives (RFC 7578): files stream to the caller, fields are kept.

No part is spooled: the sign-in was checked before the first byte is read, and each slice goes
from the socket straight to sealing.
"""

from collections import deque
from collections.abc import AsyncIterator, Callable, Collection
from email.message import Message

from fastapi import Request
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from base.errors import ErrorKind, Field, ServiceError, invalid

MAX_PARTS = 140
MAX_BOUNDARY_BYTES = 200
MAX_FIELD_BYTES = 8 * 1024
MAX_HEADER_BYTES = 16 * 1024
_OVERHEAD = 64 * 1024

_Event = tuple[str, bytes]
_BEGIN, _NAME, _VALUE, _HEADERS, _DATA, _END = "begin", "name", "value", "headers", "data", "end"


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

    async def files(self) -> AsyncIterator["IncomingPart"]:
        """The files, one at a time; each must be read before the next."""
        while (event := await self._next()) is not None:
            if event[0] != _BEGIN:
                continue
            headers = await self._headers()
            name, file_name = _disposition(headers)
            if file_name is not None and name == self._file_field:
                part = IncomingPart(file_name, self)
                yield part
                await part.drain()
            elif file_name is not None:
                raise invalid("unknown_field", fields=[()])
            else:
                await self._field(name)

    async def slices(self) -> AsyncIterator[bytes]:
        """The data of the current part."""
        while (event := await self._next()) is not None and event[0] != _END:
            yield event[1]

    async def _field(self, name: str) -> None:
        value = bytearray()
        async for piece in self.slices():
            value += piece
            if len(value) > MAX_FIELD_BYTES:
                at = self._named(name)
                raise ServiceError(ErrorKind.TOO_LARGE, "field_too_large", fields=[at])
        if name in self.fields:
            raise invalid("repeated_field", fields=[self._named(name)])
        try:
            self.fields[name] = value.decode()
        except UnicodeDecodeError:
            raise ServiceError(ErrorKind.MALFORMED, "malformed_form") from None

    def _named(self, name: str) -> Field:
        """The field, or the form itself."""
        return (name,) if name in self._known else ()

    async def _headers(self) -> Message:
        headers, name, size = Message(), b"", 0
        while (event := await self._next()) is not None and event[0] != _HEADERS:
            kind, data = event
            size += len(data)
            if size > MAX_HEADER_BYTES:
                raise ServiceError(ErrorKind.MALFORMED, "malformed_form")
            if kind == _NAME:
                name += data
            elif kind == _VALUE:
                headers[name.decode("latin-1")] = data.decode("latin-1")
                name = b""
        return headers

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
                self._events.append((kind, data[start:end]))

            return with_data

        def mark(kind: str) -> Callable[..., None]:
            return lambda: self._events.append((kind, b""))

        return {
            "on_part_begin": self._begin_part,
            "on_header_field": put(_NAME),
            "on_header_value": put(_VALUE),
            "on_header_end": lambda: None,
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

    def __init__(self, name: str, form: MultipartForm) -> None:
        self.name: str | None = name
        self._form = form
        self._slices = form.slices()

    async def slices(self) -> AsyncIterator[bytes]:
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
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 0 < len(boundary) <= MAX_BOUNDARY_BYTES:
        raise ServiceError(ErrorKind.UNSUPPORTED_TYPE, "form_expected")
    return boundary


def _disposition(headers: Message) -> tuple[str, str | None]:
    """The name of the field, and of the file if the part is one."""
    value = headers.get("content-disposition", "")
    kind, options = parse_options_header(value.encode("latin-1"))
    name = options.get(b"name")
    if kind != b"form-data" or name is None or headers.get("content-transfer-encoding"):
        raise ServiceError(ErrorKind.MALFORMED, "malformed_form")
    file_name = options.get(b"filename")
    decoded = None if file_name is None else file_name.decode("utf-8", "replace")
    return name.decode("utf-8", "replace"), decoded
