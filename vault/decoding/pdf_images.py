"""What the streams of a PDF hold: photos and colour profiles are cleaned as photos are, nothing
stands behind the end of compressed data, and nothing expands too much."""

import contextlib
import zlib
from contextlib import suppress
from dataclasses import dataclass, field, replace

import pikepdf

from vault.decoding import colour_profiles, jpeg2000, jpeg_end, pdf_inline_images, strip
from vault.decoding import pdf_rules as rules
from vault.decoding.media import Limits, Undecodable
from vault.decoding.pdf_objects import Objects, StreamDictionary, filters

_FLATE = frozenset({"/FlateDecode", "/Fl"})
_DCT = frozenset({"/DCTDecode", "/DCT"})
_PHOTOS = _DCT | {"/JPXDecode"}
_ONE_CHANNEL = frozenset({"/DeviceGray", "/CalGray", "/Indexed", "/I", "/G"})
_CHANNELS = {"/DeviceGray": 1, "/CalGray": 1, "/Indexed": 1, "/I": 1, "/DeviceRGB": 3} | {
    "/CalRGB": 3,
    "/Lab": 3,
    "/DeviceCMYK": 4,
}
_SAMPLES_BYTES = 64 * 1024 * 1024
"""Of all images' samples that are inflated to find where they end; beyond, only sizes count."""
_SLIGHT = 4
"""Bytes after the end of a photo that say nothing, such as the end of a line."""


class _DamagedError(Exception):
    """Data that its filters do not read: left to the readers of the PDF, which may."""


