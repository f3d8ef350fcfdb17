"""HTTP/1.1 on a connection, with a limit on request heads: they are read before the caller is
authenticated. What follows a chunked body is no part of the head."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD = 64 * 1024
"""Bytes of a request line and its headers together, trailers included."""


class _TooLong(Exception):
    """The head of a request is longer than `MAX_HEAD`."""


class BoundedProtocol(HttpToolsProtocol):
    """Uvicorn's protocol with a limit: it has none of its own on the head that it keeps, so that
    one anonymous connection could fill the memory. A longer head is answered 400 and closed.

    Trailers are counted and dropped (RFC 9110 §6.5.1): uvicorn adds them to the headers, so that a
    caller could write after its body what the proxy had written, or taken out, before it.
    """

    _head_length = 0
    _head_complete = False
    # Bytes since the parser's last callback: it is buffering one name or one value.
    _buffered = 0

    def data_received(self, data: bytes) -> None:
        """At most one read more than the limit is kept."""
        self._buffered += len(data)
        super().data_received(data)
        if self._buffered > MAX_HEAD and not self.transport.is_closing():
            self.send_400_response("Request head too long.")

    def on_message_begin(self) -> None:
        self._head_length = self._buffered = 0
        self._head_complete = False
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        if not self._head_complete:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._buffered = 0
        self._head_complete = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._buffered = 0
        super().on_body(body)

    def on_chunk_header(self) -> None:
        """At each chunk of a chunked body; httptools calls it only where it is defined."""
        self._buffered = 0

    def on_message_complete(self) -> None:
        self._buffered = 0
        super().on_message_complete()

    def _count(self, length: int) -> None:
        self._buffered = 0
        self._head_length += length
        if self._head_length > MAX_HEAD:
            raise _TooLong
