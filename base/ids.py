"""UUIDv7 identifiers (RFC 9562 §5.7): they sort by time and reveal nothing else."""

import secrets
from datetime import datetime
from uuid import UUID

from base import clock


def new_id() -> UUID:
    """48 bits of milliseconds, then 74 random bits. Lists are in the order of ids: the time is the
    database's, as the process knows it, so that a machine whose clock jumps puts nothing first."""
    value = first_id_at(clock.now()).int | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def first_id_at(instant: datetime) -> UUID:
    """The smallest id of an instant's millisecond."""
    milliseconds = max(0, int(instant.timestamp() * 1000))
    return UUID(int=(milliseconds & ((1 << 48) - 1)) << 80)


def parse_id(text: str) -> UUID | None:
    """A canonical UUID, or None: a malformed id answers as an unknown one (invariant 7)."""
    try:
        value = UUID(text)
    except ValueError:
        return None
    return value if str(value) == text.lower() else None
