"""The log's name (its origin) and its Ed25519 key: created once, sealed in the database, permanent.

Every process of the service reads the same key, sealed under the service's own secret: with a key
file per machine, each machine would be another log. The origin is stored with it, so that a new
address of the service does not rename the log.
"""

from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.engine import Row

from audit.tlog import records
from audit.tlog.checkpoint import Policy
from audit.tlog.notes import ED25519, InvalidNote, LocalSigner, Verifier
from audit.tlog.witness_client import WitnessAddress, read_witnesses
from base.database import Database
from base.ids import new_id
from base.key_names import LOG_KEY
from base.settings import Settings
from storage.field_encryption import FieldEncryption


class InvalidOrigin(ValueError):
    """The log's settings contradict each other or the log that exists."""


class LogKeys:
    """Reads the log's name and key; creates them when there are none."""

    def __init__(
        self, settings: Settings, database: Database, field_encryption: FieldEncryption
    ) -> None:
        self._settings = settings
        self._database = database
        self._field_encryption = field_encryption
        self._verifier: Verifier | None = None

    async def verifier(self) -> Verifier:
        """The log's name and public key. Raises `InvalidOrigin`."""
        if self._verifier is None:
            self._verifier = _public(await self._row())
            self._check(self._verifier)
        return self._verifier

    async def signer(self) -> LocalSigner:
        """The signer of checkpoints, for the sequencer, and of notes of erasures. Raises
        `InvalidOrigin`."""
        row = await self._row()
        self._check(_public(row))
        reader = await self._field_encryption.reader(None)
        values = reader.open(LOG_KEY, row.id, row.sealed)
        key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(values["private_key"]))
        if key.public_key().public_bytes_raw() != row.public_key:
            raise InvalidOrigin("the log's sealed key is not that of its public half")
        return LocalSigner(row.origin, key)

    async def check(self) -> None:
        """Raise `InvalidOrigin` if the settings do not match the log that exists, if any."""
        log_policy(self._settings)
        async with self._database.transaction() as tx:
            row = await records.log_key(tx)
        if row is not None:
            self._check(_public(row))

    async def _row(self) -> Row[Any]:
        async with self._database.transaction() as tx:
            row = await records.log_key(tx)
        if row is None:
            await self._create()
            async with self._database.transaction() as tx:
                row = await records.log_key(tx)
        assert row is not None  # noqa: S101  (just created, here or by another process)
        return row

    async def _create(self) -> None:
        """A crash leaves no key, or the key: nothing is signed before it is committed."""
        key, key_id = Ed25519PrivateKey.generate(), new_id()
        verifier = Verifier(origin_of(self._settings), ED25519, key.public_key().public_bytes_raw())
        writer = await self._field_encryption.writer(None)
        private = {"private_key": key.private_bytes_raw().hex()}
        async with self._database.transaction() as tx:
            await records.add_log_key(
                tx,
                id=key_id,
                origin=verifier.name,
                public_key=verifier.public_key,
                sealed=writer.seal(LOG_KEY, key_id, private),
            )

    def _check(self, verifier: Verifier) -> None:
        configured = self._settings.log_origin
        if configured is not None and configured != verifier.name:
            raise InvalidOrigin(
                f"UNEFOIS_LOG_ORIGIN is {configured!r}, and the log of this database is named"
                f" {verifier.name!r}: a log keeps its name"
            )


def origin_of(settings: Settings) -> str:
    """The name for a log that does not exist yet."""
    return settings.log_origin or f"{urlsplit(settings.public_url).netloc}/log"


def log_witnesses(settings: Settings) -> list[WitnessAddress]:
    """The witnesses that the settings name. Raises `InvalidOrigin`."""
    try:
        return read_witnesses(settings.log_witnesses)
    except (ValueError, InvalidNote):
        raise InvalidOrigin("UNEFOIS_LOG_WITNESSES is not a list of VKEY@URL") from None


def log_policy(settings: Settings) -> Policy:
    """The witnesses, and how many of them must have cosigned. Raises `InvalidOrigin`."""
    verifiers = tuple(witness.verifier for witness in log_witnesses(settings))
    try:
        return Policy(verifiers, settings.log_witnesses_needed)
    except ValueError as error:
        raise InvalidOrigin(f"UNEFOIS_LOG_WITNESSES: {error}") from None


def _public(row: Row[Any]) -> Verifier:
    return Verifier(row.origin, ED25519, row.public_key)