@dataclass
class Streams:
    """The streams of one open PDF. `located`: a photo said where it was taken; `detailed`: one
    said anything beside its pixels; `plain`: bytes of those that the file holds uncompressed."""

    pdf: pikepdf.Pdf
    objects: Objects
    limits: Limits
    located: bool = False
    detailed: bool = False
    plain: int = 0
    _writes: dict[str, tuple[bytes, str | None]] = field(default_factory=dict)
    _cuts: dict[str, bytes] = field(default_factory=dict)
    _profiles: dict[str, bool] = field(default_factory=dict)
    _images: set[str] = field(default_factory=set)
    _samples: int = _SAMPLES_BYTES

    def is_profile(self, reference: str) -> bool:
        """Whether the stream is a colour profile that can be handed on; it is cleaned then."""
        if reference not in self._profiles:
            self._profiles[reference] = self._clean_profile(reference)
        return self._profiles[reference]

    def _clean_profile(self, reference: str) -> bool:
        stream = self.objects.resolved(reference)
        if not isinstance(stream, StreamDictionary):
            return False
        names = filters(self.objects, stream)
        if not all(name in rules.FILTERS for name in names):
            return False
        try:
            profile = self._data(reference, names)
        except _DamagedError:
            return False
        cleaned = colour_profiles.cleaned(profile)
        if cleaned is not None and cleaned != profile:
            self._writes[reference] = (cleaned, None)
        return cleaned is not None

    def examine(self, kept: dict[str, str]) -> None:
        """Checks every stream that is kept, and cleans it. Raises `Undecodable`."""
        for reference, role in kept.items():
            stream = self.objects.by_reference.get(reference)
            if not isinstance(stream, StreamDictionary) or reference in self._profiles:
                continue
            with contextlib.suppress(_DamagedError):
                names = filters(self.objects, stream)
                if not names:
                    self.plain += len(self.objects.opened(reference).read_raw_bytes())
                # What it is decides its role: a page's content may say of itself that it is one.
                if role == "xobject" and self.objects.get(stream, "/Subtype") == "/Image":
                    self._images.add(reference)
                    self._clean_image(reference, stream, names)
                else:
                    self._clean_content(reference, names)

    def _clean_image(self, reference: str, stream: StreamDictionary, names: list[str]) -> None:
        self._measure(stream)
        if names and names[-1] in rules.IMAGE_FILTERS:
            self._clean_photo(reference, names)
        else:
            self._clean_samples(reference, names)

    def content(self, reference: str) -> bytes:
        """The data of a stream that is kept and is no image."""
        if reference in self._writes:
            return self._writes[reference][0]
        stream = self.objects.resolved(reference)
        if not isinstance(stream, StreamDictionary) or reference in self._images:
            return b""
        try:
            return self._data(reference, filters(self.objects, stream))
        except _DamagedError:
            return b""

    def write(self) -> None:
        """Puts what was cleaned into the PDF."""
        for reference, raw in self._cuts.items():
            held = self.objects.opened(reference)
            given = _as_list(held.stream_dict.get("/DecodeParms"))
            only = next((each for each in given if isinstance(each, pikepdf.Dictionary)), None)
            held.write(raw, filter=pikepdf.Name.FlateDecode, decode_parms=only)
        for reference, (data, last_filter) in self._writes.items():
            held = self.objects.opened(reference)
            if last_filter is None:
                held.write(data)
                continue
            given = _as_list(held.stream_dict.get("/DecodeParms"))[-1:]
            last = next((each for each in given if isinstance(each, pikepdf.Dictionary)), None)
            held.write(data, filter=pikepdf.Name(last_filter), decode_parms=last)

    # --- photos ---

    def _clean_photo(self, reference: str, names: list[str]) -> None:
        """A photo that no reader can follow stays as an empty one: it is not seen either way."""
        if names[-1] not in _PHOTOS:
            return
        try:
            data = self._data(reference, names[:-1])
        except _DamagedError:
            self._writes[reference] = (b"", names[-1])
            return
        cleaned = self._photo(data) if names[-1] in _DCT else jpeg2000.stripped(data)
        if cleaned != data:
            self._writes[reference] = (cleaned, names[-1])
            self.detailed = self.detailed or len(data) - len(cleaned) > _SLIGHT

    def _photo(self, data: bytes) -> bytes:
        stripped = _stripped_jpeg(data)
        self.located = self.located or stripped.located
        return stripped.data

    # --- what is not a photo ---

    def _clean_content(self, reference: str, names: list[str]) -> None:
        data = self._data(reference, names)
        if len(names) > 1 or (names and names[0] not in _FLATE):
            self._writes[reference] = (data, None)
        cleaned = self._without_inline_details(data)
        if cleaned != data:
            self._writes[reference] = (cleaned, None)

    def _clean_samples(self, reference: str, names: list[str]) -> None:
        stream = self.objects.by_reference[reference]
        if self._samples >= 0:
            most = max(self.limits.stream_bytes, 2 * _size_of(self.objects, stream))
            data = self._data(reference, names, limit=most)
            self._samples -= len(data)
            self._cut_samples(reference, stream, data)

    def _cut_samples(self, reference: str, stream: StreamDictionary, data: bytes) -> None:
        """Samples after the last row are shown by no reader."""
        size = _exact_size(self.objects, stream)
        if size is None or len(data) <= size + _SLIGHT:
            return
        self.detailed = True
        names = filters(self.objects, stream)
        if names and names[0] in _FLATE and len(names) == 1:
            self._cuts[reference] = zlib.compress(data[:size], 6)
        else:
            self._writes[reference] = (data[:size], None)

    def _without_inline_details(self, data: bytes) -> bytes:
        found = pdf_inline_images.cleaned(data, self._undone)
        self.located = self.located or found.located
        self.detailed = self.detailed or found.data != data
        return found.data

    def _undone(self, names: list[str], raw: bytes) -> bytes | None:
        """What inline data holds after filters; `None` when they do not read it."""
        part = pikepdf.Stream(self.pdf, raw)
        part.stream_dict["/Filter"] = pikepdf.Array(map(pikepdf.Name, names))
        try:
            return self._unfiltered(part, len(names))
        except _DamagedError:
            return None

    # --- data and sizes ---

    def _data(self, reference: str, names: list[str], limit: int | None = None) -> bytes:
        """What a stream holds after the filters `names`, its first ones.

        Raises `Undecodable` when it is more than `limit` bytes, by default `limits.stream_bytes`.
        """
        limit = self.limits.stream_bytes if limit is None else limit
        held = self.objects.opened(reference)
        if not names:
            return held.read_raw_bytes()
        stream = self.objects.by_reference[reference]
        if filters(self.objects, stream) == names and len(names) == 1 and names[0] in _FLATE:
            return self._inflated(reference, held.read_raw_bytes(), limit)
        data = self._unfiltered(held, len(names))
        if len(data) > limit:
            raise Undecodable
        return data

    def _inflated(self, reference: str, raw: bytes, limit: int) -> bytes:
        """Bytes after the end are cut. Of damaged data there is what is before the damage."""
        inflater = zlib.decompressobj()
        try:
            data = inflater.decompress(raw, limit + 1)
        except zlib.error:
            data = _before_damage(raw, limit)
            self._cuts[reference] = zlib.compress(data, 1)
        if len(data) > limit:
            raise Undecodable
        if len(inflater.unused_data) > 0:
            self._cuts[reference] = raw[: len(raw) - len(inflater.unused_data)]
            self.detailed = self.detailed or len(inflater.unused_data) > _SLIGHT
        return data

    def _measure(self, image: StreamDictionary) -> None:
        """Refuses an image that takes more memory than one may when it is shown."""
        if _size_of(self.objects, image) > self.limits.image_bytes:
            raise Undecodable("pdf_too_detailed")

    def _unfiltered(self, held: pikepdf.Object, outer: int) -> bytes:
        """The data of a stream after its `outer` first filters, by qpdf."""
        names = _as_list(held.stream_dict.get("/Filter"))
        parameters = _as_list(held.stream_dict.get("/DecodeParms"))
        part = pikepdf.Stream(self.pdf, held.read_raw_bytes())
        part.stream_dict["/Filter"] = pikepdf.Array(names[:outer])
        if any(isinstance(each, pikepdf.Dictionary) for each in parameters[:outer]):
            part.stream_dict["/DecodeParms"] = pikepdf.Array(parameters[:outer])
        try:
            return part.read_bytes(pikepdf.StreamDecodeLevel.specialized)
        except pikepdf.PdfError as error:
            if "limit exceeded" in str(error) or "bad_alloc" in str(error):
                raise Undecodable from None
            raise _DamagedError from None


