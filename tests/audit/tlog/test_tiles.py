"""Tiles: their names, which ones a tree has, and reading a tree from them."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.tlog import merkle
from audit.tlog.merkle import HASH, leaf_hash
from audit.tlog.tiles import (
    ENTRIES,
    MAX_ENTRY,
    WIDTH,
    InvalidTile,
    Tile,
    TileReader,
    bundle,
    check_bundle,
    entries_in,
    hashes_in,
    parse_path,
    root_of_tile,
    tiles_between,
    tiles_of,
)

SIZES = [1, 2, 255, 256, 257, 511, 512, 700, 65_535, 65_536, 70_000]


def entry(index: int) -> bytes:
    return index.to_bytes(8, "big") * 8


def tree(size: int) -> tuple[dict[str, bytes], list[list[bytes]]]:
    """The tiles and bundles of a tree by path, and every complete subtree's hash by level."""
    levels = [[leaf_hash(entry(index)) for index in range(size)]]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append(
            [merkle.node_hash(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)]
        )
    stored = {}
    for tile in tiles_of(size):
        first = tile.index * WIDTH
        if tile.level == ENTRIES:
            stored[tile.path] = bundle([entry(first + at) for at in range(tile.width)])
        else:
            stored[tile.path] = b"".join(levels[tile.level * 8][first : first + tile.width])
    return stored, levels


def fetching(stored: dict[str, bytes]) -> Callable[[Tile], bytes | None]:
    return lambda tile: stored.get(tile.path)


# Names


@given(
    st.integers(ENTRIES, 63),
    st.one_of(st.integers(0, 2000), st.integers(0, 10**15)),
    st.integers(1, WIDTH),
)
def test_a_tile_has_one_name_and_a_name_one_tile(level: int, index: int, width: int) -> None:
    tile = Tile(level, index, width)
    assert parse_path(tile.path) == tile
    assert parse_path(f"{tile.path}/") is None
    assert parse_path(f"/{tile.path}") is None


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(1, 1_234_067), "tile/1/x001/x234/067"),
        (Tile(63, 999, 1), "tile/63/999.p/1"),
        (Tile(ENTRIES, 1000, 255), "tile/entries/x001/000.p/255"),
    ],
)
def test_names_are_those_of_the_specification(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert parse_path(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/000",
        "tile/0/x000",
        "tile/0/001/000",
        "tile/00/000",
        "tile/01/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/8/0/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/1000",
        "tile/0/000.p/",
        "tile/0/000.p",
        "tile/0/000\n",
        "tile/0/٠٠٠",
        "tile/0/../000",
        "tile/0/x001/../000",
        "tile/Entries/000",
        "tile/data/000",
        "checkpoint",
        "tile/0/" + "x999/" * 2000 + "999",
    ],
)
def test_any_other_spelling_names_nothing(path: str) -> None:
    assert parse_path(path) is None


# Which tiles a tree has


def test_the_specification_s_own_examples() -> None:
    tiles = [tile for tile in tiles_of(70_000) if tile.level != ENTRIES]
    full = [(tile.level, tile.index) for tile in tiles if tile.width == WIDTH]
    assert full == [*((0, index) for index in range(273)), (1, 0)]
    partial = {tile.path for tile in tiles if tile.width < WIDTH}
    assert partial == {"tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"}
    assert [tile.path for tile in tiles_of(256)] == [
        "tile/entries/000",
        "tile/0/000",
        "tile/1/000.p/1",
    ]
    assert list(tiles_of(0)) == []


@given(st.integers(0, 200_000), st.integers(0, 200_000))
def test_what_is_new_is_the_difference(one: int, two: int) -> None:
    old, new = sorted((one, two))
    tiles = list(tiles_between(old, new))
    assert len(tiles) == len(set(tiles))
    assert set(tiles) == set(tiles_of(new)) - set(tiles_of(old))


@given(st.integers(1, 10**12))
def test_each_tile_has_the_width_that_its_size_gives(size: int) -> None:
    last = {tile.level: tile for tile in tiles_between(max(size - 300, 0), size)}
    for level, tile in last.items():
        if tile.width < WIDTH:
            assert tile.width == size // 256 ** max(level, 0) % 256


# Reading


