"""HTTP/1.1 on a connection, with a bound to its heads: they are read before anyone is asked who
they are."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD = 64 * 1024
"""Bytes of a request line and its headers together, trailers included."""


class _TooLong(Exception):
    """The head of a request is longer than any of ours."""


class BoundedProtocol(HttpToolsProtocol):
    """Uvicorn's, which sets no bound of its own to what it keeps of a head: one anonymous
    connection could fill the memory. A longer one is answered 400 and closed."""

    _head = 0
    # Bytes since the parser last gave something: it is gathering one name or one value.
    _silent = 0

    def data_received(self, data: bytes) -> None:
        """At most one more read than the bound is ever kept."""
        self._silent += len(data)
        super().data_received(data)
        if self._silent > MOST_HEAD and not self.transport.is_closing():
            self.send_400_response("Request head too long.")

    def on_message_begin(self) -> None:
        self._head = self._silent = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._silent = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._silent = 0
        super().on_body(body)

    def on_chunk_header(self) -> None:
        """Of a chunked body; its callback exists only where it is declared."""
        self._silent = 0

    def on_message_complete(self) -> None:
        self._silent = 0
        super().on_message_complete()

    def _count(self, length: int) -> None:
        self._silent = 0
        self._head += length
        if self._head > MOST_HEAD:
            raise _TooLong
