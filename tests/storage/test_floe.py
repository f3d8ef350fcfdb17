"""`storage/floe.py`: sealed bytes are read back exactly, whole or by ranges."""

import json
import runpy
import time
import tracemalloc
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.buffers import Buffers
from storage.floe import (
    HEADER_LENGTH,
    OVERHEAD,
    SEGMENT_LENGTH,
    Decryptor,
    Encryptor,
    Layout,
    Parameters,
    Reason,
    ciphertext_length,
    open_bytes,
    seal_bytes,
    segment_length_of,
)
from tests.storage.floe_files import (
    AAD,
    KEY,
    MAKER,
    PAYLOAD,
    SMALL,
    VECTORS,
    feed,
    octets,
    refusal,
    segments_of,
)

OURS = sorted((VECTORS / "floe").glob("*.json"))


CHECKER = SimpleNamespace(**runpy.run_path(str(VECTORS / "check_published.py")))


PUBLISHED = CHECKER.known_answers(CHECKER.folder([]))


# Known answers


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_our_vectors(path: Path) -> None:
    vector = json.loads(path.read_text())

    def opened() -> bytes:
        return open_bytes(
            bytes.fromhex(vector["key"]),
            vector["aad"].encode(),
            bytes.fromhex(vector["sealed"]),
            rotation_mask=vector["rotation_mask"],
        )

    if "refused" in vector:
        assert refusal(opened) == vector["refused"]
    else:
        assert opened().hex() == vector["plaintext"]


def test_our_vectors_are_those_their_maker_makes() -> None:
    assert {path.name: path.read_text() for path in OURS} == MAKER.vectors()


if PUBLISHED:

    @pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
    def test_published_known_answers(path: Path) -> None:
        plaintext, mask = CHECKER.open_known(path)
        assert plaintext == CHECKER.expected(path)
        assert (mask == 20) == ("rotation" not in path.name)


def test_the_check_of_published_answers_sees_a_wrong_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, plaintext in {"right": b"one", "other": b"two", "torn": b"three"}.items():
        sealed = bytearray(seal_bytes(bytes(32), b"This is AAD", plaintext))
        sealed[-1] ^= name == "torn"
        (tmp_path / f"{name}_ct.txt").write_text(sealed.hex())
        published = b"2" if name == "other" else plaintext
        (tmp_path / f"{name}_pt.txt").write_text(published.hex())
    assert CHECKER.main([str(tmp_path)]) == 1
    assert "1 passed, 2 failed" in capsys.readouterr().out
    assert CHECKER.main([str(tmp_path / "nowhere")]) == 2


# Round trips


@pytest.mark.parametrize("parameters", [SMALL, Parameters()], ids=["small", "standard"])
@pytest.mark.parametrize("whole", [0, 1, 2, 3])
@pytest.mark.parametrize("more", [-1, 0, 1])
def test_round_trip_around_the_borders(parameters: Parameters, whole: int, more: int) -> None:
    plaintext = octets(max(whole * (parameters.segment_length - OVERHEAD) + more, 0))
    sealed = seal_bytes(KEY, AAD, plaintext, parameters=parameters)
    assert len(sealed) == ciphertext_length(len(plaintext), parameters.segment_length)
    assert segment_length_of(sealed[:HEADER_LENGTH]) == parameters.segment_length
    assert open_bytes(KEY, AAD, sealed) == plaintext


def test_the_same_bytes_never_seal_alike() -> None:
    one, other = (seal_bytes(KEY, AAD, octets(40), parameters=SMALL) for _ in range(2))
    assert one[:10] == other[:10]
    assert one[10:HEADER_LENGTH] != other[10:HEADER_LENGTH]
    ivs = [segment[4:16] for segment in (*segments_of(one), *segments_of(other))]
    assert len(set(ivs)) == len(ivs) == 6


def test_a_new_file_is_sealed_as_the_format_page_says() -> None:
    header = Encryptor(KEY, AAD).header
    assert header[:10].hex() == "0000" + "00040000" + "00000020"
    assert len(header) == 74


@given(plaintext=st.binary(max_size=200), cuts=st.lists(st.integers(0, 200), max_size=8))
def test_how_the_bytes_arrive_changes_nothing(plaintext: bytes, cuts: list[int]) -> None:
    edges = sorted({0, len(plaintext), *(min(cut, len(plaintext)) for cut in cuts)})
    chunks = [plaintext[start:stop] for start, stop in pairwise(edges)]
    sealed = feed(Encryptor(KEY, AAD, parameters=SMALL), *chunks)
    assert len(sealed) == ciphertext_length(len(plaintext), 48)
    assert open_bytes(KEY, AAD, sealed) == plaintext


def test_any_kind_of_buffer_may_be_sealed() -> None:
    plaintext = octets(40)
    chunks: list[bytes | bytearray | memoryview] = [
        plaintext[:5],
        bytearray(plaintext[5:30]),
        memoryview(plaintext)[30:],
    ]
    sealer = Encryptor(KEY, AAD, parameters=SMALL)
    out = bytearray(sealer.header)
    for chunk in chunks:
        out += b"".join(bytes(piece) for piece in sealer.update(chunk))
    out += sealer.finish()
    assert sealer.plaintext_length == 40
    assert open_bytes(KEY, AAD, out) == plaintext


