"""A HEIC as phones write one: a grid of tiles of 512 × 512 pixels (ISO/IEC 23008-12 §6.6.2.3.2)."""

import io
from collections.abc import Sequence

from PIL import Image

_TILE = 512


def grid(image: Image.Image, quality: int) -> bytes:
    """The image, each tile a coded picture of its own. Needs pillow's HEIF opener."""
    across, down = -(-image.width // _TILE), -(-image.height // _TILE)
    corners = [(x * _TILE, y * _TILE) for y in range(down) for x in range(across)]
    tiles = [_coded(image.crop((x, y, x + _TILE, y + _TILE)), quality) for x, y in corners]
    decoder = tiles[0][0]
    assert all(settings == decoder for settings, _ in tiles)
    pictures = [picture for _, picture in tiles]
    layout = bytes([0, 0, down - 1, across - 1]) + _pair(image.size, 2)
    head = _box(b"ftyp", b"heic" + bytes(4) + b"mif1heic")
    start = len(head) + len(_meta(image.size, decoder, layout, pictures, 0)) + 8
    meta = _meta(image.size, decoder, layout, pictures, start)
    return head + meta + _box(b"mdat", b"".join(pictures))


def _coded(tile: Image.Image, quality: int) -> tuple[bytes, bytes]:
    """The decoder's settings, as a box, and the coded picture of a tile."""
    out = io.BytesIO()
    tile.save(out, "HEIF", quality=quality)
    data = out.getvalue()
    return _found(data, b"hvcC"), _found(data, b"mdat")[8:]


def _found(data: bytes, kind: bytes) -> bytes:
    at = data.index(kind) - 4
    return data[at : at + int.from_bytes(data[at : at + 4], "big")]


def _meta(
    size: tuple[int, int], decoder: bytes, layout: bytes, pictures: Sequence[bytes], start: int
) -> bytes:
    """Tiles are the items from 1 on; the grid, the last one, is the picture that is shown."""
    grid_id = len(pictures) + 1
    names = b"".join(_item(number, b"hvc1", hidden=1) for number in range(1, grid_id))
    places, at = _location(grid_id, 1, 0, len(layout)), start
    for number, picture in enumerate(pictures, 1):
        places += _location(number, 0, at, len(picture))
        at += len(picture)
    properties = decoder + _extent((_TILE, _TILE)) + _extent(size)
    of_tiles = b"".join(_number(number) + b"\x02\x81\x02" for number in range(1, grid_id))
    of_grid = _number(grid_id) + b"\x01\x03"
    tiles = b"".join(map(_number, range(1, grid_id)))
    return _full(
        b"meta",
        _full(b"hdlr", bytes(4) + b"pict" + bytes(13))
        + _full(b"pitm", _number(grid_id))
        + _full(b"iloc", b"\x44\x00" + _number(grid_id) + places, version=1)
        + _full(b"iinf", _number(grid_id) + names + _item(grid_id, b"grid", hidden=0))
        + _full(b"iref", _box(b"dimg", _number(grid_id) + _number(len(pictures)) + tiles))
        + _box(
            b"iprp",
            _box(b"ipco", properties)
            + _full(b"ipma", grid_id.to_bytes(4, "big") + of_tiles + of_grid),
        )
        + _box(b"idat", layout),
    )


def _item(number: int, kind: bytes, *, hidden: int) -> bytes:
    return _full(b"infe", _number(number) + bytes(2) + kind + b"\x00", version=2, flags=hidden)


def _location(number: int, method: int, offset: int, length: int) -> bytes:
    """One extent of an item, in the file or (method 1) in the box of small data."""
    return _number(number) + _number(method) + bytes(2) + _number(1) + _pair((offset, length), 4)


def _extent(size: tuple[int, int]) -> bytes:
    return _full(b"ispe", _pair(size, 4))


def _number(value: int) -> bytes:
    return value.to_bytes(2, "big")


def _pair(values: tuple[int, int], length: int) -> bytes:
    return b"".join(value.to_bytes(length, "big") for value in values)


def _box(kind: bytes, content: bytes) -> bytes:
    return (len(content) + 8).to_bytes(4, "big") + kind + content


def _full(kind: bytes, content: bytes, *, version: int = 0, flags: int = 0) -> bytes:
    return _box(kind, bytes([version]) + flags.to_bytes(3, "big") + content)
