"""The note of erasures is whole and of its own log, or refused."""

from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.tlog.notes import LocalSigner
from base.ids import new_id
from vault.maintenance import erasure_notes
from vault.maintenance.erasure_notes import InvalidErasureNote, mark

LOG = LocalSigner("vault.example/log", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
ANOTHER = LocalSigner(LOG.verifier.name, Ed25519PrivateKey.generate())
AT = "2026-11-28T12:00:00Z"


@pytest.mark.parametrize("count", [0, 1, 3, 9_000])
def test_it_says_what_was_written(count: int) -> None:
    """Also more than other readers of signed notes take: the marks are beside what is signed."""
    marks = [mark(new_id()) for _ in range(count)]
    note = erasure_notes.read(erasure_notes.encode(marks, AT, LOG))
    assert (note.made_at, note.marks) == (AT, frozenset(marks))
    note.check(LOG.verifier)


def test_its_lines_tell_no_order() -> None:
    marks = [mark(new_id()) for _ in range(5)]
    assert erasure_notes.encode(marks, AT, LOG) == erasure_notes.encode(marks[::-1], AT, LOG)


def test_a_mark_stays_what_it_was() -> None:
    """Notes of before are applied by later releases."""
    person = UUID("0198c0de-0000-7000-8000-000000000001")
    assert mark(person).hex() == (
        "123c199f0ba6513835390213f2749f3fd067b196e8a190f9090100f90fa89992"
    )


def test_another_log_s_is_refused() -> None:
    note = erasure_notes.read(erasure_notes.encode([mark(new_id())], AT, ANOTHER))
    with pytest.raises(InvalidErasureNote, match="not signed by the log"):
        note.check(LOG.verifier)


WHOLE = erasure_notes.encode([mark(new_id()) for _ in range(3)], AT, LOG)
LINES = WHOLE.splitlines(keepends=True)
LINE = LINES[-1].strip()
DAMAGED = {
    "nothing": b"",
    "cut in a mark": WHOLE[:-9],
    "cut between marks": WHOLE[: -len(LINE) - 1],
    "cut before the marks": WHOLE[: WHOLE.rindex(b"\n\n") + 1],
    "without its last newline": WHOLE[:-1],
    "a mark twice": WHOLE + LINE + b"\n",
    "a mark more": WHOLE + b"ff" * 32 + b"\n",
    "a mark changed": WHOLE.replace(LINE, b"ff" * 32),
    "another order": b"".join([*LINES[:-2], LINES[-1], LINES[-2]]),
    "not hexadecimal": WHOLE.replace(LINE, b"z" * 64),
    "upper case": WHOLE.replace(LINE, LINE.upper()),
    "another format": WHOLE.replace(b"erased/v1", b"erased/v2"),
    "not text": b"\xff" + WHOLE,
    "a picture": bytes(range(256)) * 40,
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_one_that_is_not_whole_is_refused(damage: str) -> None:
    with pytest.raises(InvalidErasureNote):
        erasure_notes.read(DAMAGED[damage])


@pytest.mark.parametrize(("word", "other"), [(AT, "2026-11-29T12:00:00Z"), ("\n3\n", "\n2\n")])
def test_what_is_signed_cannot_be_changed(word: str, other: str) -> None:
    changed = WHOLE.replace(word.encode(), other.encode(), 1)
    assert changed != WHOLE
    with pytest.raises(InvalidErasureNote):
        erasure_notes.read(changed).check(LOG.verifier)


def test_one_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure_notes, "MAX_BYTES", len(WHOLE) - 1)
    with pytest.raises(InvalidErasureNote, match="too long"):
        erasure_notes.read(WHOLE)
