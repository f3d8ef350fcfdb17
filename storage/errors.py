"""What can go wrong with keys, for floors that may not import them."""

from base.errors import Failure, Kind


class KeyDestroyed(Failure):
    """The owner was erased: what their key sealed does not exist for anyone any more."""

    def __init__(self) -> None:
        super().__init__(Kind.NOT_FOUND, "not_found")
