"""Erasure: a person's key is destroyed, and with it everything that it sealed (invariant 8)."""

from audit.events import Action, Actor, ActorKind
from auth.records import people, sessions
from auth.records.instants import instant
from auth.subjects import Person
from base.database import notify
from vault.consent import release_requests
from vault.house import House
from vault.judging import Act, allow
from vault.records import documents, erasures
from vault.revocations import GRANTS
from vault.sweeping import remove_blobs


async def erase(house: House, person: Person) -> None:
    """Erase a vault: key, rows, sessions, grants, at once; then the blobs, which are noise already.

    The log keeps commitments that say nothing. A crash after the commit leaves blobs that nobody
    can open and that no row refers to: the sweep removes them.
    """
    async with house.database.transaction() as tx:
        await documents.lock_vault(tx, person.id)
        keys = await documents.blob_keys_of(tx, person.id)
        for grant_id in await erasures.live_grants(tx, person.id):
            await notify(tx, GRANTS, str(grant_id))
        # Under the service's key, without the person: that a vault was erased, and when.
        act = Act(action=Action.VAULT_ERASED, actor=Actor(ActorKind.OWNER))
        await allow(house, tx, await instant(tx), act)
        await release_requests(house, tx, person.id)
        await erasures.delete_audit_keys(tx, person.id)
        await sessions.revoke_sessions_of(tx, person.id)
        await people.delete_person(tx, person.id)
        await house.storage.keys.destroy_owner(tx, person.id)
    house.ledger.forget(person.id)
    await remove_blobs(house, keys)
