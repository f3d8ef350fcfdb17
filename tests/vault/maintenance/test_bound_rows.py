"""Binding the rows of release 0.1, in a database of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from audit.records import events_of
from base import clock
from base.database import Database
from base.ids import new_id
from base.settings import Settings
from migrations.run import upgrade
from storage.key_rotation import initialise
from storage.keys import CACHE_SECONDS
from tests.storage.conftest import Homes, new_postgres
from vault.maintenance.bound_rows import RowsBound, bind_rows
from vault.services import Services
from web.process.services import open_services

__all__ = ["new_postgres"]

_ORGANISATION = "INSERT INTO unefois.organisation (id, sealed) VALUES (:organisation, '\\x00')"
_WORKER = (
    "INSERT INTO unefois.worker (id, organisation_id, email_tag, active, sealed)"
    " VALUES (:worker, :organisation, '\\x00', true, '\\x00')"
)
_ENDED = (
    "INSERT INTO unefois.session (id, token_hash, subject_kind, subject_id, expires_at, revoked_at)"
    " VALUES (:session, '\\x00', 'worker', :worker, unefois.now() + interval '1 day',"
    " unefois.now())"
)


@pytest.fixture
async def unbound(
    new_postgres: Homes, base_settings: Settings, tmp_path: Path
) -> AsyncIterator[tuple[Services, Database]]:
    """A migrated home of release 0.1 with a worker, whose row has no MAC, and a session of
    theirs that ended; and the tables' owner."""
    addresses = new_postgres()
    upgrade(SecretStr(addresses.owner_url))
    owner = Database(SecretStr(addresses.owner_url), pool=2)
    settings = base_settings.model_copy(
        update={"home": tmp_path, "database_url": SecretStr(addresses.service_url)}
    )
    ids = {"organisation": new_id(), "worker": new_id(), "session": new_id()}
    try:
        async with open_services(settings) as services:
            await initialise(services.database, services.storage.keys.provider)
            async with owner.transaction() as tx:
                await tx.execute(text("DELETE FROM unefois.wrapped_key WHERE use = 'row-macs'"))
                for statement in (_ORGANISATION, _WORKER, _ENDED):
                    await tx.execute(text(statement), ids)
            services.storage.keys.forget_all()
            yield services, owner
    finally:
        await owner.close()


async def test_a_binding_that_takes_longer_than_keys_are_cached_is_recorded(
    unbound: tuple[Services, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The secret that it made is not committed yet: no other connection reads it."""
    services, owner = unbound
    passed = 0.0
    real = clock.monotonic
    monkeypatch.setattr(clock, "monotonic", lambda: real() + passed)

    def later(_done: int, _total: int) -> None:
        nonlocal passed
        passed += 2 * CACHE_SECONDS

    done = await bind_rows(services, owner, later)
    assert (done.rows, done.broken) == (1, 0)
    services.storage.keys.forget_all()
    async with services.database.transaction() as tx:
        events = await events_of(tx, limit=2)
        (entry,) = await services.audit_log.open_entries(tx, events)
    assert entry.values is not None
    assert entry.values["action"] == "rows.bind"
    with pytest.raises(RowsBound):
        await bind_rows(services, owner, later)


async def test_a_session_that_ended_before_gets_no_mac(unbound: tuple[Services, Database]) -> None:
    services, owner = unbound
    await bind_rows(services, owner, lambda _done, _total: None)
    async with owner.transaction() as tx:
        assert (await tx.execute(text("SELECT mac FROM unefois.session"))).all() == []
