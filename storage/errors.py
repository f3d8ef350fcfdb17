"""What can go wrong with keys, for floors that may not import them."""

from base.errors import ErrorKind, ServiceError


class KeyDestroyed(ServiceError):
    """The owner was erased: what their key sealed does not exist for anyone any more."""

    def __init__(self) -> None:
        super().__init__(ErrorKind.NOT_FOUND, "not_found")
