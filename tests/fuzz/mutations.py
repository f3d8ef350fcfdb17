"""Changes to files that a decoder must survive: of bytes, and of what a format is made of."""

import random
import re
import struct
import zlib
from collections.abc import Callable

Mutation = Callable[[bytes, random.Random], bytes]

_EDGES = (b"\x00", b"\xff", b"\x7f\xff", b"\x80\x00", b"\xff" * 4, b"\x7f" + b"\xff" * 3, bytes(8))
TOKENS: dict[str, tuple[bytes, ...]] = {
    "pdf": (
        b"/Type /Page", b"/Kids [", b"<< /S /JavaScript /JS (x) >>", b"/AA", b"/EF", b"/Parent",
        b"stream\n", b"endstream", b"endobj", b"1 0 R", b"0 0 R", b"99999999 0 R", b"/Length -1",
        b"/Filter [/FlateDecode /FlateDecode]", b"/Count 2147483647", b"null", b"<<", b">>", b"[[",
        b"/Predictor 15", b"/Encrypt 1 0 R", b"trailer", b"startxref\n0\n%%EOF", b"/Prev 0",
        b"1e99",
        b"/MediaBox [0 0 1e9 1e9]", b"/W [1 99 1]", b"/ObjStm", b"BI", b"ID", b"EI", b"q " * 99,
    ),
    "jpeg": (
        b"\xff\xd8", b"\xff\xd9", b"\xff\xda", b"\xff\xc0\x00\x11", b"\xff\xc2", b"\xff\xc9",
        b"\xff\xdd\x00\x04\xff\xff", b"\xff\xe1\xff\xff", b"\xff\xd0", b"Exif\x00\x00", b"\xff\xc4",
        b"ICC_PROFILE\x00\x01\xff", b"Adobe\x00", b"\xff\xff\xff\xff",
    ),
    "png": (
        b"IHDR", b"IDAT", b"IEND", b"PLTE", b"iCCP", b"eXIf", b"acTL", b"fdAT", b"tRNS", b"zTXt",
        b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff",
    ),
    "webp": (b"RIFF", b"WEBP", b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANMF", b"ICCP", b"EXIF"),
    "heic": (
        b"ftyp", b"meta", b"iloc", b"iinf", b"iprp", b"ipco", b"ipma", b"hvcC", b"ispe", b"grid",
        b"irot", b"imir", b"Exif", b"mdat", b"\x00\x00\x00\x01uuid", b"\x00\x00\x00\x00",
    ),
    "tiff": (
        b"II*\x00", b"MM\x00*", b"\x00\x01\x03\x00", b"\x11\x01\x04\x00", b"\x03\x01\x03\x00",
        b"\x42\x01", b"\x44\x01", b"\x4a\x01", b"\xff\xff\xff\x7f",
    ),
    "multipart": (
        b"--", b"\r\n", b"\r\n\r\n", b"--\r\n", b"name=", b"filename*=UTF-8''%ff", b"filename=\"",
        b"Content-Disposition: form-data; ", b"Content-Type: image/png", b"\x00", b"\xff\xfe",
        b"Content-Transfer-Encoding: base64", b"boundary=", b"title", b"\xf0\x9f\x98\x80", b"%00",
    ),
}  # fmt: skip


def _cut(data: bytes, dice: random.Random, most: int = 400) -> tuple[int, int]:
    start = dice.randrange(len(data) + 1)
    return start, min(len(data), start + dice.randint(1, most))


def _flip(data: bytes, dice: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 8, 64))):
        changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def _overwrite(data: bytes, dice: random.Random) -> bytes:
    edge = dice.choice(_EDGES)
    at = dice.randrange(len(data))
    return data[:at] + edge + data[at + len(edge) :]


def _drop(data: bytes, dice: random.Random) -> bytes:
    start, end = _cut(data, dice)
    return data[:start] + data[end:]


def _repeat(data: bytes, dice: random.Random) -> bytes:
    start, end = _cut(data, dice)
    return data[:end] + data[start:end] * dice.choice((1, 2, 50)) + data[end:]


