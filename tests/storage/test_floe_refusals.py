"""`storage/floe.py`: altered, moved and misused data is refused, and no plaintext of it is left."""

import tracemalloc
from functools import partial

import pytest

from storage.floe import (
    HEADER_LENGTH,
    OVERHEAD,
    Decryptor,
    Encryptor,
    InvalidCiphertext,
    Layout,
    Parameters,
    Reason,
    ciphertext_length,
    open_bytes,
    seal_bytes,
)
from tests.storage.floe_files import AAD, KEY, MAKER, PAYLOAD, SMALL, octets, refusal, segments_of

# What must not open


SEALED = seal_bytes(KEY, AAD, octets(40), parameters=SMALL)


@pytest.mark.parametrize("at", range(len(SEALED)))
def test_a_flipped_bit_anywhere_is_refused(at: int) -> None:
    for bit in (1, 128):
        changed = bytearray(SEALED)
        changed[at] ^= bit
        assert refusal(partial(open_bytes, KEY, AAD, changed)) in Reason


@pytest.mark.parametrize(
    ("key", "aad"),
    [
        (b"K" + KEY[1:], AAD),
        (KEY, b""),
        (KEY, AAD + b"\0"),
        (KEY, AAD[:-1]),
    ],
)
def test_another_key_or_another_aad_is_refused_before_any_segment(key: bytes, aad: bytes) -> None:
    header = SEALED[:HEADER_LENGTH]
    assert refusal(lambda: Decryptor(key, aad, header, plaintext_length=40)) == Reason.HEADER_TAG


@pytest.mark.parametrize(
    ("plaintext", "ciphertext", "reason"),
    [
        (39, None, Reason.SEGMENT_FIELD),  # the last segment's length field is one byte too long
        (41, None, Reason.LENGTH),
        (16, None, Reason.SEGMENT_FIELD),  # an inner segment read as the last
        (None, HEADER_LENGTH + 96, Reason.SEGMENT_FIELD),
        (None, 211, Reason.LENGTH),
        (None, 0, Reason.LENGTH),
        (40, 209, Reason.LENGTH),
        (40, 211, Reason.LENGTH),
        (40, 210 + OVERHEAD, Reason.LENGTH),  # one segment more than these bytes need
        (-1, 73, Reason.LENGTH),
        (-32, HEADER_LENGTH, Reason.LENGTH),
    ],
)
def test_a_length_that_is_not_the_files_is_refused(
    plaintext: int | None, ciphertext: int | None, reason: Reason
) -> None:
    """The length in the row, not that of the blob, decides which segment is the last."""
    assert len(SEALED) == 210

    def opened() -> None:
        opener = Decryptor(
            KEY,
            AAD,
            SEALED[:HEADER_LENGTH],
            plaintext_length=plaintext,
            ciphertext_length=ciphertext,
        )
        into = bytearray(PAYLOAD)
        for index in range(opener.layout.segments):
            offset, length = opener.layout.segment_span(index)
            opener.open_segment(index, SEALED[offset : offset + length], into)

    assert refusal(opened) == reason


def test_a_layout_of_too_few_segments_is_refused_before_any_is_read() -> None:
    assert refusal(lambda: Layout(48, 40, HEADER_LENGTH + 40 + 2 * OVERHEAD)) == Reason.LENGTH


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ([1, 0, 2], Reason.TAG),
        ([0, 0, 2], Reason.TAG),
        ([0, 1, 1], Reason.LENGTH),
        ([0, 2, 1], Reason.LENGTH),
    ],
    ids=["swapped", "repeated", "last dropped, one repeated", "last moved forward"],
)
def test_segments_out_of_place_are_refused(order: list[int], reason: Reason) -> None:
    opener = Decryptor(KEY, AAD, SEALED[:HEADER_LENGTH], plaintext_length=40)
    segments = segments_of(SEALED)
    into = bytearray(PAYLOAD)

    def opened() -> None:
        for index, which in enumerate(order):
            opener.open_segment(index, segments[which], into)

    assert refusal(opened) == reason


