"""Rotation of the root version, recorded: what `unefois keys rotate` does."""

from collections.abc import Callable
from datetime import timedelta

from audit.events import Action, Actor, ActorKind
from base.clock import rfc3339
from base.db_time import instant
from storage import key_rotation
from storage.key_rotation import Rotation
from vault.decisions import AccessAttempt, record_allowed
from vault.services import Services


async def rotate_keys(services: Services, progress: Callable[[int, int], None]) -> Rotation:
    """Make a root version, rewrap every living secret under it, set the end date of the former one.

    A crash before the event commits leaves a rotation whose only trace is its root version's row.
    """
    retention = timedelta(days=services.settings.key_retention_days)
    done = await key_rotation.rotate(
        services.database, services.storage.keys.provider, retention, progress
    )
    async with services.database.transaction() as tx:
        attempt = AccessAttempt(
            action=Action.KEYS_ROTATED,
            actor=Actor(ActorKind.OPERATOR),
            # By these the log tells, later, a former root that was made active again or whose end
            # was put off.
            details={
                "root": done.version,
                "keys": done.rewrapped,
                "former": " ".join(version for version, _ in done.retiring),
                "retires_at": " ".join(rfc3339(at) for _, at in done.retiring),
            },
        )
        await record_allowed(services, tx, await instant(tx), attempt)
    return done


async def retire_keys(services: Services) -> list[str]:
    """Destroy the root versions whose end date has passed; each is recorded (invariant 8).

    Destroyed first, recorded after: a crash in between loses the event but never keeps the key.
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
