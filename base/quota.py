"""What is left to a caller of what they may do in a time: their own count, and nobody else's."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quota:
    """`limit` in any `window`; `left` of them now. `more_in`: after how long there is one more, or
    the whole window where nothing was counted. Seconds."""

    name: str
    limit: int
    window: int
    left: int
    more_in: int
