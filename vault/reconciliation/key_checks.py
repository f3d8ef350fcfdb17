"""The keys: every wrapped secret opens, every owner of one has a vault, and the root of trust has
the root versions that the database says it has."""

from sqlalchemy import select

from storage import key_checks
from vault.reconciliation.faults import Faults
from vault.reconciliation.snapshot import Snapshot, table_named
from vault.services import Services


async def check_keys(services: Services, snapshot: Snapshot, faults: Faults) -> None:
    """Name the secrets and root versions that are not what their rows say."""
    tx, provider = snapshot.connection, services.storage.keys.provider
    owners, broken = await key_checks.owners_and_broken(tx, provider)
    for key_id in broken:
        faults.add("does_not_unwrap", "wrapped_key", key_id)
    people = set((await tx.execute(select(table_named("person").c.id))).scalars())
    for owner_id in owners - people:
        faults.add("of_no_vault", "wrapped_key", f"of owner {owner_id}")
    rows = await key_checks.roots(tx)
    # One whose end has come may be destroyed right now, before its row says so.
    due = {row.id for row in rows if row.retire_at is not None and row.retire_at <= snapshot.at}
    for version, is_there in await key_checks.roots_unlike_provider(rows, provider):
        if is_there:
            faults.add("root_remains", "root_version", version)
        elif version not in due:
            faults.add("root_absent", "root_version", version)
