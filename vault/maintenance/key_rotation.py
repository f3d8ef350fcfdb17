"""Rotating the root of every key, recorded: what `unefois keys rotate` does."""

from collections.abc import Callable
from datetime import timedelta

from audit.events import Action, Actor, ActorKind
from base.db_time import instant
from storage import key_rotation
from storage.key_rotation import Rotation
from vault.decisions import AccessAttempt, record_allowed
from vault.services import Services


async def rotate_keys(services: Services, progress: Callable[[int, int], None]) -> Rotation:
    """Make a root version, put every living secret under it, date the end of the former one.

    A crash before the line commits leaves a rotation told of by its root version's row alone.
    """
    retention = timedelta(days=services.settings.key_retention_days)
    done = await key_rotation.rotate(
        services.database, services.storage.keys.provider, retention, progress
    )
    async with services.database.transaction() as tx:
        attempt = AccessAttempt(
            action=Action.KEYS_ROTATED,
            actor=Actor(ActorKind.OPERATOR),
            details={"root": done.version, "keys": done.rewrapped},
        )
        await record_allowed(services, tx, await instant(tx), attempt)
    return done


async def retire_keys(services: Services) -> list[str]:
    """Destroy the root versions whose date has come; each is recorded (invariant 8).

    Destroyed first, recorded after: a crash between loses a line, never keeps a key.
    """
    destroyed = await key_rotation.retire_due(services.database, services.storage.keys.provider)
    async with services.database.transaction() as tx:
        at = await instant(tx)
        for version in destroyed:
            attempt = AccessAttempt(
                action=Action.KEY_DESTROYED,
                actor=Actor(ActorKind.SERVICE),
                details={"root": version},
            )
            await record_allowed(services, tx, at, attempt)
    return destroyed
