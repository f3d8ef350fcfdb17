"""What the page of an export tells, `index.html`: it is read without a network and without the
installation. What makes the page of it is given by the process: the domain renders nothing."""

from collections.abc import AsyncIterator, Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from auth.person_contact import contact_to_tell
from vault.access_log.entries import EntryView
from vault.access_log.exported_log import OlderUnreadable, exported_log
from vault.consent.exported_consents import grants_of, requests_of
from vault.consent.grants import GrantView
from vault.consent.request_views import ReceivedRequest
from vault.exports.export_vaults import ToldVault
from vault.services import Services

INDEX = "index.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultOnPage:
    """What is told of a vault; `joined_at` of one that ended in the person's. Read as the page is
    written, once. Of a row that somebody altered there is only the id; the log ends with None where
    older entries could not be read."""

    joined_at: datetime | None
    requests: AsyncIterator[ReceivedRequest | UUID] = field(repr=False)
    grants: AsyncIterator[GrantView | UUID] = field(repr=False)
    log: AsyncIterator[EntryView | None] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSummary:
    """All that the page tells. `papers` and `unreadable`: as `documents.json` has them; `there`:
    the paths that the zip has; `zone`: where its reader is."""

    language: str
    zone: ZoneInfo
    made_at: datetime
    origin: str
    papers: Sequence[Mapping[str, Any]] = field(repr=False)
    unreadable: Sequence[str] = field(repr=False)
    there: Container[str] = field(repr=False)
    vaults: Sequence[VaultOnPage]


async def zone_of(services: Services, person_id: UUID) -> ZoneInfo:
    """Where the person is, as far as that is known."""
    async with services.database.transaction() as tx:
        return (await contact_to_tell(services, tx, person_id)).zone


def on_page(services: Services, vault: ToldVault, until: datetime) -> VaultOnPage:
    """What is told of a vault until a moment."""
    return VaultOnPage(
        joined_at=vault.joined_at,
        requests=requests_of(services, vault.person.id, until),
        grants=grants_of(services, vault.person.id, until),
        log=_log(services, vault, until),
    )


async def _log(
    services: Services, vault: ToldVault, until: datetime
) -> AsyncIterator[EntryView | None]:
    try:
        async for entry in exported_log(services, vault.person, until):
            yield entry.view
    except OlderUnreadable:
        yield None