def test_a_segment_opens_only_as_what_it_was_sealed_as() -> None:
    """A full inner segment opened as the last one, and a full last one as an inner one."""
    first = segments_of(seal_bytes(KEY, AAD, octets(40), parameters=SMALL))[0]
    sealed = MAKER.seal("ends full", octets(16), 48, full_end=True, key=KEY, aad=AAD)
    for segment, header, total, field in (
        (first, SEALED[:HEADER_LENGTH], 16, (48).to_bytes(4, "big")),
        (sealed.segments[0], sealed.header, 32, b"\xff" * 4),
    ):
        whole = HEADER_LENGTH + 48 * (total // 16)
        opener = Decryptor(KEY, AAD, header, plaintext_length=total, ciphertext_length=whole)
        into = bytearray(PAYLOAD)
        attempt = partial(opener.open_segment, 0, segment, into)
        assert refusal(attempt) == Reason.SEGMENT_FIELD
        assert refusal(partial(opener.open_segment, 0, field + segment[4:], into)) == Reason.TAG


def test_unverified_plaintext_is_wiped_from_the_buffer() -> None:
    opener = Decryptor(KEY, AAD, SEALED[:HEADER_LENGTH], plaintext_length=40)
    segment = bytearray(segments_of(SEALED)[0])
    segment[-1] ^= 1
    into = bytearray(b"\xaa" * PAYLOAD)
    assert refusal(lambda: opener.open_segment(0, segment, into)) == Reason.TAG
    assert into == bytes(PAYLOAD)


def test_a_refusal_says_its_reason_and_nothing_else() -> None:
    with pytest.raises(InvalidCiphertext) as caught:
        open_bytes(KEY, AAD, SEALED[:-1] + b"\0")
    assert str(caught.value) == "tag"
    assert caught.value.args == ("tag",)
    assert caught.value.__suppress_context__
    for thing in (
        Encryptor(KEY, AAD),
        Decryptor(KEY, AAD, SEALED[:HEADER_LENGTH], plaintext_length=40),
    ):
        assert "kkkk" not in repr(thing)


# Misuse


def test_a_sealer_takes_nothing_after_its_end() -> None:
    for end in (Encryptor.finish, Encryptor.close):
        sealer = Encryptor(KEY, AAD, parameters=SMALL)
        end(sealer)
        with pytest.raises(RuntimeError):
            sealer.update(b"more")
        with pytest.raises(RuntimeError):
            sealer.finish()


def test_a_closed_sealer_holds_no_plaintext() -> None:
    for end in (Encryptor.finish, Encryptor.close):
        sealer = Encryptor(KEY, AAD, parameters=SMALL)
        assert list(sealer.update(b"private")) == []
        kept = sealer._pending
        assert bytes(kept).startswith(b"private")
        end(sealer)
        assert bytes(kept) == bytes(PAYLOAD), "wiped, for whoever holds it still"
        assert bytes(sealer._pending) == b""


def test_a_sealer_refuses_to_go_on_when_pieces_were_left_behind() -> None:
    """A lost piece makes a file that never opens: an error at once is better."""
    sealer = Encryptor(KEY, AAD, parameters=SMALL)
    pieces = sealer.update(octets(40))
    next(pieces)
    with pytest.raises(RuntimeError):
        sealer.update(b"more")
    with pytest.raises(RuntimeError):
        sealer.finish()
    assert len(list(pieces)) == 1
    assert len(sealer.finish()) == 8 + OVERHEAD


def test_pieces_cannot_be_written_to() -> None:
    sealer = Encryptor(KEY, AAD, parameters=SMALL)
    assert all(piece.readonly for piece in sealer.update(octets(40)))
    assert sealer.finish().readonly


@pytest.mark.parametrize("key", [b"", KEY[1:], KEY + b"k"])
def test_a_key_is_32_bytes(key: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Encryptor(key, AAD)
    with pytest.raises(ValueError, match="32 bytes"):
        Decryptor(key, AAD, SEALED[:HEADER_LENGTH], plaintext_length=40)


def test_impossible_parameters_are_refused() -> None:
    for wrong in ((32, 20), (2**32 - 1, 20), (48, -1), (48, 21)):
        with pytest.raises(ValueError, match="out of range"):
            Parameters(*wrong)
    with pytest.raises(ValueError, match="negative"):
        ciphertext_length(-1)
    with pytest.raises(TypeError):
        Decryptor(KEY, AAD, SEALED[:HEADER_LENGTH])


def test_a_hostile_segment_length_costs_no_memory() -> None:
    """The header is checked before memory is allocated by it."""
    header = SEALED[:2] + (2**32 - 2).to_bytes(4, "big") + SEALED[6:HEADER_LENGTH]
    tracemalloc.start()
    try:
        assert refusal(lambda: open_bytes(KEY, AAD, header + bytes(100))) == Reason.HEADER_TAG
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()
