"""The log's name (its origin) and its Ed25519 key: made once, sealed in the database, for ever.

Every process of the service finds the same key, under the service's own secret: two machines that
each made a file would be two logs. The origin is kept with it, so that a changed address of the
service does not rename the log.
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
    """The settings of the log contradict themselves or the log that is there."""


class LogKeys:
    """Reads the log's name and key; makes them when there are none."""

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
        """The one that signs checkpoints; for the sequencer alone. Raises `InvalidOrigin`."""
        row = await self._row()
        self._check(_public(row))
        reader = await self._field_encryption.reader(None)
        values = reader.open(LOG_KEY, row.id, row.sealed)
        key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(values["private_key"]))
        if key.public_key().public_bytes_raw() != row.public_key:
            raise InvalidOrigin("the log's sealed key is not that of its public half")
        return LocalSigner(row.origin, key)

    async def check(self) -> None:
        """Raise `InvalidOrigin` unless the settings fit the log that is there, if there is one."""
        log_policy(self._settings)
        async with self._database.transaction() as tx:
            row = await records.log_key(tx)
        if row is not None:
            self._check(_public(row))

    async def _row(self) -> Row[Any]:
        async with self._database.transaction() as tx:
            row = await records.log_key(tx)
        if row is None:
            await self._make()
            async with self._database.transaction() as tx:
                row = await records.log_key(tx)
        assert row is not None  # noqa: S101  (just made, here or by another process)
        return row

    async def _make(self) -> None:
        """A crash leaves no key, or the key: nothing was signed before it was committed."""
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
        wanted = self._settings.log_origin
        if wanted is not None and wanted != verifier.name:
            raise InvalidOrigin(
                f"UNEFOIS_LOG_ORIGIN is {wanted!r}, and the log of this database is named"
                f" {verifier.name!r}: a log keeps its name"
            )


def origin_of(settings: Settings) -> str:
    """The name of a log that is yet to be made."""
    return settings.log_origin or f"{urlsplit(settings.public_url).netloc}/log"


def log_witnesses(settings: Settings) -> list[WitnessAddress]:
    """The witnesses that the settings name. Raises `InvalidOrigin`."""
    try:
        return read_witnesses(settings.log_witnesses)
    except (ValueError, InvalidNote):
        raise InvalidOrigin("UNEFOIS_LOG_WITNESSES is not a list of VKEY@URL") from None


def log_policy(settings: Settings) -> Policy:
    """How many of them must have cosigned. Raises `InvalidOrigin`."""
    verifiers = tuple(one.verifier for one in log_witnesses(settings))
    try:
        return Policy(verifiers, settings.log_witnesses_needed)
    except ValueError as error:
        raise InvalidOrigin(f"UNEFOIS_LOG_WITNESSES: {error}") from None


def _public(row: Row[Any]) -> Verifier:
    return Verifier(row.origin, ED25519, row.public_key)
