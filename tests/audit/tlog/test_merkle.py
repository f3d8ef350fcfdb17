"""The tree against the recursive definition of RFC 6962, and every proof altered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.tlog import merkle
from audit.tlog.merkle import InvalidProof, leaf_hash, node_hash

MAX_SIZE = 70


def leaves(size: int) -> list[bytes]:
    return [leaf_hash(index.to_bytes(4, "big")) for index in range(size)]


def naive_root(hashes: list[bytes]) -> bytes:
    """MTH of RFC 6962 §2.1, exactly as defined there."""
    if not hashes:
        return merkle.EMPTY_ROOT
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return node_hash(naive_root(hashes[:split]), naive_root(hashes[split:]))


def reader_of(hashes: list[bytes]) -> merkle.HashReader:
    def read(level: int, index: int) -> bytes:
        part = hashes[index << level : (index + 1) << level]
        assert len(part) == 1 << level, "only complete subtrees are stored"
        return naive_root(part)

    return read


def test_an_empty_tree_and_the_domains_of_leaf_and_node() -> None:
    assert merkle.root_of([]).hex() == (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )
    # The leaf of no bytes: SHA-256 of one zero byte.
    assert leaf_hash(b"").hex() == (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    )
    assert leaf_hash(b"\x01" + b"a" * 64) != node_hash(b"a" * 32, b"a" * 32)


@pytest.mark.parametrize("size", range(MAX_SIZE))
def test_roots_and_edges_are_those_of_the_definition(size: int) -> None:
    hashes = leaves(size)
    assert merkle.root_of(hashes) == naive_root(hashes)
    edge = merkle.compact_range(size, reader_of(hashes))
    assert edge.root() == naive_root(hashes)
    edge.append(leaf_hash(b"next"))
    assert edge.root() == naive_root([*hashes, leaf_hash(b"next")])


def test_appending_names_each_complete_subtree_once() -> None:
    hashes = leaves(64)
    edge, made = merkle.CompactRange(), {}
    for one in hashes:
        for level, index, value in edge.append(one):
            assert (level, index) not in made
            made[level, index] = value
    read = reader_of(hashes)
    assert made == {
        (level, index): read(level, index) for level in range(7) for index in range(64 >> level)
    }


@pytest.mark.parametrize("size", range(1, MAX_SIZE))
def test_every_leaf_is_proved_and_only_where_it_is(size: int) -> None:
    hashes = leaves(size)
    root, read = naive_root(hashes), reader_of(hashes)
    for index, leaf in enumerate(hashes):
        proof = merkle.inclusion_proof(index, size, read)
        merkle.verify_inclusion(leaf, index, size, proof, root)
        for elsewhere in {index - 1, index + 1, size} - {index}:
            with pytest.raises(InvalidProof):
                merkle.verify_inclusion(leaf, elsewhere, size, proof, root)
        with pytest.raises(InvalidProof):
            merkle.verify_inclusion(leaf_hash(b"other"), index, size, proof, root)


@pytest.mark.parametrize("second", range(1, MAX_SIZE))
def test_every_growth_is_proved(second: int) -> None:
    hashes = leaves(second)
    read = reader_of(hashes)
    for first in range(second + 1):
        proof = merkle.consistency_proof(first, second, read)
        old, new = naive_root(hashes[:first]), naive_root(hashes)
        merkle.verify_consistency(first, second, old, new, proof)
        if 0 < first < second:
            with pytest.raises(InvalidProof):
                merkle.verify_consistency(first, second, new, new, proof)
            with pytest.raises(InvalidProof):
                merkle.verify_consistency(first, second, old, old, proof)
            with pytest.raises(InvalidProof):
                merkle.verify_consistency(first, second, old, new, [])


@given(st.data())
def test_a_proof_changed_in_any_way_proves_nothing(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 200))
    hashes = leaves(size)
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof(index, size, reader_of(hashes))
    at = data.draw(st.integers(0, len(proof) - 1))
    flipped = bytes([proof[at][0] ^ 1]) + proof[at][1:]
    changed = data.draw(
        st.sampled_from(
            [
                [*proof[:at], flipped, *proof[at + 1 :]],
                [*proof[:at], *proof[at + 1 :]],
                [*proof, proof[at]],
                [*proof[:at], proof[at][:31], *proof[at + 1 :]],
            ]
        )
    )
    with pytest.raises(InvalidProof):
        merkle.verify_inclusion(hashes[index], index, size, changed, naive_root(hashes))


@given(st.integers(1, 300), st.integers(1, 300), st.data())
def test_a_fork_is_never_a_growth(one: int, two: int, data: st.DataObject) -> None:
    first, second = sorted((one, two))
    hashes = leaves(second)
    changed = data.draw(st.integers(0, first - 1))
    fork = [*hashes[:changed], leaf_hash(b"forked"), *hashes[changed + 1 : first]]
    for proof in (
        merkle.consistency_proof(first, second, reader_of(hashes)),
        [data.draw(st.binary(min_size=32, max_size=32))],
    ):
        with pytest.raises(InvalidProof):
            merkle.verify_consistency(first, second, naive_root(fork), naive_root(hashes), proof)


@pytest.mark.parametrize(("first", "second"), [(-1, 3), (4, 3)])
def test_sizes_that_cannot_be(first: int, second: int) -> None:
    with pytest.raises(InvalidProof):
        merkle.verify_consistency(first, second, b"a" * 32, b"a" * 32, [])
    with pytest.raises(IndexError):
        merkle.consistency_proof(first, second, reader_of(leaves(5)))
    with pytest.raises(IndexError):
        merkle.inclusion_proof(3, 3, reader_of(leaves(3)))


def test_an_edge_that_does_not_fit_its_size_is_refused() -> None:
    with pytest.raises(ValueError, match="one hash a bit"):
        merkle.CompactRange(3, [b"a" * 32])
    with pytest.raises(ValueError, match="one hash a bit"):
        merkle.CompactRange(1, [b"short"])
