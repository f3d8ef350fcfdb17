"""Every sealed row: does it open under its owner's key, and do its tags say what it seals?

What is opened is compared and dropped: nothing of it is printed, kept or recorded.
"""

import hmac
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from audit.tlog.keys import InvalidOrigin
from auth.oauth.tokens import SigningKey
from auth.session_devices import owner_of
from base import key_names
from storage.errors import KeyDestroyed
from storage.field_encryption import DecryptionError, FieldReader
from storage.providers import KeyProviderError
from vault.consent.type_tags import type_tag
from vault.reconciliation.faults import Faults
from vault.reconciliation.snapshot import Snapshot, table_named
from vault.services import Services

Check = Callable[[Services, Any, dict[str, Any]], Awaitable[str | None]]


def _nobody(_row: Any) -> UUID | None:
    return None


def _person(row: Any) -> UUID | None:
    owner: UUID | None = row.person_id
    return owner


def _itself(row: Any) -> UUID | None:
    owner: UUID | None = row.id
    return owner


def _owner(row: Any) -> UUID | None:
    owner: UUID | None = row.owner_id
    return owner


def _holder(session: Any) -> UUID | None:
    return owner_of(session.subject_kind, session.subject_id)


async def _same_phone(services: Services, row: Any, values: dict[str, Any]) -> str | None:
    return await _same_tag(services, key_names.PHONE, row.phone_tag, values.get("phone"))


async def _same_addressee(services: Services, row: Any, values: dict[str, Any]) -> str | None:
    """Of a request through a meeting, the tag is the meeting's."""
    met = values.get("meeting")
    if met is None:
        return await _same_phone(services, row, values)
    return await _same_tag(services, key_names.MET, row.phone_tag, met)


async def _same_email(services: Services, row: Any, values: dict[str, Any]) -> str | None:
    return await _same_tag(services, key_names.EMAIL, row.email_tag, values.get("email"))


async def _same_tag(
    services: Services, use: str, tag: bytes | None, value: str | None
) -> str | None:
    if not value or tag is None:
        return None
    expected = await services.field_encryption.tag(use, value)
    return None if hmac.compare_digest(expected, tag) else "tag"


async def _same_type(services: Services, row: Any, values: dict[str, Any]) -> str | None:
    sensitive = values.get("sensitive", False)
    expected = await type_tag(services, row.person_id, values["type"], sensitive=sensitive)
    return None if hmac.compare_digest(expected, row.type_tag) else "tag"


async def _same_halves(_services: Services, row: Any, values: dict[str, Any]) -> str | None:
    private = X25519PrivateKey.from_private_bytes(bytes.fromhex(values["private_key"]))
    return None if private.public_key().public_bytes_raw() == row.public_key else "halves"


async def _same_kid(_services: Services, row: Any, values: dict[str, Any]) -> str | None:
    return None if SigningKey.from_pem(values["pem"].encode()).kid == row.kid else "halves"


