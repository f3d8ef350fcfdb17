"""The device and the network of a session: sealed in its row, for its own subject to see."""

import hmac
import secrets
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.services import CoreServices
from auth.visitor import UNKNOWN, Visitor
from base.key_names import SESSION, SESSION_NETWORK
from storage.field_encryption import FieldWriter

UNKNOWN_NETWORK = b""
_TAG_LENGTH = 32


@dataclass(frozen=True, slots=True)
class SessionDevice:
    """A word of `auth.visitor.DEVICES`, a keyed tag of the network (never an address), whether its
    holder said that others use it; of an assisted session, from which one it was opened."""

    word: str
    network: bytes = field(repr=False)
    shared: bool = False
    opened_from: UUID | None = None

    def shares_network(self, tag: bytes) -> bool:
        """Whether a tag is of the same network."""
        return hmac.compare_digest(self.network, tag)


def owner_of(kind: str, subject_id: UUID) -> UUID | None:
    """Under whose key a session is sealed: the person's, or the service's for a worker."""
    return subject_id if kind == "person" else None


def seal_device(
    writer: FieldWriter,
    session_id: UUID,
    subject_id: UUID,
    visitor: Visitor,
    opened_from: UUID | None = None,
) -> bytes:
    """The visitor's device and network; all devices give the same length. `opened_from`: of an
    assisted session, that of the worker."""
    network = network_tag(writer, subject_id, visitor).hex()
    values: dict[str, Any] = {"device": visitor.device, "network": network}
    if visitor.shared:
        values["shared"] = True
    if opened_from is not None:
        values["opened_from"] = str(opened_from)
    return writer.seal(SESSION, session_id, values)


def network_tag(writer: FieldWriter, subject_id: UUID, visitor: Visitor) -> bytes:
    """Says only whether someone comes from the same network, each person and worker apart. Two that
    are unknown are not the same."""
    if visitor.network == UNKNOWN.network:
        return secrets.token_bytes(_TAG_LENGTH)
    return writer.tag(SESSION_NETWORK, subject_id.bytes, visitor.network)


async def open_device(services: CoreServices, tx: AsyncConnection, row: Any) -> SessionDevice:
    """The device of a session's row; unknown for a row of before."""
    if row.sealed is None:
        return SessionDevice("unknown", UNKNOWN_NETWORK)
    owner = owner_of(row.subject_kind, row.subject_id)
    reader = await services.field_encryption.reader(owner, tx)
    values = reader.open(SESSION, row.id, row.sealed)
    network = bytes.fromhex(values["network"])
    opened_from = UUID(values["opened_from"]) if "opened_from" in values else None
    return SessionDevice(values["device"], network, values.get("shared", False), opened_from)
