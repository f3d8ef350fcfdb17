"""Errors of keys, for layers that may not import `storage.keys`."""

from base.errors import ErrorKind, ServiceError


class KeyDestroyed(ServiceError):
    """The owner was erased: what their key sealed no longer exists for anyone."""

    def __init__(self) -> None:
        super().__init__(ErrorKind.NOT_FOUND, "not_found")


class KeyMissing(ServiceError):
    """A secret of the service that is made once and never again is not there."""

    def __init__(self) -> None:
        super().__init__(ErrorKind.UNAVAILABLE, "service_key_missing")