def _size_of(objects: Objects, image: StreamDictionary) -> int:
    """The bytes of an image's samples, at most."""
    sides = [objects.get(image, key) for key in ("/Width", "/Height")]
    width, height = (side if isinstance(side, int) and side > 0 else 0 for side in sides)
    depth = objects.get(image, "/BitsPerComponent")
    bits = depth if isinstance(depth, int) and 0 < depth <= 16 else 8
    space = objects.get(image, "/ColorSpace")
    family = objects.resolved(space[0]) if isinstance(space, list) and space else space
    if objects.get(image, "/ImageMask") is True:
        bits, family = 1, "/DeviceGray"
    channels = 1 if family in _ONE_CHANNEL else 4
    # A predictor puts a byte before each row.
    return height * (1 + (width * bits * channels + 7) // 8)


def _exact_size(objects: Objects, image: StreamDictionary) -> int | None:
    """The bytes of an image's samples when its colours are simple; `None` when they are not."""
    parameters = objects.get(image, "/DecodeParms")
    if isinstance(parameters, list):
        return None
    sides = [objects.get(image, key) for key in ("/Width", "/Height", "/BitsPerComponent")]
    space = objects.get(image, "/ColorSpace")
    family = objects.resolved(space[0]) if isinstance(space, list) and space else space
    channels = _CHANNELS.get(family) if isinstance(family, str) else None
    if objects.get(image, "/ImageMask") is True:
        sides[2], channels = 1, 1
    if family == "/ICCBased" and isinstance(space, list) and len(space) > 1:
        channels = objects.get(objects.resolved(space[1]), "/N")
    if channels is None or not all(isinstance(side, int) for side in (*sides, channels)):
        return None
    width, height, bits = (int(side or 0) for side in sides)
    predictor = objects.get(parameters, "/Predictor")
    rows_marked = isinstance(predictor, int) and predictor >= 10
    return height * ((width * bits * int(channels) + 7) // 8 + rows_marked)


def _as_list(value: pikepdf.Object | None) -> list[pikepdf.Object]:
    if value is None:
        return []
    return list(value) if isinstance(value, pikepdf.Array) else [value]


def _before_damage(raw: bytes, limit: int) -> bytes:
    inflater, data = zlib.decompressobj(), bytearray()
    try:
        for at in range(0, len(raw), 256):
            data += inflater.decompress(raw[at : at + 256])
            if len(data) > limit:
                raise Undecodable
    except zlib.error:
        pass
    return bytes(data)


def _stripped_jpeg(data: bytes) -> strip.Stripped:
    """Readers of PDF show a photo that is cut, or without anything, so neither is refused."""
    try:
        stripped = strip.jpeg(data)
    except Undecodable:
        return strip.Stripped(b"", 1, located=False)
    if not stripped.ended:
        with suppress(Undecodable, OSError, ValueError):
            return replace(stripped, data=jpeg_end.ended(stripped.data))
    return stripped