def _truncate(data: bytes, dice: random.Random) -> bytes:
    return data[: dice.randrange(1, len(data) + 1)]


def _noise(data: bytes, dice: random.Random) -> bytes:
    start, end = _cut(data, dice, 64)
    return data[:start] + dice.randbytes(end - start) + data[end:]


def _move(data: bytes, dice: random.Random) -> bytes:
    start, end = _cut(data, dice)
    piece, rest = data[start:end], data[:start] + data[end:]
    at = dice.randrange(len(rest) + 1)
    return rest[:at] + piece + rest[at:]


_GENERAL: tuple[Mutation, ...] = (_flip, _overwrite, _drop, _repeat, _truncate, _noise, _move)


def _token(kind: str) -> Mutation:
    def insert(data: bytes, dice: random.Random) -> bytes:
        token, at = dice.choice(TOKENS[kind]), dice.randrange(len(data) + 1)
        return data[:at] + token + data[at + (len(token) if dice.random() < 0.5 else 0) :]

    return insert


# --- what a format is made of ---


def _one_of(
    pattern: bytes, replace: Callable[[bytes, list[bytes], random.Random], bytes]
) -> Mutation:
    """Replaces one match of the pattern by what `replace` makes of it and of all matches."""

    def change(data: bytes, dice: random.Random) -> bytes:
        found = list(re.finditer(pattern, data))
        if not found:
            return _flip(data, dice)
        one = dice.choice(found)
        return (
            data[: one.start()] + replace(one[0], [m[0] for m in found], dice) + data[one.end() :]
        )

    return change


def _another(one: bytes, all_: list[bytes], dice: random.Random) -> bytes:
    return dice.choice(all_)


def _odd_number(one: bytes, all_: list[bytes], dice: random.Random) -> bytes:
    return dice.choice((b"0", b"-1", b"2147483648", b"99999999999999999999", b"0.5", *all_))


def _inside_a_stream(data: bytes, dice: random.Random) -> bytes:
    """Inflates one stream, changes it, and deflates it again."""
    starts = [found.end() for found in re.finditer(rb"stream\r?\n(?=\x78)", data)]
    if not starts:
        return _flip(data, dice)
    at = dice.choice(starts)
    inflater = zlib.decompressobj()
    try:
        inner = inflater.decompress(data[at:], 1 << 22)
    except zlib.error:
        return _flip(data, dice)
    rest = data[len(data) - len(inflater.unused_data) :] if inflater.unused_data else b""
    changed = dice.choice((*_GENERAL, _token("pdf")))(inner or b"q", dice)
    return data[:at] + zlib.compress(changed) + rest


def _valid_checksums(data: bytes, dice: random.Random) -> bytes:
    """A change inside a PNG chunk, with the checksum that belongs to it."""
    at, chunks = 8, []
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        chunks.append((at, length))
        at += 12 + length
    if not chunks:
        return _flip(data, dice)
    at, length = dice.choice(chunks)
    body = data[at + 4 : at + 8] + _flip(data[at + 8 : at + 8 + length] or b"\0", dice)
    made = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return data[:at] + made + data[at + 12 + length :]


_OF_A_FORMAT: dict[str, tuple[Mutation, ...]] = {
    "pdf": (
        _one_of(rb"\d+ 0 R", _another),
        _one_of(rb"/[A-Za-z]+", _another),
        _one_of(rb"(?<=[ \[])-?\d+(?=[ \]])", _odd_number),
        _inside_a_stream,
    ),
    "png": (_valid_checksums,),
}


def mutated(kind: str, seeds: list[bytes], dice: random.Random) -> bytes:
    """One to four changes to one of the seeds; now and then the end of another seed behind it."""
    data = dice.choice(seeds)
    if dice.random() < 0.08:
        other = dice.choice(seeds)
        data = data[: dice.randrange(len(data))] + other[dice.randrange(len(other)) :]
    choices = (*_GENERAL, _token(kind), *_OF_A_FORMAT.get(kind, ()) * 2)
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        data = dice.choice(choices)(data or b"\0", dice)
    return data or b"\0"
