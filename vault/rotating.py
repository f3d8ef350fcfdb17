"""Rotating the root of every key, recorded: what `unefois keys rotate` does."""

from collections.abc import Callable
from datetime import timedelta

from audit.events import Action, Actor, ActorKind
from auth.records.instants import instant
from storage import rotation
from storage.rotation import Rotation
from vault.house import House
from vault.judging import Act, allow


async def rotate_keys(house: House, progress: Callable[[int, int], None]) -> Rotation:
    """Make a root version, put every living secret under it, date the end of the former one.

    A crash before the line commits leaves a rotation told of by its root version's row alone.
    """
    retention = timedelta(days=house.settings.key_retention_days)
    done = await rotation.rotate(house.database, house.storage.keys.provider, retention, progress)
    async with house.database.transaction() as tx:
        act = Act(
            action=Action.KEYS_ROTATED,
            actor=Actor(ActorKind.OPERATOR),
            details={"root": done.version, "keys": done.rewrapped},
        )
        await allow(house, tx, await instant(tx), act)
    return done


async def retire_keys(house: House) -> list[str]:
    """Destroy the root versions whose date has come; each is recorded (invariant 8).

    Destroyed first, recorded after: a crash between loses a line, never keeps a key.
    """
    destroyed = await rotation.retire_due(house.database, house.storage.keys.provider)
    async with house.database.transaction() as tx:
        at = await instant(tx)
        for version in destroyed:
            act = Act(
                action=Action.KEY_DESTROYED,
                actor=Actor(ActorKind.SERVICE),
                details={"root": version},
            )
            await allow(house, tx, at, act)
    return destroyed
