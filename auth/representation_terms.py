"""When a representation opens a vault: plain values in, a yes or a no out. Pure."""

from datetime import datetime


def lives(
    began_at: datetime | None,
    ends_at: datetime | None,
    ended_at: datetime | None,
    at: datetime,
) -> bool:
    """Whether a representation opens the vault at a moment: a judgement was read for it, and its
    last day is not over."""
    return began_at is not None and ends_at is not None and ended_at is None and at < ends_at
