"""The local keyring: root versions in one file that only its owner can read.

The file is JSON: `{"format": "unefois/keyring/v1", "versions": [{id, key, created_at}, …]}`, with
keys of 32 bytes in base64. A destroyed version keeps its entry, with `destroyed_at` and no key. The
database, not this file, says which version is active.
"""

import asyncio
import base64
import fcntl
import json
import os
import secrets
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self, TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from base import clock
from base.files import write_private
from base.settings import Settings
from storage.providers import KeyProviderError

FORMAT = "unefois/keyring/v1"
_KEY = 32
_NONCE = 12
_OTHER_ACCOUNTS = 0o077

Stamp: TypeAlias = tuple[int, int, int]
"""Identifies the state of the file that was read: inode, time in nanoseconds, size."""


@dataclass(slots=True)
class _Version:
    """One entry of the keyring; `key` is None once destroyed."""

    id: str
    created_at: str
    key: bytes | None = field(repr=False)
    destroyed_at: str | None = None


class LocalKeyring:
    """Wraps with AES-256-GCM under the keys of a file, with the version and the context as AAD.

    Is trusted with everything: who can read the file and the database can read the vault. Several
    processes may share it: each change is made under a lock, and each use checks whether the file
    has changed since it was read.
    """

    name: ClassVar[str] = "local"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp: Stamp | None = None
        self._ciphers: dict[str, AESGCM] = {}

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """As the contract: the keyring of the service's home folder."""
        return cls(settings.home / "keys" / "keyring.json")

    async def create(self, known: Collection[str] = ()) -> str:  # noqa: ARG002  (ids are random)
        """As the contract. A crash before the rename leaves the former file, whole."""
        return await asyncio.to_thread(self._create)

    async def wrap(self, version: str, secret: bytes, context: Mapping[str, str]) -> bytes:
        """As the contract: `nonce (12) ‖ ciphertext ‖ tag (16)`."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._cipher(version).encrypt(nonce, secret, _aad(version, context))

    async def unwrap(self, version: str, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        """As the contract."""
        nonce, sealed = wrapped[:_NONCE], wrapped[_NONCE:]
        try:
            return self._cipher(version).decrypt(nonce, sealed, _aad(version, context))
        except (InvalidTag, ValueError):
            pass
        raise KeyProviderError("the wrap does not open: altered, or of another row")

    async def destroy(self, version: str) -> None:
        """As the contract. A crash leaves the version whole, or destroyed.

        The former file is overwritten once it is unlinked: what a disk, a snapshot or a copy still
        keeps of it is out of our reach (`docs/runbooks/keys.md`).
        """
        await asyncio.to_thread(self._destroy, version)

    async def check(self, version: str) -> None:
        """As the contract; the file is read again, so that a lost file is detected."""
        self._stamp = None
        self._cipher(version)

    def copy_to(self, path: Path) -> None:
        """Write the same keyring to another file, replacing its content.

        There is one copy, the latest: an older one would keep root versions destroyed since.
        """
        with self._locked() as versions:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _check_private(path.parent.stat(), "folder")
            _write(path, versions)

    def _create(self) -> str:
        version = _Version(
            f"local-{secrets.token_hex(8)}",
            clock.rfc3339(clock.now()),
            secrets.token_bytes(_KEY),
        )
        with self._locked() as versions:
            _write(self.path, [*versions, version])
        return version.id

    def _destroy(self, version: str) -> None:
        with self._locked() as versions:
            for entry in versions:
                if entry.id == version and entry.key is not None:
                    entry.key, entry.destroyed_at = None, clock.rfc3339(clock.now())
                    _write(self.path, versions)
        self._ciphers.pop(version, None)

    @contextmanager
    def _locked(self) -> Iterator[list[_Version]]:
        """The current versions, under a lock that the kernel releases if the process dies."""
        folder = self.path.parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield self._read()[0]
        finally:
            os.close(descriptor)

    def _cipher(self, version: str) -> AESGCM:
        self._refresh()
        cipher = self._ciphers.get(version)
        if cipher is None:
            raise KeyProviderError("the keyring does not hold this root version, or no longer")
        return cipher

    def _refresh(self) -> None:
        """Read the file again if it changed: a rotation elsewhere is seen at the next use."""
        if self._stamp is not None and self._stamp == self._current_stamp():
            return
        versions, self._stamp = self._read()
        self._ciphers = {entry.id: AESGCM(entry.key) for entry in versions if entry.key is not None}

    def _current_stamp(self) -> Stamp | None:
        try:
            return _stamp(os.lstat(self.path))
        except OSError:
            return None

    def _read(self) -> tuple[list[_Version], Stamp | None]:
        """The versions in the file; none if there is no file. Raises `KeyProviderError`."""
        for _ in range(10):
            try:
                descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            except FileNotFoundError:
                return [], None
            except OSError:
                break
            with os.fdopen(descriptor, "rb") as file:
                status = os.fstat(descriptor)
                _check_private(status, "file")
                _check_private(self.path.parent.stat(), "folder")
                text = file.read()
            # Otherwise it was replaced, and perhaps overwritten, during the read: read the new one.
            if _stamp(status) == self._current_stamp():
                return _parse(text), _stamp(status)
        raise KeyProviderError("the keyring file cannot be read")


def _check_private(status: os.stat_result, what: str) -> None:
    if status.st_uid != os.geteuid():
        raise KeyProviderError(f"the keyring's {what} belongs to another account")
    if status.st_mode & _OTHER_ACCOUNTS:
        raise KeyProviderError(f"the keyring's {what} is open to other accounts: chmod go= it")


def _parse(text: bytes) -> list[_Version]:
    """Parse the file's text; an error quotes nothing of it."""
    try:
        keyring = json.loads(text)
        if keyring["format"] == FORMAT:
            return [_version(entry) for entry in keyring["versions"]]
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise KeyProviderError("the keyring file is damaged, or of another format")


def _version(entry: dict[str, Any]) -> _Version:
    key = None
    if entry.get("destroyed_at") is None:
        key = base64.b64decode(entry["key"], validate=True)
        if len(key) != _KEY:
            raise ValueError
    return _Version(str(entry["id"]), str(entry["created_at"]), key, entry.get("destroyed_at"))


def _entry(version: _Version) -> dict[str, str]:
    entry = {"id": version.id, "created_at": version.created_at}
    if version.key is not None:
        entry["key"] = base64.b64encode(version.key).decode()
    if version.destroyed_at is not None:
        entry["destroyed_at"] = version.destroyed_at
    return entry


def _write(path: Path, versions: list[_Version]) -> None:
    """Replace the file, then overwrite the former one, which is now unlinked."""
    former: int | None = None
    with suppress(FileNotFoundError):
        former = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        entries = [_entry(version) for version in versions]
        write_private(path, json.dumps({"format": FORMAT, "versions": entries}, indent=1))
        if former is not None:
            _overwrite(former)
    finally:
        if former is not None:
            os.close(former)


def _overwrite(descriptor: int) -> None:
    """Write zeros over an unlinked file; if that fails, the file is only deleted."""
    with suppress(OSError):
        os.pwrite(descriptor, bytes(os.fstat(descriptor).st_size), 0)
        os.fsync(descriptor)


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_ino, status.st_mtime_ns, status.st_size


def _aad(version: str, context: Mapping[str, str]) -> bytes:
    associated = {"context": dict(context), "root": version}
    return json.dumps(associated, sort_keys=True, separators=(",", ":")).encode()
