"""The contract of a root of trust, which wraps the keys."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar, Protocol, Self

from base.errors import ErrorKind, ServiceError
from base.part_state import PartState
from base.settings import Settings


class KeyProviderError(ServiceError):
    """The root of trust refused or did not answer: callers are answered 503. `reason` is for the
    operator, and holds no key material, address or id."""

    def __init__(self, reason: str) -> None:
        super().__init__(ErrorKind.UNAVAILABLE, "keys_unavailable", retry_after=5)
        self.reason = reason

    def __str__(self) -> str:
        """The reason alone: the message of a command."""
        return self.reason


@contextmanager
def noted(state: PartState) -> Iterator[None]:
    """Tell the state of the keys how a use of the provider ended."""
    try:
        yield
    except KeyProviderError as error:
        state.failed(error.reason)
        raise
    state.answered()


class KeyProvider(Protocol):
    """Wraps 32-byte secrets under named root versions that can be destroyed one by one.

    `context` binds a wrap to its row. Unwrapping under another context fails with
    `KeyProviderError` if the root of trust can bind a context; if it cannot, the keys derived from
    the secret still bind the row.
    """

    name: ClassVar[str]
    """Its name in `Settings.key_provider` and in the manifest of a backup."""

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The provider that the service's settings describe. No file is read, no call made yet."""
        ...

    async def create(self, known: Collection[str] = ()) -> str:
        """Create a root version that is not in `known`, and return its id. Durable on return.

        If the operator created one beforehand, that one is returned first.
        """
        ...

    async def wrap(self, version: str, secret: bytes, context: Mapping[str, str]) -> bytes:
        """Wrap a 32-byte secret."""
        ...

    async def unwrap(self, version: str, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        """Return the secret, or raise `KeyProviderError`."""
        ...

    async def destroy(self, version: str) -> None:
        """Destroy a root version: what only it wrapped is lost. Idempotent."""
        ...

    async def check(self, version: str) -> None:
        """Raise `KeyProviderError` unless the version can be used now."""
        ...
