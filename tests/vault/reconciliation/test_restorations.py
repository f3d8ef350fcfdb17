"""A backup brings back who was erased since: nobody is served before they are erased again."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr

from audit.tlog.notes import LocalSigner
from base.database import Database
from base.embedded.server import EmbeddedPostgres
from base.settings import Settings
from storage.backends import blob_store, key_provider
from storage.backup import restoration_state
from storage.backup.create import backup
from storage.backup.restore import restore
from storage.errors import KeyDestroyed
from storage.row_macs import RowAltered
from tests.fixtures import MakePerson, SomePerson
from tests.joins import joined
from tests.steps import blobs, counted, deposit, erase
from tests.vault.decoding import corpus
from tests.vault.reconciliation.conftest import Thief
from tests.vault.reconciliation.steps import found
from vault.maintenance import erased_vaults, erasure, erasure_notes
from vault.maintenance.erased_vaults import Applied
from vault.maintenance.erasure_notes import ErasureNote, InvalidErasureNote
from vault.services import Services
from web.process.services import CannotServe, open_services


@pytest.fixture
def another_home(home: Path) -> Iterator[Settings]:
    """An empty machine."""
    folder = home.parent / "other"
    server = EmbeddedPostgres(folder)
    addresses = server.start()
    yield Settings(
        mode="demo",
        home=folder,
        database_url=SecretStr(addresses.service_url),
        migrations_database_url=SecretStr(addresses.owner_url),
        messenger="inbox",
        key_provider="local",
        blob_store="directory",
    )
    server.stop()


def _quiet(_done: int, _of: int) -> None:
    pass


@asynccontextmanager
async def _owner(settings: Settings) -> AsyncIterator[Database]:
    assert settings.migrations_database_url is not None
    opened = Database(settings.migrations_database_url, pool=3)
    yield opened
    await opened.close()


async def _back_up(services: Services, folder: Path) -> None:
    async with _owner(services.settings) as owner:
        await backup(
            folder / "backup",
            database=owner,
            blobs=services.storage.blobs,
            provider=services.storage.keys.provider,
            keys_to=folder / "keys",
            progress=_quiet,
        )


async def _restore(folder: Path, settings: Settings) -> None:
    store = blob_store(settings)
    async with _owner(settings) as owner:
        await restore(
            folder / "backup",
            database=owner,
            blobs=store,
            provider=key_provider(settings),
            keys_from=folder / "keys",
            progress=_quiet,
        )
    await store.close()


async def _note(services: Services) -> ErasureNote:
    return erasure_notes.read(await erased_vaults.export(services))


async def _is_readable(services: Services, person: SomePerson) -> bool:
    services.storage.keys.forget_all()
    try:
        await services.field_encryption.reader(person.id)
    except KeyDestroyed:
        return False
    return True


async def test_who_was_erased_since_the_backup_is_erased_again(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    another_home: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    amina, bilal, stays, ended = [await make_person() for _ in range(4)]
    for person in (amina, bilal):
        await deposit(client, person, corpus.phone_jpeg(), name="a.jpg")
    await services.transparency_log.verifier()  # as a service that ran has it
    await joined(client, ended, stays)
    await _back_up(services, tmp_path)
    later = await make_person()
    for person in (amina, stays, later):
        await erase(services, person)
    note = await _note(services)
    assert len(note.marks) == 4, "with the vault that ended in another"

    await _restore(tmp_path, another_home)
    # 1. Nobody is served meanwhile.
    with pytest.raises(CannotServe, match="unefois erasures apply"):
        async with open_services(another_home):
            pass
    async with open_services(another_home, restored=True) as again:
        before = await blobs(again)
        assert await _is_readable(again, amina), "they are back"
        await _apply_in_two(again, note, monkeypatch)
        # 2. They are gone, with their files; nobody else is.
        for person in (amina, stays, ended):
            assert not await _is_readable(again, person)
            assert await counted(again, "document", person) == 0
        assert await _is_readable(again, bilal)
        assert await counted(again, "document", bilal) == 1
        assert 0 < len(await blobs(again)) < len(before)
        # 3. The log says so, and all marks are kept: another backup may have the others.
        assert await found(again) == set()
        assert (await _note(again)).marks == note.marks
        assert await erased_vaults.apply(again, note) == Applied(0, 4, 0)
        assert await found(again) == set()
    async with _owner(another_home) as owner, owner.transaction() as tx:
        await restoration_state.finish(tx)
    async with open_services(another_home):
        pass


async def _apply_in_two(
    again: Services, note: ErasureNote, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stops after the first, nobody is served, and it is done again."""
    with monkeypatch.context() as patched:
        patched.setattr(erased_vaults, "erase", _once_then_crash())
        with pytest.raises(OSError, match="crash"):
            await erased_vaults.apply(again, note)
    async with again.database.transaction() as tx:
        assert await restoration_state.is_unfinished(tx)
    applied = await erased_vaults.apply(again, note)
    assert applied.erased + applied.absent == len(note.marks)
    assert applied.erased >= 1


def _once_then_crash() -> Any:
    done: list[object] = []
    erase_one = erasure.erase

    async def erase(*given: Any, **how: Any) -> bool:
        if done:
            raise OSError("crash")
        done.append(given)
        return await erase_one(*given, **how)

    return erase


async def test_a_note_of_another_log_erases_nobody(
    services: Services, make_person: MakePerson
) -> None:
    person = await make_person()
    name = (await services.transparency_log.verifier()).name
    forger = LocalSigner(name, Ed25519PrivateKey.generate())
    marks = [erasure_notes.mark(person.id)]
    forged = erasure_notes.read(erasure_notes.encode(marks, "2026-11-28T12:00:00Z", forger))
    with pytest.raises(InvalidErasureNote, match="nothing was erased"):
        await erased_vaults.apply(services, forged)
    assert await _is_readable(services, person)


async def test_a_note_that_is_older_than_the_database_is_said(
    services: Services, make_person: MakePerson
) -> None:
    note = await _note(services)
    await erase(services, await make_person())
    assert await erased_vaults.apply(services, note) == Applied(0, len(note.marks), 1)


async def test_whoever_writes_a_mark_has_nobody_erased(
    services: Services, make_person: MakePerson, thief: Thief
) -> None:
    """A mark that the service did not make is in no note; one that is deleted is named."""
    person, gone = await make_person(), await make_person()
    await erase(services, gone)
    assert await found(services) == set()
    (row,) = thief.take("erased_vault", erasure_notes.mark(gone.id), "mark")
    mark = erasure_notes.mark(person.id)
    with thief.changing("erased_vault"):
        thief.put("erased_vault", row | {"mark": f"\\x{mark.hex()}"})
        with pytest.raises(RowAltered):
            await erased_vaults.export(services)
        assert await found(services) == {f"mac erased_vault {mark[:8].hex()}"}
        thief.run("DELETE FROM unefois.erased_vault")
        (missing,) = await found(services)
        assert missing.startswith("missing erased_vault 0 marks, ")
    assert await found(services) == set()
