"""What a call to a store says of the store, and of the disk that it writes to."""

from base.part_state import PartStates
from storage.blobs import BlobUnavailable

DISK_CODES = frozenset({"ENOSPC", "EDQUOT", "EROFS"})
"""A disk that takes nothing more may still be read: the store answers, and is degraded."""


class StoreReport:
    """Tells the state of the parts from the calls to a store. From any thread."""

    def __init__(self, parts: PartStates) -> None:
        self._store, self._disk = parts.store, parts.disk

    def failed(self, error: Exception) -> None:
        """A call ended with this error, once converted. That a blob is missing, or that its key is
        in use, is an answer."""
        if not isinstance(error, BlobUnavailable):
            self.answered()
        elif error.reason in DISK_CODES:
            self._disk.failed(error.reason)
        else:
            self._store.failed(error.reason)

    @property
    def disk_fails(self) -> bool:
        """Whether the disk took nothing, the last time that something was written."""
        return self._disk.code is not None

    def failure(self, reason: str) -> BlobUnavailable:
        """One that no call to the store has told, to be raised."""
        failure = BlobUnavailable(reason)
        self.failed(failure)
        return failure

    def answered(self) -> None:
        """The store did what was asked. Not for a call that reached nothing: what is collected in
        memory, what is only cleaned up."""
        self._store.answered()

    def written(self) -> None:
        """The disk took what was written."""
        self._disk.answered()
