"""All that a person was asked for and all that they gave, for the copy that they take away. What
makes the copy records it; nothing here does. A row that somebody altered keeps no other back.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from uuid import UUID

from storage.field_encryption import DecryptionError
from storage.row_macs import RowAltered
from vault.consent import consent_evidence, grants, receipt_keys, request_views
from vault.consent.grants import GrantView
from vault.consent.receipt_codes import code_of
from vault.consent.receipts import consent_record, evidence_record
from vault.consent.records import grants as grant_records
from vault.consent.records import requests as request_records
from vault.consent.request_views import ReceivedRequest
from vault.cursors import Position
from vault.services import Services

_PAGE = 100


async def requests_of(
    services: Services, person_id: UUID, until: datetime
) -> AsyncIterator[ReceivedRequest | UUID]:
    """The requests that came until then, those that wait first, then newest first; of one whose row
    is not as the service wrote it, only its id."""
    after: Position | None = None
    seen: set[UUID] = set()  # one that is answered meanwhile stands in a later page too
    while True:
        found: list[ReceivedRequest | UUID] = []
        async with services.database.transaction() as tx:
            rows = await request_records.requests_of_person(tx, person_id, after=after, limit=_PAGE)
            for row in rows[:_PAGE]:
                if row.id not in seen and row.created_at <= until:
                    seen.add(row.id)
                    try:
                        found.append(await request_views.received(services, tx, row))
                    except (RowAltered, DecryptionError):
                        found.append(row.id)
        for one in found:
            yield one
        if len(rows) <= _PAGE:
            return
        after = (rows[_PAGE - 1].rank, rows[_PAGE - 1].id)


async def grants_of(
    services: Services, person_id: UUID, until: datetime
) -> AsyncIterator[GrantView | UUID]:
    """The grants that were given until then, the newest first; of one whose row is not as the
    service wrote it, only its id."""
    after: Position | None = None
    while True:
        found: list[GrantView | UUID] = []
        async with services.database.transaction() as tx:
            rows = await grant_records.grants_of_person(
                tx, person_id, state=None, after=after, limit=_PAGE
            )
            for row in rows[:_PAGE]:
                try:
                    grant = await grants.opened(services, row, tx)
                except (RowAltered, DecryptionError):
                    found.append(row.id)
                else:
                    found += [grant] if grant.given_at <= until else []
        for one in found:
            yield one
        if len(rows) <= _PAGE:
            return
        after = (0, rows[_PAGE - 1].id)


async def receipt_of(
    services: Services, person_id: UUID, grant: GrantView
) -> dict[str, Any] | None:
    """The receipt of a grant of theirs as it stands now, signed, as they get it; None where the
    evidence of it is not as the service wrote it."""
    try:
        async with services.database.transaction() as tx:
            acts = await consent_evidence.evidence_of(
                services, tx, grant_id=grant.id, person_id=person_id, named=grant.evidence_id
            )
    except (RowAltered, DecryptionError):
        return None
    code = await code_of(services, grant.id)
    record = consent_record(grant, services.settings.public_url, code)
    evidence = evidence_record(acts, to_its_person=True)
    return await receipt_keys.sign(services, record | ({"evidence": evidence} if evidence else {}))
