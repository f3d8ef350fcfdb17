"""FLOE, the sealed-file format: AES-256-GCM in segments, each of which opens alone.

Source: the FLOE specification (Snowflake-Labs/floe-specification, `spec/README.md`).
`docs/formats/sealed-file.md` lists the options that we chose.
"""

import hmac
import secrets
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

Octets = bytes | bytearray | memoryview

KEY_LENGTH: Final = 32
SEGMENT_LENGTH: Final = 256 * 1024
ROTATION_MASK: Final = 20
MAX_SEGMENTS: Final = 2**40

_AES_256_GCM = 0
_HKDF_EXPAND_SHA_384 = 0
_PARAMETERS = struct.Struct(">BBII")
_IV_LENGTH = 32
_PREFIX_LENGTH = _PARAMETERS.size + _IV_LENGTH
_HEADER_TAG_LENGTH = 32
_MESSAGE_KEY_LENGTH = 48
HEADER_LENGTH: Final = _PREFIX_LENGTH + _HEADER_TAG_LENGTH

_FIELD_LENGTH = 4
_SEGMENT_IV_LENGTH = 12
_SEGMENT_PREFIX_LENGTH = _FIELD_LENGTH + _SEGMENT_IV_LENGTH
_TAG_LENGTH = 16
OVERHEAD: Final = _SEGMENT_PREFIX_LENGTH + _TAG_LENGTH
_NOT_FINAL = b"\xff\xff\xff\xff"


class Reason(StrEnum):
    """Why a sealed file was refused. A closed list: no error says more."""

    HEADER = "header"  # not a FLOE header, or parameters that are not supported
    HEADER_TAG = "header_tag"  # wrong key, wrong AAD, or an altered header
    LENGTH = "length"  # lengths that no complete sealed file has
    SEGMENT_FIELD = "segment_field"  # a segment wrongly marked as last, or as not last
    TAG = "tag"  # a segment altered, moved, or of another file


class InvalidCiphertext(Exception):
    """The sealed bytes are not what was sealed. Carries a reason and nothing else."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of a new sealed file.

    `segment_length` is the length of a full encrypted segment, in bytes; the header contains it.
    `rotation_mask` is not in the header: 2**rotation_mask segments share an AES key. The
    specification fixes 20; smaller ones exist only for its known-answer tests.
    """

    segment_length: int = SEGMENT_LENGTH
    rotation_mask: int = ROTATION_MASK

    def __post_init__(self) -> None:
        if not OVERHEAD < self.segment_length < 0xFFFFFFFF:
            raise ValueError("segment length out of range")
        if not 0 <= self.rotation_mask <= ROTATION_MASK:
            raise ValueError("rotation mask out of range")


_DEFAULT = Parameters()


