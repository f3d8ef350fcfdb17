"""The proof of an entry of a person's own log: event, key, index, inclusion, checkpoint; and the
receipt that holds it."""

import base64
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import UUID

from audit.records import events_of
from audit.tlog.transparency_log import Inclusion
from auth.subjects import Person
from base.errors import ServiceError, not_found
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
    inclusion: Inclusion | None


async def prove_inclusion(
    services: Services, person: Person, event_id: UUID, *, or_event_alone: bool = False
) -> InclusionProof:
    """The proof of one entry of the person's own log. Reading it is not an access: not recorded.
    `or_event_alone`: without its inclusion while the log cannot prove it. Raises `ServiceError`
    `not_found`, also for one that is kept back from who is beside them; UNAVAILABLE
    `log_broken`."""
    if person.beside is not None:
        await see_for_person(services, person, event_id)
    tag = await services.audit_log.person_tag(person.id)
    async with services.database.transaction() as tx:
        rows = await events_of(tx, person_tag=tag, event_id=event_id, limit=1)
        entries = await services.audit_log.open_entries(tx, rows)
    if not entries or entries[0].values is None or entries[0].k_event is None:
        raise not_found()
    return InclusionProof(
        event=entries[0].values,
        k_event=entries[0].k_event,
        commitment=rows[0].commitment,
        sealed_sha256=sha256(rows[0].sealed).digest(),
        inclusion=await _inclusion(services, event_id, or_none=or_event_alone),
    )


async def _inclusion(services: Services, event_id: UUID, *, or_none: bool) -> Inclusion | None:
    try:
        return await services.transparency_log.inclusion(event_id)
    except ServiceError as failure:
        if or_none and failure.code == "log_broken":
            return None
        raise


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
