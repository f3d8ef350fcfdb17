"""The structure of a JPEG file: its frame, its segments, its scans (ITU-T T.81 annex B). Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from vault.decoding.media import Undecodable

SOI, EOI, SOS, APP0, APP1, APP2, APP14 = 0xD8, 0xD9, 0xDA, 0xE0, 0xE1, 0xE2, 0xEE
END = b"\xff\xd9"
_DHT, _JPG, _DAC, _DQT, _DNL, _DRI, _COM = 0xC4, 0xC8, 0xCC, 0xDB, 0xDC, 0xDD, 0xFE
FRAMES = frozenset(range(0xC0, 0xD0)) - {_DHT, _JPG, _DAC}
TABLES = frozenset({_DHT, _DAC, _DQT, _DRI})
_SEQUENTIAL = frozenset({b"\xc0", b"\xc1", b"\xc3", b"\xc9"})
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_AFTER_A_SCAN = TABLES | {SOS, _DNL, _COM, *range(0xE0, 0xF0)}
_NEXT_MARKER = re.compile(rb"\xff+([^\x00\xff])", re.DOTALL)
_END_OF_SCAN = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])", re.DOTALL)


@dataclass(frozen=True)
class Frame:
    """How the pixels are coded. `coding` is the marker: 0xC0 baseline, 0xC2 progressive…"""

    coding: int
    precision: int
    height: int
    width: int
    components: int

    @property
    def arithmetic(self) -> bool:
        """Entropy coding that browsers do not decode."""
        return self.coding >= 0xC9

    @property
    def lossless(self) -> bool:
        return self.coding in {0xC3, 0xC7, 0xCB, 0xCF}


@dataclass(frozen=True)
class Segment:
    """A marker segment; `scan` is the coded data after a start of scan, else empty."""

    marker: int
    payload: bytes
    scan: bytes = b""

    def written(self) -> bytes:
        length = (len(self.payload) + 2).to_bytes(2, "big")
        return bytes((0xFF, self.marker)) + length + self.payload + self.scan


@dataclass(frozen=True)
class Jpeg:
    """`ended`: the end-of-image marker was met; if not, the last scan may hold foreign bytes at its
    end, or lack some of its own."""

    frame: Frame
    segments: tuple[Segment, ...]
    ended: bool


def read(data: bytes) -> Jpeg:
    """The segments up to the end of the image, or up to what cannot belong to it.

    Raises `Undecodable` when there is no frame or no scan.
    """
    segments: list[Segment] = []
    ended = False
    for segment in _segments(data):
        if segment.marker == EOI:
            ended = True
        else:
            segments.append(segment)
    frames = [_frame(segment) for segment in segments if segment.marker in FRAMES]
    if len(frames) != 1 or not any(segment.marker == SOS for segment in segments):
        raise Undecodable
    return Jpeg(frames[0], tuple(segments), ended)


def _frame(segment: Segment) -> Frame:
    payload = segment.payload
    if len(payload) < 6:
        raise Undecodable
    height, width = int.from_bytes(payload[1:3], "big"), int.from_bytes(payload[3:5], "big")
    return Frame(segment.marker, payload[0], height, width, payload[5])


def _segments(data: bytes) -> Iterator[Segment]:
    """Ends at the end of the image; after a scan also at what cannot follow one."""
    if not data.startswith(b"\xff\xd8"):
        raise Undecodable
    at, frame, scanned = 2, b"", False
    while (mark := _NEXT_MARKER.search(data, at)) is not None:
        # Decoders skip fill bytes and stray bytes between segments, so they are dropped here.
        marker, at = mark[1][0], mark.end()
        if marker == EOI:
            yield Segment(EOI, b"")
            return
        if marker in _STANDALONE:
            continue
        payload = _payload(data, at)
        if payload is None or marker == SOI or (scanned and marker not in _AFTER_A_SCAN):
            return
        at, scan = at + 2 + len(payload), b""
        if marker in FRAMES:
            frame = bytes((marker,)) + payload
        if marker == SOS:
            end = _end_of_scan(data, at)
            scan = data[at:].rstrip(b"\xff") if end is None else data[at:end]
            at, scanned = at + len(scan), True
        yield Segment(marker, payload, scan)
        if marker == SOS and _is_only_scan(frame, payload) and not _ends(data, at):
            return


def _end_of_scan(data: bytes, at: int) -> int | None:
    """Where the marker after the coded data begins; `None` at the end of the file."""
    end = data.find(END, at)
    if end >= 0 and data.count(b"\xff", at, end) == data.count(b"\xff\x00", at, end):
        return end  # the usual case, told ten times faster than by the expression
    mark = _END_OF_SCAN.search(data, at)
    return None if mark is None else mark.start()


def _payload(data: bytes, at: int) -> bytes | None:
    """What the length at `at` announces; `None` when the file ends before."""
    # A length below 2 says that nothing follows; decoders then look for the next marker.
    length = max(2, int.from_bytes(data[at : at + 2], "big"))
    return data[at + 2 : at + length] if at + length <= len(data) else None


def _is_only_scan(frame: bytes, scan: bytes) -> bool:
    """Whether one scan holds all components, each whole: nothing but the end may follow it."""
    return frame[:1] in _SEQUENTIAL and frame[6:7] == scan[:1]


def _ends(data: bytes, at: int) -> bool:
    following = _NEXT_MARKER.match(data, at)
    return following is not None and following[1][0] in {EOI, _DNL}
