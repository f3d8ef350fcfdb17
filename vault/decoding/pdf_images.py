"""What the streams of a PDF hold: photos and colour profiles are cleaned as photos are, and nothing
expands too much."""

import zlib
from dataclasses import dataclass, field

import pikepdf

from vault.decoding import colour_profiles, jpeg2000, strip
from vault.decoding import pdf_rules as rules
from vault.decoding.media import Limits, Undecodable
from vault.decoding.pdf_objects import Objects, Stream, filters

_FLATE = frozenset({"/FlateDecode", "/Fl"})
_DCT = frozenset({"/DCTDecode", "/DCT"})
_ONE_CHANNEL = frozenset({"/DeviceGray", "/CalGray", "/Indexed", "/I", "/G"})
_EOI = b"\xff\xd9"
_SLIGHT = 4
"""Bytes after the end of a photo that say nothing, such as the end of a line."""


@dataclass
class Streams:
    """The streams of one open PDF. `located`: a photo said where it was taken; `detailed`: one
    said anything beside its pixels."""

    pdf: pikepdf.Pdf
    objects: Objects
    limits: Limits
    located: bool = False
    detailed: bool = False
    _writes: dict[str, tuple[bytes, str | None]] = field(default_factory=dict)
    _profiles: dict[str, bool] = field(default_factory=dict)

    def is_profile(self, reference: str) -> bool:
        """Whether the stream is a colour profile that can be handed on; it is cleaned then."""
        if reference not in self._profiles:
            self._profiles[reference] = self._clean_profile(reference)
        return self._profiles[reference]

    def _clean_profile(self, reference: str) -> bool:
        stream = self.objects.resolved(reference)
        if not isinstance(stream, Stream):
            return False
        names = filters(self.objects, stream)
        if not all(name in rules.FILTERS for name in names):
            return False
        self._check(reference, names)
        profile = self._unfiltered(reference, len(names))
        cleaned = colour_profiles.cleaned(profile)
        if cleaned is not None and cleaned != profile:
            self._writes[reference] = (cleaned, None)
        return cleaned is not None

    def examine(self, kept: dict[str, str]) -> None:
        """Checks every stream that is kept, and cleans the photos. Raises `Undecodable`."""
        for reference in kept:
            stream = self.objects.by_reference.get(reference)
            if not isinstance(stream, Stream):
                continue
            names = filters(self.objects, stream)
            self._check(reference, names)
            if self.objects.get(stream, "/Subtype") == "/Image":
                self._measure(stream)
                self._clean_photo(reference, names)

    def write(self) -> None:
        """Puts what was cleaned into the PDF."""
        for reference, (data, last_filter) in self._writes.items():
            held = self.objects.opened(reference)
            if last_filter is None:
                held.write(data)
                continue
            parameters = _as_list(held.stream_dict.get("/DecodeParms"))[-1:]
            last = next((each for each in parameters if isinstance(each, pikepdf.Dictionary)), None)
            held.write(data, filter=pikepdf.Name(last_filter), decode_parms=last)

    def _clean_photo(self, reference: str, names: list[str]) -> None:
        if not names or names[-1] not in rules.IMAGE_FILTERS:
            return
        if names[-1] in _DCT:
            data = self._unfiltered(reference, len(names) - 1)
            stripped = _stripped_jpeg(data)
            cleaned = stripped.data
            self.located = self.located or stripped.located
        elif names[-1] == "/JPXDecode":
            data = self._unfiltered(reference, len(names) - 1)
            cleaned = jpeg2000.stripped(data)
        else:
            return
        if cleaned != data:
            self._writes[reference] = (cleaned, names[-1])
            self.detailed = self.detailed or len(data) - len(cleaned) > _SLIGHT

    # --- sizes ---

    def _check(self, reference: str, names: list[str]) -> None:
        """Refuses a stream that expands to more than `limits.stream_bytes`.

        The last filter of an image does not count: an image is measured by its sides.
        """
        stream = self.objects.by_reference[reference]
        if self.objects.get(stream, "/Subtype") == "/Image":
            names = names[:-1]
        raw = memoryview(self.objects.opened(reference).get_raw_stream_buffer())
        most = len(raw)
        for name in names:
            most *= rules.FILTERS.get(name, 1)
        if most <= self.limits.stream_bytes:
            return
        if len(names) == 1 and names[0] in _FLATE:
            _check_deflated(raw, self.limits.stream_bytes)
        elif len(self._unfiltered(reference, len(names))) > self.limits.stream_bytes:
            raise Undecodable

    def _measure(self, image: Stream) -> None:
        """Refuses an image whose samples take more than half of a child's memory."""
        sides = [self.objects.get(image, key) for key in ("/Width", "/Height")]
        width, height = (side if isinstance(side, int) else 0 for side in sides)
        depth = self.objects.get(image, "/BitsPerComponent")
        bits = depth if isinstance(depth, int) and 0 < depth <= 16 else 8
        space = self.objects.get(image, "/ColorSpace")
        family = self.objects.resolved(space[0]) if isinstance(space, list) and space else space
        if self.objects.get(image, "/ImageMask") is True:
            bits, family = 1, "/DeviceGray"
        channels = 1 if family in _ONE_CHANNEL else 3
        if width * height * bits * channels // 8 > self.limits.memory_bytes // 2:
            raise Undecodable("too_many_pixels", limit=self.limits.pixels)

    def _unfiltered(self, reference: str, outer: int) -> bytes:
        """The data of a stream after its `outer` first filters."""
        held = self.objects.opened(reference)
        if outer == 0:
            return held.read_raw_bytes()
        names = _as_list(held.stream_dict.get("/Filter"))
        parameters = _as_list(held.stream_dict.get("/DecodeParms"))
        part = pikepdf.Stream(self.pdf, held.read_raw_bytes())
        part.stream_dict["/Filter"] = pikepdf.Array(names[:outer])
        if any(isinstance(each, pikepdf.Dictionary) for each in parameters[:outer]):
            part.stream_dict["/DecodeParms"] = pikepdf.Array(parameters[:outer])
        try:
            return part.read_bytes()
        except pikepdf.PdfError:
            raise Undecodable from None


def _as_list(value: pikepdf.Object | None) -> list[pikepdf.Object]:
    if value is None:
        return []
    return list(value) if isinstance(value, pikepdf.Array) else [value]


def _check_deflated(raw: memoryview, limit: int) -> None:
    inflater, total, piece = zlib.decompressobj(), 0, bytes(raw)
    while piece and not inflater.eof:
        try:
            total += len(inflater.decompress(piece, 1 << 20))
        except zlib.error:
            return  # A reader shows what is before the damage.
        if total > limit:
            raise Undecodable
        piece = inflater.unconsumed_tail


def _stripped_jpeg(data: bytes) -> strip.Stripped:
    """Readers of PDF show a photo without its end, or without anything, so neither is refused."""
    for attempt in (data, data + _EOI):
        try:
            return strip.jpeg(attempt)
        except Undecodable:
            continue
    return strip.Stripped(b"", 1, located=False)
