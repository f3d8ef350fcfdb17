"""States of this floor that the floors above may meet."""


class KeyDestroyed(Exception):  # noqa: N818  (it is a state of the world)
    """The owner's secret is gone: nothing of theirs opens any more."""
