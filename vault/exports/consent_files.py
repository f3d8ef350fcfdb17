"""The files of an export that tell of consents: requests, grants, and the receipt of each grant.
Format: docs/formats/export.md."""

from collections.abc import AsyncIterator, Container
from datetime import datetime
from typing import Any
from uuid import UUID

from base.clock import rfc3339
from vault.consent import exported_consents
from vault.consent.grants import GrantView
from vault.consent.request_views import ReceivedRequest
from vault.exports.json_files import File, json_bytes, once
from vault.services import Services

REQUESTS = "demandes.json"
GRANTS = "accès.json"
RECEIPTS = "reçus"


def receipt_path(grant_id: UUID) -> str:
    """Where the receipt of a grant stands."""
    return f"{RECEIPTS}/{grant_id}.json"


async def consent_files(
    services: Services, person_id: UUID, until: datetime, done: Container[str], folder: str = ""
) -> AsyncIterator[File]:
    """All of them, in order, but those receipts that are `done` already. `folder`: where the lists
    of this vault stand, with its slash."""
    requests = [
        _request(one) async for one in exported_consents.requests_of(services, person_id, until)
    ]
    yield f"{folder}{REQUESTS}", once(json_bytes(requests))
    told: list[dict[str, Any]] = []
    async for grant in exported_consents.grants_of(services, person_id, until):
        if isinstance(grant, UUID):
            told.append(_unreadable(grant))
            continue
        path = receipt_path(grant.id)
        there = path in done
        if not there:
            receipt = await exported_consents.receipt_of(services, person_id, grant)
            there = receipt is not None
            if there:
                yield path, once(json_bytes(receipt))
        told.append(_grant(grant, path if there else None))
    yield f"{folder}{GRANTS}", once(json_bytes(told))


def _unreadable(id_: UUID) -> dict[str, Any]:
    return {"id": str(id_), "unreadable": True}


def _request(one: ReceivedRequest | UUID) -> dict[str, Any]:
    if isinstance(one, UUID):
        return _unreadable(one)
    return {
        "id": str(one.id),
        "state": one.state,
        "asked_at": rfc3339(one.asked_at),
        "lapses_at": rfc3339(one.lapses_at),
        "requester_kind": one.requester_kind,
        "requester": one.requester,
        "terms": one.asked.values(),
        **({} if one.grant_id is None else {"grant": str(one.grant_id)}),
    }


def _grant(grant: GrantView, receipt: str | None) -> dict[str, Any]:
    ended = {}
    if grant.revoked_at is not None:
        ended = {"ended_at": rfc3339(grant.revoked_at), "ended_by": grant.ended_by}
    return {
        "id": str(grant.id),
        "state": grant.state,
        "recipient_kind": grant.recipient_kind,
        "recipient": grant.recipient,
        "given_at": rfc3339(grant.given_at),
        "ends_at": rfc3339(grant.ends_at),
        **ended,
        "terms": grant.terms.values(),
        "covers_future": grant.covers_future,
        **({} if grant.request_id is None else {"request": str(grant.request_id)}),
        **({"receipt_unreadable": True} if receipt is None else {"receipt": receipt}),
    }
