"""A third key provider is one class, chosen like the other two by its name in the settings."""

import json
import secrets
from collections.abc import Collection, Mapping
from datetime import timedelta
from pathlib import Path
from typing import ClassVar, Self

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from base.database import Database
from base.settings import Settings
from storage.backends import KEY_PROVIDERS, key_provider
from storage.key_rotation import initialise, rotate
from storage.keys import Keys
from storage.providers import KeyProvider, KeyProviderError
from storage.providers.local import LocalKeyring
from tests.storage.owners import new_owner


class InMemory:
    """Root versions in the memory of one process: enough for the contract."""

    name: ClassVar[str] = "in-memory"

    def __init__(self, label: str) -> None:
        self.label = label
        self._ciphers: dict[str, AESGCM] = {}

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """As the contract; the home folder is an example of a setting that a provider reads."""
        return cls(settings.home.name)

    async def create(self, known: Collection[str] = ()) -> str:  # noqa: ARG002  (ids are random)
        """As the contract."""
        version = f"{self.label}-{secrets.token_hex(8)}"
        self._ciphers[version] = AESGCM(secrets.token_bytes(32))
        return version

    async def wrap(self, version: str, secret: bytes, context: Mapping[str, str]) -> bytes:
        """As the contract."""
        nonce = secrets.token_bytes(12)
        return nonce + self._cipher(version).encrypt(nonce, secret, _aad(context))

    async def unwrap(self, version: str, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        """As the contract."""
        try:
            return self._cipher(version).decrypt(wrapped[:12], wrapped[12:], _aad(context))
        except InvalidTag:
            raise KeyProviderError("altered, or of another row") from None

    async def destroy(self, version: str) -> None:
        """As the contract."""
        self._ciphers.pop(version, None)

    async def check(self, version: str) -> None:
        """As the contract."""
        self._cipher(version)

    def _cipher(self, version: str) -> AESGCM:
        if version not in self._ciphers:
            raise KeyProviderError("no such root version")
        return self._ciphers[version]


def _aad(context: Mapping[str, str]) -> bytes:
    return json.dumps(dict(context), sort_keys=True).encode()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    # Not validated: the settings do not list this name, as they would for a real third one.
    return Settings(mode="demo", home=tmp_path).model_copy(update={"key_provider": InMemory.name})


def test_each_provider_is_chosen_by_its_name(settings: Settings) -> None:
    third = key_provider(settings, {**KEY_PROVIDERS, InMemory.name: lambda: InMemory})
    assert isinstance(third, InMemory)
    assert third.label == settings.home.name
    local = key_provider(settings.model_copy(update={"key_provider": "local"}))
    assert isinstance(local, LocalKeyring)
    assert local.path == settings.home / "keys" / "keyring.json"
    assert list(KEY_PROVIDERS) == ["local", "aws-kms"]
    assert all(provider().name == name for name, provider in KEY_PROVIDERS.items())


async def test_the_keys_stand_on_a_third_provider(database: Database, settings: Settings) -> None:
    provider: KeyProvider = key_provider(
        settings, {**KEY_PROVIDERS, InMemory.name: lambda: InMemory}
    )
    first = await initialise(database, provider)
    owner = await new_owner(Keys(database, provider), database)
    before = (await Keys(database, provider).owner(owner)).derive("test")
    # A rotation wraps the secret again under a new root version; the derived keys are the same.
    await rotate(database, provider, timedelta(0), lambda _done, _of: None)
    await provider.destroy(first)
    assert (await Keys(database, provider).owner(owner)).derive("test") == before
