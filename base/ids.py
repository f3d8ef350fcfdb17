"""UUIDv7 identifiers (RFC 9562 §5.7): they sort by time and reveal nothing else."""

import secrets
from uuid import UUID

from base import clock


def new_id() -> UUID:
    """48 bits of milliseconds, then 74 random bits."""
    milliseconds = int(clock.now().timestamp() * 1000)
    value = (milliseconds & ((1 << 48) - 1)) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def parse_id(text: str) -> UUID | None:
    """A canonical UUID, or None: a malformed id answers as an unknown one (invariant 7)."""
    try:
        value = UUID(text)
    except ValueError:
        return None
    return value if str(value) == text.lower() else None
