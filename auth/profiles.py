"""Workers and clients as the log names them: their sealed fields, opened at most once a minute.

The cache is keyed by the sealed bytes just read from the database, so that a change is seen at
once: it saves the opening, not the query.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.records import recipients
from auth.services import CoreServices
from auth.subjects import Client, Worker
from base import clock
from base.key_names import CLIENT, ORGANISATION, WORKER
from base.time_zones import zone_of
from storage.field_encryption import FieldEncryption

_CACHE_SECONDS = 60.0
_CACHE_SIZE = 1_000

_Cache = OrderedDict[tuple[str, UUID, bytes], tuple[float, dict[str, Any]]]
_caches: WeakKeyDictionary[FieldEncryption, _Cache] = WeakKeyDictionary()


async def worker(
    services: CoreServices,
    worker_id: UUID,
    organisation_id: UUID,
    sealed: bytes,
    organisation_sealed: bytes,
    *,
    session_id: UUID | None = None,
) -> Worker:
    """The worker of a row, under the name their organisation gave them."""
    own = await _open(services, WORKER, worker_id, sealed)
    organisation = await _open(services, ORGANISATION, organisation_id, organisation_sealed)
    contact = [own[name] for name in ("phone", "hours") if own[name]] or [own["email"]]
    return Worker(
        worker_id,
        organisation_id,
        own["name"],
        own["job"],
        organisation["name"],
        ", ".join(contact),
        session_id,
        zone_of(None, own["phone"]),
        email=own["email"],
    )


async def client(services: CoreServices, row: Any) -> Client:
    """The client of a row of `auth.records.recipients.client`, with its registered scope."""
    own = await _open(services, CLIENT, row.id, row.sealed)
    organisation = await _open(services, ORGANISATION, row.organisation_id, row.organisation_sealed)
    return Client(
        row.id,
        row.organisation_id,
        own["name"],
        "",
        organisation["name"],
        own["contact"] or organisation["contact"],
        row.client_id,
        frozenset(row.scope.split()),
    )


@dataclass(frozen=True, slots=True)
class OrganisationProfile:
    """An organisation's name, and in one line how to reach it."""

    name: str
    contact: str
    opens_vaults: bool = False
    """Beside people who have no phone."""


async def organisation(
    services: CoreServices, connection: AsyncConnection, organisation_id: UUID | None
) -> OrganisationProfile | None:
    """The organisation as it is today; None when there is none."""
    if organisation_id is None:
        return None
    row = await recipients.organisation(connection, organisation_id)
    if row is None:
        return None
    values = await _open(services, ORGANISATION, row.id, row.sealed)
    return OrganisationProfile(values["name"], values["contact"], bool(values.get("desk")))


async def _open(services: CoreServices, table: str, row_id: UUID, sealed: bytes) -> dict[str, Any]:
    cache = _caches.setdefault(services.field_encryption, OrderedDict())
    key = (table, row_id, sealed)
    cached = cache.get(key)
    if cached is not None and clock.monotonic() - cached[0] < _CACHE_SECONDS:
        return cached[1]
    values = (await services.field_encryption.reader(None)).open(table, row_id, sealed)
    cache[key] = (clock.monotonic(), values)
    cache.move_to_end(key)
    while len(cache) > _CACHE_SIZE:
        cache.popitem(last=False)
    return values