@dataclass(frozen=True, slots=True)
class Layout:
    """The positions of all parts of one sealed file: pure arithmetic, lengths in bytes.

    Raises `InvalidCiphertext(LENGTH)` for lengths that do not match. The specification lets a
    plaintext of whole segments end with a full segment or with an empty one; a layout supports
    both, `of_plaintext` gives ours (empty).
    """

    segment_length: int
    plaintext_length: int
    ciphertext_length: int
    payload: int = field(init=False, repr=False, compare=False)
    """Plaintext bytes in every segment except the last."""
    segments: int = field(init=False, repr=False, compare=False)
    """The number of segments, including the last: at least 1."""

    def __post_init__(self) -> None:
        payload = self.segment_length - OVERHEAD
        sealed = self.ciphertext_length - HEADER_LENGTH - self.plaintext_length
        segments, rest = divmod(sealed, OVERHEAD)
        last = self.plaintext_length - (segments - 1) * payload
        if rest or not 1 <= segments <= MAX_SEGMENTS or not 0 <= last <= payload:
            raise InvalidCiphertext(Reason.LENGTH)
        object.__setattr__(self, "payload", payload)
        object.__setattr__(self, "segments", segments)

    @classmethod
    def of_plaintext(cls, plaintext_length: int, segment_length: int = SEGMENT_LENGTH) -> Self:
        """The layout that `Encryptor` gives to a plaintext of this length."""
        total = ciphertext_length(plaintext_length, segment_length)
        return cls(segment_length, plaintext_length, total)

    @classmethod
    def of_ciphertext(cls, length: int, segment_length: int = SEGMENT_LENGTH) -> Self:
        """The only layout that a complete file of `length` bytes can have."""
        segments = -((HEADER_LENGTH - length) // segment_length)
        return cls(segment_length, length - HEADER_LENGTH - segments * OVERHEAD, length)

    def is_final(self, index: int) -> bool:
        """Whether this segment is the last one; `IndexError` if there is no such segment."""
        if not 0 <= index < self.segments:
            raise IndexError("no such segment")
        return index == self.segments - 1

    def plaintext_span(self, index: int) -> tuple[int, int]:
        """(offset, length) of this segment's plaintext in the whole plaintext."""
        start = index * self.payload
        return start, self.plaintext_length - start if self.is_final(index) else self.payload

    def segment_span(self, index: int) -> tuple[int, int]:
        """(offset, length) of this segment in the whole sealed file, header included."""
        length = self.plaintext_span(index)[1] + OVERHEAD
        return HEADER_LENGTH + index * self.segment_length, length

    def segment_of(self, offset: int) -> int:
        """The segment that holds the plaintext byte at `offset`; `IndexError` if none does."""
        if not 0 <= offset < self.plaintext_length:
            raise IndexError("no such byte")
        return offset // self.payload

    def segments_for_range(self, start: int, stop: int) -> range:
        """The segments that hold plaintext[start:stop]; empty for an empty range.

        `IndexError` unless 0 <= start <= stop <= plaintext_length.
        """
        if not 0 <= start <= stop <= self.plaintext_length:
            raise IndexError("no such range")
        if start == stop:
            return range(0)
        return range(self.segment_of(start), self.segment_of(stop - 1) + 1)

    def slice_of(self, index: int, start: int, stop: int) -> slice:
        """The part of this segment's own plaintext that falls in plaintext[start:stop]."""
        offset, length = self.plaintext_span(index)
        return slice(min(max(start - offset, 0), length), min(max(stop - offset, 0), length))


def ciphertext_length(plaintext_length: int, segment_length: int = SEGMENT_LENGTH) -> int:
    """Length of the sealed file that `Encryptor` makes of a plaintext of this length."""
    if plaintext_length < 0:
        raise ValueError("a length is not negative")
    segments = plaintext_length // (segment_length - OVERHEAD) + 1
    return HEADER_LENGTH + plaintext_length + segments * OVERHEAD


def segment_length_of(header: Octets) -> int:
    """The encrypted segment length in a header. NOT authenticated: `Decryptor` does that.

    Raises `InvalidCiphertext(HEADER)` unless AES-256-GCM, HKDF-Expand-SHA-384 and a 32-byte IV.
    """
    if len(header) != HEADER_LENGTH:
        raise InvalidCiphertext(Reason.HEADER)
    aead, kdf, segment_length, iv_length = _PARAMETERS.unpack(header[: _PARAMETERS.size])
    known = (aead, kdf, iv_length) == (_AES_256_GCM, _HKDF_EXPAND_SHA_384, _IV_LENGTH)
    if not known or not OVERHEAD < segment_length < 0xFFFFFFFF:
        raise InvalidCiphertext(Reason.HEADER)
    return int(segment_length)


def _derive(key: bytes, prefix: bytes, purpose: bytes, aad: bytes, length: int) -> bytes:
    """FLOE_KDF. `prefix` is the encoded parameters followed by the file's IV."""
    return HKDFExpand(SHA384(), length, prefix + purpose + aad).derive(key)


class _Keys:
    """One file's header tag and its AES keys by rotation, of which the last one is kept."""

    __slots__ = ("_aad", "_current", "_mask", "_message_key", "_prefix", "header_tag")

    def __init__(self, key: bytes, prefix: bytes, aad: bytes, rotation_mask: int) -> None:
        if len(key) != KEY_LENGTH:
            raise ValueError("a key is 32 bytes")
        self._prefix = prefix
        self._aad = bytes(aad)
        self._mask = rotation_mask
        self.header_tag = _derive(key, prefix, b"HEADER_TAG:", self._aad, _HEADER_TAG_LENGTH)
        self._message_key = _derive(key, prefix, b"MESSAGE_KEY:", self._aad, _MESSAGE_KEY_LENGTH)
        self._current: tuple[int, AESGCM] | None = None

    def aead(self, index: int) -> AESGCM:
        """The cipher of this segment. One assignment, so that threads may share a file."""
        rotation = index >> self._mask
        current = self._current
        if current is None or current[0] != rotation:
            purpose = b"DEK:" + (rotation << self._mask).to_bytes(8, "big")
            key = _derive(self._message_key, self._prefix, purpose, self._aad, KEY_LENGTH)
            current = self._current = (rotation, AESGCM(key))
        return current[1]


def _segment_aad(index: int, final: bool) -> bytes:
    return index.to_bytes(8, "big") + (b"\x01" if final else b"\x00")


class Encryptor:
    """Seals one file as its bytes arrive, in constant memory: two segments for any file size.

    Write `header`, then every piece of every `update`, then what `finish` returns. A piece is a
    read-only view that stays valid until the next piece is requested. One thread at a time.

    A segment is returned as soon as it is full, so a plaintext of whole segments ends with an
    empty last segment. No file is complete before `finish`: without its last segment none opens.
    """

    def __init__(self, key: bytes, aad: bytes, *, parameters: Parameters = _DEFAULT) -> None:
        length = parameters.segment_length
        prefix = _PARAMETERS.pack(_AES_256_GCM, _HKDF_EXPAND_SHA_384, length, _IV_LENGTH)
        prefix += secrets.token_bytes(_IV_LENGTH)
        self._keys: _Keys | None = _Keys(key, prefix, aad, parameters.rotation_mask)
        self._pending = memoryview(bytearray(length - OVERHEAD))
        self._sealed = memoryview(bytearray(length))
        self._held = 0
        self._index = 0
        self._unfinished_update = False
        self.header: Final = prefix + self._keys.header_tag
        self.plaintext_length = 0

    def update(self, data: Octets) -> Iterator[memoryview]:
        """Add `data` and return the segments it completes, each of `segment_length` bytes.

        Exhaust the iterator before the next call (`RuntimeError` otherwise), and do not change
        `data` until then. Whole segments are sealed from `data` without a copy.
        """
        self._check_ready()
        view = memoryview(data).cast("B")
        held = self._held + len(view)
        if held < len(self._pending):
            self._pending[self._held : held] = view
            self._held = held
            return iter(())
        self._unfinished_update = True
        return self._pieces(view)

    def finish(self) -> memoryview:
        """Return the last segment and forget the key and the plaintext."""
        self._check_ready()
        last = self._seal(self._pending[: self._held], final=True)
        self.close()
        return last

    def close(self) -> None:
        """Forget key, plaintext and buffers. Without `finish`, the segments so far never open."""
        self._pending[:] = bytes(len(self._pending))
        self._pending = self._sealed = memoryview(bytearray())
        self._keys, self._held = None, 0

    def _check_ready(self) -> None:
        if self._keys is None:
            raise RuntimeError("this sealer is closed")
        if self._unfinished_update:
            raise RuntimeError("pieces of the last update were not taken")

    def _pieces(self, data: memoryview) -> Iterator[memoryview]:
        payload = len(self._pending)
        start = 0
        while start < len(data):
            if not self._held and len(data) - start >= payload:
                stop = start + payload
                yield self._seal(data[start:stop], final=False)
            else:
                stop = min(start + payload - self._held, len(data))
                held = self._held + stop - start
                self._pending[self._held : held] = data[start:stop]
                self._held = held % payload
                if not self._held:
                    yield self._seal(self._pending, final=False)
            start = stop
        self._unfinished_update = False

    def _seal(self, plaintext: memoryview, *, final: bool) -> memoryview:
        if self._keys is None:
            raise RuntimeError("this sealer is closed")
        if not final and self._index >= MAX_SEGMENTS - 1:
            raise ValueError("too long for one sealed file")
        length = len(plaintext) + OVERHEAD
        iv = secrets.token_bytes(_SEGMENT_IV_LENGTH)
        length_field = length.to_bytes(_FIELD_LENGTH, "big") if final else _NOT_FINAL
        self._sealed[:_SEGMENT_PREFIX_LENGTH] = length_field + iv
        aead, aad = self._keys.aead(self._index), _segment_aad(self._index, final)
        aead.encrypt_into(iv, plaintext, aad, self._sealed[_SEGMENT_PREFIX_LENGTH:length])
        self._index += 1
        self.plaintext_length += len(plaintext)
        return self._sealed[:length].toreadonly()


class Decryptor:
    """Opens the segments of one sealed file, in any order, into buffers of the caller.

    The lengths say which segment is the last one; they come from a place that the store cannot
    write to. Give the plaintext's, the ciphertext's, or both: a file that is cut, extended or has
    the other legal ending is then refused. Raises `InvalidCiphertext` (HEADER, HEADER_TAG, LENGTH).
    """

    def __init__(
        self,
        key: bytes,
        aad: bytes,
        header: Octets,
        *,
        plaintext_length: int | None = None,
        ciphertext_length: int | None = None,
        rotation_mask: int = ROTATION_MASK,
    ) -> None:
        header = bytes(header)
        # 1. A supported header. 2. Its tag: from here on key, AAD, IV and segment length are known
        # to be those of the sealed file. 3. Lengths that match.
        segment_length = segment_length_of(header)
        self._keys = _Keys(key, header[:_PREFIX_LENGTH], aad, rotation_mask)
        if not hmac.compare_digest(self._keys.header_tag, header[_PREFIX_LENGTH:]):
            raise InvalidCiphertext(Reason.HEADER_TAG)
        self.layout: Final = _layout(segment_length, plaintext_length, ciphertext_length)

    def open_segment(
        self, index: int, ciphertext: Octets, into: bytearray | memoryview
    ) -> memoryview:
        """Open a whole segment; returns the plaintext, a view of the beginning of `into`.

        `into` holds at least `layout.payload` bytes and does not overlap `ciphertext`. Raises
        `InvalidCiphertext` (LENGTH, SEGMENT_FIELD, TAG), and then `into` holds no plaintext of this
        file.
        """
        layout = self.layout
        final = layout.is_final(index)
        length = layout.segment_span(index)[1] if final else layout.segment_length
        sealed = memoryview(ciphertext)
        if len(sealed) != length:
            raise InvalidCiphertext(Reason.LENGTH)
        length_field = length.to_bytes(_FIELD_LENGTH, "big") if final else _NOT_FINAL
        if sealed[:_FIELD_LENGTH] != length_field:
            raise InvalidCiphertext(Reason.SEGMENT_FIELD)
        plaintext = memoryview(into)[: length - OVERHEAD]
        iv, body = sealed[_FIELD_LENGTH:_SEGMENT_PREFIX_LENGTH], sealed[_SEGMENT_PREFIX_LENGTH:]
        aead, aad = self._keys.aead(index), _segment_aad(index, final)
        try:
            aead.decrypt_into(iv, body, aad, plaintext)
        except InvalidTag:
            # The buffer already holds decrypted bytes, which are not authenticated.
            plaintext[:] = bytes(len(plaintext))
            raise InvalidCiphertext(Reason.TAG) from None
        return plaintext


def _layout(segment_length: int, plaintext: int | None, ciphertext: int | None) -> Layout:
    if plaintext is not None and ciphertext is not None:
        return Layout(segment_length, plaintext, ciphertext)
    if plaintext is not None:
        return Layout.of_plaintext(plaintext, segment_length)
    if ciphertext is not None:
        return Layout.of_ciphertext(ciphertext, segment_length)
    raise TypeError("a length is needed to know the last segment")


def seal_bytes(
    key: bytes, aad: bytes, plaintext: Octets, *, parameters: Parameters = _DEFAULT
) -> bytes:
    """Seal a whole file at once, for small content."""
    encryptor = Encryptor(key, aad, parameters=parameters)
    pieces = [bytes(piece) for piece in encryptor.update(plaintext)]
    return b"".join([encryptor.header, *pieces, encryptor.finish()])


def open_bytes(
    key: bytes, aad: bytes, ciphertext: Octets, *, rotation_mask: int = ROTATION_MASK
) -> bytes:
    """Open a whole sealed file at once, for small content. Raises `InvalidCiphertext`."""
    sealed = memoryview(ciphertext)
    header = sealed[:HEADER_LENGTH]
    decryptor = Decryptor(
        key, aad, header, ciphertext_length=len(sealed), rotation_mask=rotation_mask
    )
    into = bytearray(decryptor.layout.payload)
    plaintext = bytearray()
    for index in range(decryptor.layout.segments):
        offset, length = decryptor.layout.segment_span(index)
        plaintext += decryptor.open_segment(index, sealed[offset : offset + length], into)
    return bytes(plaintext)