@pytest.mark.parametrize("size", SIZES)
def test_every_hash_is_read_as_the_tree_has_it(size: int) -> None:
    stored, levels = tree(size)
    reader = TileReader(size, fetching(stored))
    for level, hashes in enumerate(levels):
        picked = range(len(hashes)) if size < 1000 else {0, len(hashes) - 1, len(hashes) // 2}
        for index in picked:
            assert reader.read(level, index) == hashes[index]
        with pytest.raises(IndexError):
            reader.read(level, len(hashes))


@pytest.mark.parametrize("size", SIZES)
def test_proofs_read_from_tiles_hold(size: int) -> None:
    stored, levels = tree(size)
    reader = TileReader(size, fetching(stored)).reader()
    root = merkle.compact_range(size, reader).root()
    assert root == merkle.root_of(levels[0])
    for index in {0, size // 2, size - 1}:
        proof = merkle.inclusion_proof(index, size, reader)
        merkle.verify_inclusion(leaf_hash(entry(index)), index, size, proof, root)
    for first in {1, size // 2, size - 1}:
        old = merkle.root_of(levels[0][:first])
        proof = merkle.consistency_proof(first, size, reader)
        merkle.verify_consistency(first, size, old, root, proof)


@pytest.mark.parametrize("size", SIZES)
def test_bundles_are_the_leaves_below_their_tile(size: int) -> None:
    stored, _ = tree(size)
    for tile in tiles_of(size):
        if tile.level == ENTRIES:
            hashes = hashes_in(tile, stored[Tile(0, tile.index, tile.width).path])
            check_bundle(tile, entries_in(tile, stored[tile.path]), hashes)


def test_a_full_tile_is_one_hash_of_the_tile_above() -> None:
    stored, levels = tree(512)
    assert root_of_tile(hashes_in(Tile(0, 1), stored["tile/0/001"])) == levels[8][1]


def test_a_proof_at_ten_million_entries_reads_few_tiles() -> None:
    size = 10_000_000
    # All leaves are equal: each level has one hash, and each tile repeats it.
    of_level = [leaf_hash(b"same")]
    for _ in range(24):
        of_level.append(merkle.node_hash(of_level[-1], of_level[-1]))
    max_fetched = 0
    for _ in range(50):
        index = random.randrange(size)
        reader = TileReader(size, lambda tile: of_level[tile.level * 8] * tile.width)
        merkle.inclusion_proof(index, size, reader.read)
        max_fetched = max(max_fetched, reader.fetched)
        merkle.consistency_proof(index + 1, size, reader.read)
    assert max_fetched <= 10

    proof = merkle.inclusion_proof(123_456, size, reader.read)
    root = merkle.compact_range(size, reader.read).root()
    merkle.verify_inclusion(of_level[0], 123_456, size, proof, root)


def test_a_tile_is_fetched_once() -> None:
    stored, _ = tree(700)
    reader = TileReader(700, fetching(stored))
    for _ in range(3):
        merkle.inclusion_proof(650, 700, reader.read)
    # The leaf's own tile, and the one above it for the 512 earlier leaves.
    assert reader.fetched == 2


def test_a_partial_tile_that_is_gone_is_read_from_the_full_one() -> None:
    grown, levels = tree(512)
    full = {path: data for path, data in grown.items() if ".p/" not in path}
    reader = TileReader(300, fetching(full | {"tile/1/000.p/1": grown["tile/1/000.p/2"][:HASH]}))
    assert reader.read(0, 299) == levels[0][299]
    assert reader.read(5, 8) == levels[5][8]
    assert merkle.compact_range(300, reader.read).root() == merkle.root_of(levels[0][:300])
    with pytest.raises(IndexError):
        reader.read(0, 300)


# Broken


@pytest.mark.parametrize(
    ("name", "damaged", "reason"),
    [
        ("missing", None, "missing"),
        ("empty", b"", "width"),
        ("truncated", bytes(44 * HASH - 1), "width"),
        ("one hash short", bytes(43 * HASH), "width"),
        ("one hash more", bytes(45 * HASH), "width"),
        ("oversized", bytes(1_000_000), "width"),
    ],
)
def test_a_tile_that_is_not_whole_is_named(name: str, damaged: bytes | None, reason: str) -> None:
    stored, _ = tree(300)
    path = "tile/0/001.p/44"
    del stored[path]
    reader = TileReader(300, fetching(stored if damaged is None else stored | {path: damaged}))
    assert reader.read(0, 0)
    with pytest.raises(InvalidTile) as broken:
        reader.read(0, 299)
    assert (broken.value.path, broken.value.reason) == (path, reason)


def test_a_full_tile_in_the_place_of_a_partial_one_must_be_full() -> None:
    stored, _ = tree(300)
    data = stored.pop("tile/0/001.p/44")
    reader = TileReader(300, fetching(stored | {"tile/0/001": data}))
    with pytest.raises(InvalidTile, match=r"^tile/0/001: width$"):
        reader.read(0, 299)


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=WIDTH))
def test_entries_are_read_back(entries: list[bytes]) -> None:
    tile = Tile(ENTRIES, 7, len(entries))
    data = bundle(entries)
    assert entries_in(tile, data) == entries
    check_bundle(tile, entries, [leaf_hash(one) for one in entries])


BUNDLE = bundle([b"one", b"two"])
BUNDLES = {
    "empty": (b"", "width"),
    "a length cut": (BUNDLE[:-4], "truncated"),
    "an entry cut": (BUNDLE[:-1], "truncated"),
    "a length alone": (BUNDLE + b"\0\1", "truncated"),
    "half a length": (BUNDLE + b"\0", "truncated"),
    "an entry short": (bundle([b"one"]), "width"),
    "an entry more": (bundle([b"one", b"two", b""]), "width"),
    "a length too long": (b"\xff\xff" + BUNDLE, "truncated"),
}


@pytest.mark.parametrize("name", BUNDLES)
def test_a_bundle_that_is_not_whole_is_named(name: str) -> None:
    data, reason = BUNDLES[name]
    with pytest.raises(InvalidTile) as broken:
        entries_in(Tile(ENTRIES, 3, 2), data)
    assert (broken.value.path, broken.value.reason) == ("tile/entries/003.p/2", reason)


def test_an_entry_that_is_not_the_leaf_is_named() -> None:
    tile = Tile(ENTRIES, 3, 2)
    with pytest.raises(InvalidTile, match=r"^tile/entries/003\.p/2: entry$"):
        check_bundle(tile, [b"one", b"two"], [leaf_hash(b"two"), leaf_hash(b"one")])


def test_what_no_bundle_holds_is_refused() -> None:
    assert len(bundle([bytes(MAX_ENTRY)] * WIDTH)) == WIDTH * (MAX_ENTRY + 2)
    for too_much in ([bytes(MAX_ENTRY + 1)], [b""] * (WIDTH + 1)):
        with pytest.raises(ValueError, match="256 entries"):
            bundle(too_much)
