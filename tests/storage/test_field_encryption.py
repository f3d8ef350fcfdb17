"""Sealed rows and keyed tags: what opens, what does not, and what their lengths reveal."""

import secrets
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.database import Database
from base.ids import new_id
from storage.field_encryption import (
    PADDING_STEP,
    DecryptionError,
    FieldEncryption,
    FieldReader,
    FieldWriter,
    pad,
    unpad,
)
from storage.keys import Keys, Secret
from tests.storage.owners import new_owner

ROW = UUID(int=1)
VALUES = {"title": "Avis d’imposition 2025 – été", "sides": 2, "none": None, "list": ["é", ""]}
OVERHEAD = 1 + 12 + 16

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=200),
    lambda deeper: st.lists(deeper, max_size=3) | st.dictionaries(st.text(), deeper, max_size=3),
    max_leaves=10,
)


class BothWays(FieldWriter, FieldReader):
    """A writer and a reader of the same owner."""


def sealer(subject: str = "one", value: bytes = bytes(32)) -> BothWays:
    return BothWays(Secret(subject, 1, value))


def test_a_writer_opens_nothing_and_a_reader_seals_nothing() -> None:
    assert not hasattr(FieldWriter, "open")
    assert not hasattr(FieldReader, "seal")


@given(st.dictionaries(st.text(max_size=20), json_values, max_size=5))
def test_what_is_sealed_opens_as_it_was(values: dict[str, Any]) -> None:
    row_sealer = sealer()
    assert row_sealer.open("document", ROW, row_sealer.seal("document", ROW, values)) == values


@given(st.text(max_size=400), st.text(max_size=400))
def test_lengths_reveal_steps_only(one: str, other: str) -> None:
    """Two texts have sealed rows of equal lengths unless they fall in different 64-byte steps."""

    def step(value: str) -> int:
        return (len(f'{{"t":"{value}"}}'.encode()) + PADDING_STEP) // PADDING_STEP

    lengths = []
    for value in (one, other):
        plain = value.replace('"', "'").replace("\\", "/")
        plain = "".join(c for c in plain if c.isprintable())
        sealed = sealer().seal("document", ROW, {"t": plain})
        assert (len(sealed) - OVERHEAD) % PADDING_STEP == 0
        lengths.append((step(plain), len(sealed)))
    assert (lengths[0][0] == lengths[1][0]) == (lengths[0][1] == lengths[1][1])


@given(st.binary(max_size=300))
def test_padding_is_undone_whatever_the_bytes(plain: bytes) -> None:
    padded = pad(plain)
    assert len(padded) % PADDING_STEP == 0
    assert len(plain) < len(padded) <= len(plain) + PADDING_STEP
    assert unpad(padded) == plain


@pytest.mark.parametrize("padded", [b"", bytes(64), b"x" * 64, b"\x81" + bytes(63)])
def test_what_is_not_padding_is_refused(padded: bytes) -> None:
    with pytest.raises(DecryptionError):
        unpad(padded)


def test_two_sealings_of_the_same_differ() -> None:
    row_sealer = sealer()
    assert row_sealer.seal("document", ROW, VALUES) != row_sealer.seal("document", ROW, VALUES)


def test_a_sealed_row_holds_none_of_its_words() -> None:
    sealed = sealer().seal("document", ROW, VALUES)
    assert b"imposition" not in sealed
    assert b"title" not in sealed


def test_a_row_moved_elsewhere_does_not_open() -> None:
    """Moved to another row, table or person, or read with another version of the key."""
    row_sealer = sealer()
    sealed = row_sealer.seal("document", ROW, VALUES)
    elsewhere = [
        (row_sealer, "document", UUID(int=2)),
        (row_sealer, "grant", ROW),
        (sealer("two"), "document", ROW),
        (sealer(value=secrets.token_bytes(32)), "document", ROW),
        (BothWays(Secret("one", 2, bytes(32))), "document", ROW),
    ]
    for other, table, row in elsewhere:
        with pytest.raises(DecryptionError):
            other.open(table, row, sealed)
    assert row_sealer.open("document", ROW, sealed) == VALUES


def test_every_flipped_bit_is_noticed() -> None:
    row_sealer = sealer()
    sealed = row_sealer.seal("document", ROW, {"a": 1})
    for at in range(len(sealed)):
        altered = bytearray(sealed)
        altered[at] ^= 1 << at % 8
        with pytest.raises(DecryptionError):
            row_sealer.open("document", ROW, bytes(altered))


@pytest.mark.parametrize("length", [0, 1, 12, 13, 28, 29, 92])
def test_a_cut_row_is_broken(length: int) -> None:
    row_sealer = sealer()
    sealed = row_sealer.seal("document", ROW, {"a": 1})
    assert len(sealed) > length
    with pytest.raises(DecryptionError):
        row_sealer.open("document", ROW, sealed[:length])


def test_tags_are_equal_for_equal_values_only() -> None:
    row_sealer = sealer()
    assert row_sealer.tag("type", "passport") == sealer().tag("type", "passport")
    tags = [
        row_sealer.tag("type", "passport"),
        row_sealer.tag("type", "passpor", "t"),
        row_sealer.tag("type", "", "passport"),
        row_sealer.tag("type", "passport", ""),
        row_sealer.tag("other", "passport"),
        sealer("two").tag("type", "passport"),
        sealer(value=secrets.token_bytes(32)).tag("type", "passport"),
    ]
    assert len(set(tags)) == len(tags)
    assert all(len(tag) == 32 for tag in tags)


def test_content_hashes_are_of_their_owner() -> None:
    hashed = set()
    for subject in ("one", "two"):
        running = sealer(subject).hasher("content")
        running.update(b"the same bytes")
        hashed.add(running.digest())
    assert len(hashed) == 2


async def test_owners_are_apart(keys: Keys, database: Database) -> None:
    """Through the database: one person's keys do not open another's rows, and tags differ."""
    fields = FieldEncryption(keys)
    one = await fields.writer(await new_owner(keys, database))
    another = await new_owner(keys, database)
    other, others = await fields.writer(another), await fields.reader(another)
    row = new_id()
    with pytest.raises(DecryptionError):
        others.open("document", row, one.seal("document", row, VALUES))
    assert one.tag("type", "passport") != other.tag("type", "passport")
    service = await fields.reader(None)
    with pytest.raises(DecryptionError):
        service.open("document", row, one.seal("document", row, VALUES))


async def test_look_up_tags_are_those_of_every_process(keys: Keys, database: Database) -> None:
    number = "+33600000001"
    here = await FieldEncryption(keys).tag("phone", number)
    elsewhere = await FieldEncryption(Keys(database, keys.provider)).tag("phone", number)
    assert here == elsewhere
    assert here != await FieldEncryption(keys).tag("email", number)
    assert here != await FieldEncryption(keys).tag("phone", "+33600000002")


def test_a_sealer_shows_nothing_of_its_keys() -> None:
    value = secrets.token_bytes(32)
    row_sealer = sealer(value=value)
    row_sealer.seal("document", ROW, VALUES)
    assert value.hex() not in repr(row_sealer)
    assert repr(value)[2:-1] not in repr(row_sealer)
    assert "AESGCM" not in repr(row_sealer)