def test_keys_change_with_the_rotation_mask_and_not_before() -> None:
    """Sealed with a key per segment: a reader of one key per two segments opens the even ones."""
    sealed = seal_bytes(KEY, AAD, octets(64), parameters=Parameters(48, rotation_mask=0))
    assert open_bytes(KEY, AAD, sealed, rotation_mask=0) == octets(64)
    reader = Decryptor(
        KEY, AAD, sealed[:HEADER_LENGTH], ciphertext_length=len(sealed), rotation_mask=1
    )
    first, second, third, *_ = segments_of(sealed)
    into = bytearray(PAYLOAD)
    assert reader.open_segment(0, first, into) == octets(64)[:16]
    assert refusal(lambda: reader.open_segment(1, second, into)) == Reason.TAG
    assert reader.open_segment(2, third, into) == octets(64)[32:48]


# Ranges


@given(
    length=st.integers(0, 120),
    ends=st.tuples(st.integers(0, 120), st.integers(0, 120)),
    full_end=st.booleans(),
)
def test_a_range_is_the_slice_of_the_whole(
    length: int, ends: tuple[int, int], full_end: bool
) -> None:
    plaintext = octets(length)
    start, stop = sorted(min(end, length) for end in ends)
    sealed = bytes.fromhex(
        MAKER.seal("range", plaintext, 48, full_end=full_end, key=KEY, aad=AAD).join()
    )
    opener = Decryptor(
        KEY,
        AAD,
        sealed[:HEADER_LENGTH],
        plaintext_length=length,
        ciphertext_length=len(sealed),
    )
    layout = opener.layout
    into = bytearray(layout.payload)
    got = b""
    for index in reversed(layout.segments_for_range(start, stop)):
        offset, size = layout.segment_span(index)
        piece = opener.open_segment(index, sealed[offset : offset + size], into)
        assert piece == plaintext[slice(*_bounds(layout, index))]
        got = bytes(piece[layout.slice_of(index, start, stop)]) + got
    assert got == plaintext[start:stop]


def _bounds(layout: Layout, index: int) -> tuple[int, int]:
    start, length = layout.plaintext_span(index)
    return start, start + length


@given(length=st.integers(0, 10**13), segment_length=st.integers(33, 2**20))
def test_a_layout_adds_up(length: int, segment_length: int) -> None:
    segment_length = max(segment_length, length // 2**30 + 33)
    layout = Layout.of_plaintext(length, segment_length)
    assert layout == Layout.of_ciphertext(layout.ciphertext_length, segment_length)
    last = layout.segments - 1
    assert sum(layout.segment_span(last)) == layout.ciphertext_length
    assert sum(layout.plaintext_span(last)) == length
    assert OVERHEAD <= layout.segment_span(last)[1] < segment_length
    if length:
        assert layout.segment_of(0) == 0
        assert layout.segments_for_range(length - 1, length)[-1] == layout.segment_of(length - 1)


def test_a_layout_asks_for_no_more_segments_than_the_range_touches() -> None:
    layout = Layout.of_plaintext(100, 48)
    assert layout.segments_for_range(0, 0) == range(0)
    assert list(layout.segments_for_range(15, 17)) == [0, 1]
    assert list(layout.segments_for_range(16, 32)) == [1]
    assert list(layout.segments_for_range(0, 100)) == list(range(7))
    assert layout.slice_of(0, 15, 17) == slice(15, 16)
    assert layout.slice_of(1, 15, 17) == slice(0, 1)


@pytest.mark.parametrize(
    "ask",
    [
        lambda layout: layout.segment_of(100),
        lambda layout: layout.segment_of(-1),
        lambda layout: layout.segments_for_range(0, 101),
        lambda layout: layout.segments_for_range(5, 4),
        lambda layout: layout.segments_for_range(-1, 4),
        lambda layout: layout.segment_span(7),
        lambda layout: layout.segment_span(-1),
    ],
)
def test_a_layout_answers_for_nothing_outside_the_file(ask: Callable[[Layout], object]) -> None:
    with pytest.raises(IndexError):
        ask(Layout.of_plaintext(100, 48))


# Memory and time


def test_memory_does_not_grow_with_the_file() -> None:
    """64 MiB pass a sealer and an opener in the memory of a few segments."""
    chunk = octets(64 * 1024)
    total = 1024 * len(chunk)
    sealer = Encryptor(KEY, AAD)
    buffers = Buffers(SEGMENT_LENGTH)
    began = time.monotonic()
    tracemalloc.start()
    try:
        opener = Decryptor(KEY, AAD, sealer.header, plaintext_length=total)
        opened = 0
        for _ in range(1024):
            for piece in sealer.update(chunk):
                with buffers.borrow() as into:
                    view = opener.open_segment(opened, piece, into)
                    opened += 1
                    view.release()
        with buffers.borrow() as into:
            opener.open_segment(opened, sealer.finish(), into).release()
        assert tracemalloc.get_traced_memory()[1] < 3 * SEGMENT_LENGTH
    finally:
        tracemalloc.stop()
    assert opened == opener.layout.segments - 1
    assert sealer.plaintext_length == total
    assert time.monotonic() - began < 20


def test_a_sealer_that_has_ended_holds_no_buffer() -> None:
    chunk = octets(SEGMENT_LENGTH)
    tracemalloc.start()
    try:
        sealers = [Encryptor(KEY, AAD) for _ in range(8)]
        for sealer in sealers:
            assert [len(piece) for piece in sealer.update(chunk)] == [SEGMENT_LENGTH]
            sealer.finish()
        assert tracemalloc.get_traced_memory()[0] < SEGMENT_LENGTH
    finally:
        tracemalloc.stop()