async def _same_public_half(_services: Services, _row: Any, values: dict[str, Any]) -> str | None:
    if "pem" not in values:
        return None  # a key that signs no more
    key = SigningKey.from_pem(values["pem"].encode())
    return None if key.public_jwk() == values["jwk"] else "halves"


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A sealed column: in which table, under which name of key and whose key; `check` compares
    what was opened with the row, and answers a word of `faults.WORDS` or None."""

    table: str
    key_name: str
    owner: Callable[[Any], UUID | None]
    column: str = "sealed"
    check: Check | None = None
    key: str = "id"


SEALED = (
    SealedColumn("person", key_names.PERSON, _itself, check=_same_phone),
    SealedColumn("organisation", key_names.ORGANISATION, _nobody),
    SealedColumn("worker", key_names.WORKER, _nobody, check=_same_email),
    SealedColumn("client", key_names.CLIENT, _nobody),
    SealedColumn("document", key_names.DOCUMENT, _person, check=_same_type),
    SealedColumn("document_version", key_names.DOCUMENT_VERSION, _person),
    SealedColumn("consent_request", key_names.CONSENT_REQUEST, _person, check=_same_addressee),
    SealedColumn(
        "consent_request", key_names.SENT_REQUEST, _nobody, "sender_sealed", check=_same_addressee
    ),
    SealedColumn("grant", key_names.GRANT, _person),
    SealedColumn("consent_evidence", key_names.CONSENT_EVIDENCE, _person),
    SealedColumn("mandate", key_names.MANDATE, _person),
    SealedColumn("person_label", key_names.PERSON_LABEL, _nobody),
    SealedColumn("meeting", key_names.MEETING, _nobody),
    SealedColumn("vault_join", key_names.JOIN, _nobody),
    SealedColumn("recovery", key_names.RECOVERY, _nobody),
    SealedColumn("trusted_person", key_names.TRUSTED, _nobody),
    SealedColumn("representation", key_names.REPRESENTATION, _nobody),
    SealedColumn("report", key_names.REPORT, _person),
    SealedColumn("upload", key_names.UPLOAD, _person),
    SealedColumn("archive", key_names.ARCHIVE, _person),
    SealedColumn("archive_piece", key_names.ARCHIVE, _person),
    SealedColumn("message", key_names.MESSAGE, _nobody),
    SealedColumn("card", key_names.CARD, _person),
    SealedColumn("pin", key_names.PIN, _person, key="person_id"),
    SealedColumn("pin_step", key_names.PIN_STEP, _nobody),
    SealedColumn("sign_in", key_names.SIGN_IN, _nobody),
    SealedColumn("session", key_names.SESSION, _holder),
    SealedColumn("receipt_key", key_names.RECEIPT_KEY, _nobody, check=_same_public_half),
    SealedColumn("signing_key", key_names.SIGNING_KEY, _nobody, check=_same_kid),
    SealedColumn(
        "audit_key", key_names.AUDIT_KEY, _owner, "sealed_private_key", check=_same_halves
    ),
)


async def check_sealed(services: Services, snapshot: Snapshot, faults: Faults) -> None:
    """Name each sealed row that does not open, or whose tag is another's."""
    for column in SEALED:
        async for rows in snapshot.pages(table_named(column.table)):
            await _check_page(services, snapshot, column, rows, faults)
    await _check_log_key(services, faults)


async def _check_page(
    services: Services,
    snapshot: Snapshot,
    column: SealedColumn,
    rows: Sequence[Any],
    faults: Faults,
) -> None:
    for row in rows:
        blob = getattr(row, column.column)
        if blob is None:
            continue  # a value that older releases did not seal
        owner = column.owner(row)
        try:
            reader = await services.field_encryption.reader(owner, snapshot.connection)
        except KeyDestroyed:
            # A key of the log that an erasure crossed, or a session that it ended: they open
            # nothing. `check_keys` names an owner's key without a vault; a vault without its key is
            # named by its own row.
            if column.table not in {"audit_key", "session"}:
                faults.add("key_missing", column.table, getattr(row, column.key))
            continue
        except KeyProviderError:
            continue  # named by `check_keys`
        found = await _opened(services, column, row, reader)
        if found is not None:
            faults.add(found, column.table, getattr(row, column.key))


async def _opened(
    services: Services, column: SealedColumn, row: Any, reader: FieldReader
) -> str | None:
    try:
        values = reader.open(column.key_name, getattr(row, column.key), getattr(row, column.column))
    except DecryptionError:
        return "sealed"
    return None if column.check is None else await column.check(services, row, values)


async def _check_log_key(services: Services, faults: Faults) -> None:
    keys = services.transparency_log.keys
    try:
        await keys.signer()
    except DecryptionError:
        faults.add("sealed", "log_key", "of this log")
    except InvalidOrigin:
        faults.add("halves", "log_key", "of this log")
