"""How much the public tree grows at one publication: drawn, not caused by what happened. Pure."""

import secrets

CARRIED = 4
STEP = 8
"""In multiples of the padding: what may wait without showing; what one raise adds."""


def draw_growth(padding: int, waiting: int) -> int:
    """The number of leaves to publish: uniform in `[padding, 2 · padding]`, `padding` ≥ 1.

    `waiting` leaves are not public yet. Up to `4 · padding` of them do not count at all. Beyond,
    the growth is raised by steps of `8 · padding`, over a threshold that is drawn each time: the
    sum of two draws has no sharp edge, at which someone who holds the number of waiting events
    just there would see one more. After it, fewer than `19 · padding` wait.
    """
    step = STEP * padding
    threshold = CARRIED * padding + secrets.randbelow(step) + secrets.randbelow(step)
    return padding + secrets.randbelow(padding + 1) + raise_over(threshold, waiting, step)


def raise_over(threshold: int, waiting: int, step: int) -> int:
    """The whole steps that bring what waits down to the threshold."""
    return -(-max(0, waiting - threshold) // step) * step
