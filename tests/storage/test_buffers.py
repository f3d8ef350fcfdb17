"""Buffers are reused, and never while a view of one is still in use."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.buffers import Buffers


@settings(deadline=None, max_examples=20)
@given(keep=st.integers(0, 3), together=st.integers(1, 6))
def test_idle_buffers_are_used_again_and_few_are_kept(keep: int, together: int) -> None:
    buffers = Buffers(64, keep=keep)
    before = _borrow_together(buffers, together)
    assert len(set(map(id, before))) == together
    again = _borrow_together(buffers, together)
    used_again = sum(any(buffer is other for other in before) for buffer in again)
    assert used_again == min(keep, together)
    assert all(len(buffer) == 64 for buffer in again)


def _borrow_together(buffers: Buffers, count: int) -> list[bytearray]:
    if not count:
        return []
    with buffers.borrow() as buffer:
        return [buffer, *_borrow_together(buffers, count - 1)]


def test_a_buffer_still_looked_at_is_never_lent_again() -> None:
    """A slice that waits in a slow transport must not get another person's bytes."""
    buffers = Buffers(64)
    with buffers.borrow() as first:
        first[:4] = b"mine"
        waiting = memoryview(first)[:4]
    with buffers.borrow() as second:
        second[:4] = b"your"
        assert second is not first
    assert bytes(waiting) == b"mine"
    waiting.release()


def test_a_buffer_comes_back_when_its_borrower_fails() -> None:
    buffers = Buffers(64)
    with pytest.raises(ZeroDivisionError), buffers.borrow() as first:
        1 / 0  # noqa: B018  (the failure is the point)
    with buffers.borrow() as second:
        assert second is first
