"""Who wraps the keys: the contract that every root of trust keeps."""

from collections.abc import Collection, Mapping
from typing import ClassVar, Protocol, Self

from base.settings import Settings


class KeyProviderError(Exception):
    """The root of trust refused or did not answer. Holds no key material."""


class KeyProvider(Protocol):
    """Wraps 32-byte secrets under named root versions that can be destroyed one by one.

    `context` binds a wrap to its row: unwrapping under another context fails with
    `KeyProviderError`, where the root of trust can bind one; the keys derived from the secret bind
    the row again, where it cannot.
    """

    name: ClassVar[str]
    """What `Settings.key_provider` and the manifest of a backup call it."""

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The provider that the service's settings describe. Nothing is read or asked yet."""
        ...

    async def create(self, known: Collection[str] = ()) -> str:
        """Make a root version that is none of `known`, and return its id. Durable on return.

        A root of trust where the operator made one beforehand gives that one first.
        """
        ...

    async def wrap(self, version: str, secret: bytes, context: Mapping[str, str]) -> bytes:
        """Wrap a 32-byte secret."""
        ...

    async def unwrap(self, version: str, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        """Give the secret back, or raise `KeyProviderError`."""
        ...

    async def destroy(self, version: str) -> None:
        """Destroy a root version: what it alone wrapped is gone. Idempotent."""
        ...

    async def check(self, version: str) -> None:
        """Raise `KeyProviderError` unless the version can be used now."""
        ...
