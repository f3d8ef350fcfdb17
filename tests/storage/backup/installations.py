"""An installation with people and documents, and an empty machine to restore it on."""

import secrets
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import text

from base import locks
from base.database import Database
from base.embedded.server import Addresses, pg_restore_binary
from base.ids import new_id
from storage import records
from storage.backup import manifest
from storage.backup.create import backup
from storage.backup.manifest import Manifest
from storage.backup.restore import FileCheck, restore
from storage.blobs import BlobStore
from storage.blobs.directory import DirectoryStore
from storage.content import Address, content_writer, open_content
from storage.field_encryption import FieldEncryption
from storage.keys import Keys
from storage.providers.local import LocalKeyring


def quiet(_done: int, _of: int) -> None:
    pass


@dataclass(frozen=True)
class StoredDocument:
    """A person's document: the values of its rows, and its content in clear."""

    person: UUID
    document: UUID
    address: Address
    plain: bytes


class Installation:
    """A database, a store and a keyring, with some documents."""

    def __init__(
        self, addresses: Addresses, database: Database, blobs: BlobStore, keyring: LocalKeyring
    ) -> None:
        self.addresses = addresses
        self.database = database
        self.blobs = blobs
        self.keyring = keyring
        self.keys = Keys(database, keyring)

    async def add(self, length: int) -> StoredDocument:
        """Blob first, then the rows, in one commit, as a deposit does."""
        person, document, version = new_id(), new_id(), new_id()
        plain = secrets.token_bytes(length)
        async with self.database.transaction() as tx:
            await self.keys.create_owner(tx, person)
        async with content_writer(
            self.blobs, self.keys, person, "original", version_id=version
        ) as content:
            await content.write(plain)
            file = await content.commit()
        writer = await FieldEncryption(self.keys).writer(person)
        values = {
            "person": person,
            "document": document,
            "version": version,
            "file": file.address.id,
            "key": file.blob_key,
            "envelope": file.address.envelope,
            "sealed": writer.seal("document", document, {"title": f"Paper {document}"}),
        }
        async with self.database.transaction() as tx:
            for statement in _ROWS:
                await tx.execute(text(statement), values)
        address = file.address
        return StoredDocument(person, document, address, plain)

    async def remove(self, stored: StoredDocument) -> None:
        """Delete its rows only: the sweep removes its blob."""
        async with self.database.transaction() as tx:
            await tx.execute(
                text("DELETE FROM unefois.document WHERE id = :id"), {"id": stored.document}
            )

    async def sweep(self) -> bool:
        """Remove blobs without a row, unless a backup is copying. Returns whether it ran."""
        async with self.database.transaction() as tx:
            if not await locks.try_hold(tx, locks.BLOBS):
                return False
            known = {row.blob_key async for row in records.sealed_files(tx)}
            for info in await self.blobs.page():
                if info.key not in known:
                    await self.blobs.delete(info.key)
        return True

    async def opens(self, stored: StoredDocument) -> None:
        """Assert that its row and content open, byte for byte, with empty caches."""
        keys = Keys(self.database, self.keyring)
        async with self.database.transaction() as tx:
            sealed = await tx.scalar(
                text("SELECT sealed FROM unefois.document WHERE id = :id"), {"id": stored.document}
            )
        opened = (await FieldEncryption(keys).reader(stored.person)).open(
            "document", stored.document, sealed
        )
        assert opened == {"title": f"Paper {stored.document}"}
        content = await open_content(self.blobs, keys, stored.person, stored.address)
        assert b"".join([bytes(piece) async for piece in content.slices()]) == stored.plain


_ROWS = (
    "INSERT INTO unefois.person (id, language, sealed) VALUES (:person, 'fr', :sealed)",
    "INSERT INTO unefois.document (id, person_id, version_id, type_tag, deposited_by_kind,"
    " revision, sealed) VALUES (:document, :person, :version, '\\x00', 'owner', :version, :sealed)",
    "INSERT INTO unefois.document_version (id, document_id, person_id, number, content_tag, scan,"
    " sealed) VALUES (:version, :document, :person, 1, '\\x00', 'not_scanned', :sealed)",
    "INSERT INTO unefois.sealed_file (id, version_id, person_id, role, position, blob_key,"
    " envelope) VALUES (:file, :version, :person, 'original', 0, :key, :envelope)",
    "INSERT INTO unefois.access_event (id, at, key_id, sealed, commitment)"
    " VALUES (:file, unefois.now(), :file, :sealed, sha256(:sealed))",
)


Back = Callable[[], Any]


class Target:
    """An empty machine to restore on."""

    def __init__(self, addresses: Addresses, folder: Path) -> None:
        self.addresses = addresses
        self.database = Database(SecretStr(addresses.owner_url), pool=3)
        self.blobs = DirectoryStore(folder / "blobs")
        self.keyring = LocalKeyring(folder / "keys" / "keyring.json")

    async def restore(
        self, backup_folder: Path, keys_from: Path | None
    ) -> tuple[Manifest, FileCheck]:
        return await restore(
            backup_folder,
            database=self.database,
            blobs=self.blobs,
            provider=self.keyring,
            keys_from=keys_from,
            progress=quiet,
        )

    async def is_empty(self) -> bool:
        async with self.database.transaction() as tx:
            no_table = await records.is_empty(tx)
        return no_table and not await self.blobs.page() and not self.keyring.path.exists()

    async def close(self) -> None:
        await self.database.close()
        await self.blobs.close()


async def take(
    installation: Installation, as_owner: Database, folder: Path, keys_to: Path | None
) -> Manifest:
    return await backup(
        folder,
        database=as_owner,
        blobs=installation.blobs,
        provider=installation.keyring,
        keys_to=keys_to,
        progress=quiet,
    )


def files_of(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def contents(folder: Path) -> bytes:
    """Every byte of a backup, its database as uncompressed SQL."""
    sql = subprocess.run(
        [pg_restore_binary(), "--file=-", folder / manifest.DATABASE],
        check=True,
        capture_output=True,
    ).stdout
    assert b"COPY unefois.document " in sql
    return b"\n".join([sql, *(path.read_bytes() for path in files_of(folder))])
