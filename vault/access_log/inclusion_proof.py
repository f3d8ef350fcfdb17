"""The proof of an entry of a person's own log: event, key, index, inclusion, checkpoint; and the
receipt that holds it."""

import base64
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any
from uuid import UUID

from audit.audit_log import AccessLogEntry
from audit.records import events_of
from audit.tlog.transparency_log import Inclusion
from auth.subjects import Person
from base.errors import not_found
from vault.access_log.entries import see_for_person
from vault.services import Services


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """What can be verified offline with only the log's public key. `inclusion` is None until the
    event is integrated into the tree."""

    event: dict[str, Any] = field(repr=False)
    k_event: bytes = field(repr=False)
    commitment: bytes
    sealed_sha256: bytes
    inclusion: Inclusion | None = None


async def prove_inclusion(services: Services, person: Person, event_id: UUID) -> InclusionProof:
    """The proof of one entry of the person's own log. Reading it is not an access: not recorded.
    Raises `ServiceError` `not_found`, also for one that is kept back from who is beside them."""
    if person.beside is not None or person.represented_by is not None:
        await see_for_person(services, person, event_id)
    tag = await services.audit_log.person_tag(person.id)
    async with services.database.transaction() as tx:
        rows = await events_of(tx, person_tag=tag, event_id=event_id, limit=1)
        entries = await services.audit_log.open_entries(tx, rows)
    proof = proof_of(rows[0], entries[0]) if rows else None
    if proof is None:
        raise not_found()
    return replace(proof, inclusion=await services.transparency_log.inclusion(event_id))


def proof_of(row: Any, entry: AccessLogEntry) -> InclusionProof | None:
    """What proves an entry that was opened, but its place in the tree; None without its key."""
    if entry.values is None or entry.k_event is None:
        return None
    return InclusionProof(
        event=entry.values,
        k_event=entry.k_event,
        commitment=row.commitment,
        sealed_sha256=sha256(row.sealed).digest(),
    )


def receipt_of(proof: InclusionProof) -> dict[str, Any] | None:
    """The receipt that docs/formats/log.md describes; None until the entry is in a signed tree.

    Bytes are in base64.
    """
    if proof.inclusion is None:
        return None
    return {
        "event": proof.event,
        "k_event": _base64(proof.k_event),
        "commitment": _base64(proof.commitment),
        "sealed_sha256": _base64(proof.sealed_sha256),
        "index": proof.inclusion.index,
        "inclusion": [_base64(node) for node in proof.inclusion.path],
        "checkpoint": proof.inclusion.checkpoint.decode(),
    }


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
