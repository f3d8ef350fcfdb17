"""A whole database dumped and restored, on the oldest PostgreSQL too; restorations that fail."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from base.database import Database
from base.embedded.server import Addresses
from base.ids import new_id
from base.key_names import ROW_MACS
from base.pipeline import fetch_one
from base.processes import ProgramFailed
from migrations.run import check, upgrade
from storage import records
from storage.backup.database_dump import dump, load
from storage.keys import Keys
from tests.servers.postgres import missing_postgres15, start_postgres15
from tests.storage.owners import new_owner


@pytest.fixture
def postgres15() -> Iterator[tuple[str, str]]:
    """The owner's addresses of two empty PostgreSQL 15 servers."""
    if missing_postgres15():
        reason = "no PostgreSQL 15 here: apt install postgresql-15"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    folders = [Path(tempfile.mkdtemp(prefix="uf-")) for _ in range(2)]
    (one, _, stop_one), (other, _, stop_other) = (start_postgres15(folder) for folder in folders)
    yield one, other
    stop_one()
    stop_other()
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


async def dumped(database: Database, to: Path) -> Path:
    async with database.transaction() as tx:
        await dump(database, await records.snapshot(tx), to)
    return to


async def test_the_oldest_postgresql_takes_its_dumps_back(
    postgres15: tuple[str, str], tmp_path: Path
) -> None:
    source, destination = (Database(SecretStr(url), pool=3) for url in postgres15)
    await asyncio.to_thread(upgrade, SecretStr(postgres15[0]))
    root = "a root\twith 'quotes', \\ and : é"
    async with source.transaction() as tx:
        await records.add_root(tx, root, "local")
    await load(destination, await dumped(source, tmp_path / "dump"))
    async with destination.transaction() as tx:
        assert await records.active_root(tx) == root
    await source.close()
    await destination.close()
    await asyncio.to_thread(check, SecretStr(postgres15[1]))


async def test_a_dump_sees_its_snapshot_only(
    keys: Keys, database: Database, keys_postgres: Addresses, tmp_path: Path
) -> None:
    before, after = await new_owner(keys, database), new_id()
    owner = Database(SecretStr(keys_postgres.owner_url), pool=3)
    async with owner.transaction() as tx:
        snapshot = await records.snapshot(tx)
        async with database.transaction() as other:
            await keys.create_owner(other, after)
        await dump(owner, snapshot, tmp_path / "dump")
        assert await fetch_one(tx, records.owner_key(before)) is not None
        assert await fetch_one(tx, records.owner_key(after)) is None
    await owner.close()


async def test_a_dump_that_does_not_fit_says_so_and_changes_nothing(
    keys: Keys, database: Database, keys_postgres: Addresses, tmp_path: Path
) -> None:
    owner = Database(SecretStr(keys_postgres.owner_url), pool=3)
    dump_file = await dumped(owner, tmp_path / "dump")
    owner_id = await new_owner(keys, database)
    with pytest.raises(ProgramFailed, match="already exists") as failed:
        await load(owner, dump_file)
    assert len(str(failed.value).splitlines()) == 1
    async with database.transaction() as tx:
        kept = await tx.execute(
            text("SELECT coalesce(use, owner_id::text) FROM unefois.wrapped_key")
        )
        assert set(kept.scalars()) == {ROW_MACS, str(owner_id)}
    await owner.close()


async def test_the_password_is_not_among_the_arguments(
    keys_postgres: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any account on the machine can read the arguments of a program."""
    seen: list[str] = []
    start = asyncio.create_subprocess_exec

    async def watched(*arguments: str, **how: object) -> asyncio.subprocess.Process:
        seen.extend(arguments)
        seen.append(str(how["env"]))
        return await start(*arguments, **how)  # type: ignore[arg-type]  # passed on as they are

    monkeypatch.setattr(asyncio, "create_subprocess_exec", watched)
    owner = Database(SecretStr(keys_postgres.owner_url), pool=3)
    await dumped(owner, tmp_path / "dump")
    await owner.close()
    password = keys_postgres.owner_url.split(":")[2].split("@")[0]
    assert len(password) > 20
    assert seen
    assert password not in " ".join(seen)
