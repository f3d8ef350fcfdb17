"""The processor seconds that reading the files of one account may take in an hour.

Counted for whoever deposits: the person, the worker, the administration's system. Previews that a
job draws later have a count of their own, the vault's: nobody who deposits there uses up what its
owner may deposit. Pages of a PDF that somebody looks at have a third, of whoever looks. All
processes share the counts.

What a file may take at most is taken before it is read, and what it did not take is given back: of
many at once, none is read on credit. A crash between the two loses what was taken; it comes back
within the hour like what was spent.
"""

from datetime import timedelta
from math import ceil, floor
from uuid import UUID

import psycopg
import structlog

from auth.rate_buckets import BucketKind, Rate, SharedBuckets
from auth.services import CoreServices
from base.errors import ErrorKind, ServiceError

_log = structlog.get_logger()
_PARTS = 100
"""Of a second: what is counted."""
_HOUR = timedelta(hours=1)
_KINDS: dict[str, BucketKind] = {
    "inspect": "decoding",
    "preview": "preview",
    "thumbnail": "preview",
    "page": "page",
    "codes": "page",
}


class ProcessorBudget:
    """The counts of every account, in the database. One per process."""

    def __init__(self, services: CoreServices) -> None:
        parts = services.settings.decoding_seconds_per_hour * _PARTS
        rate = Rate(parts, _HOUR / parts)
        self._buckets = {job: SharedBuckets(services, kind, rate) for job, kind in _KINDS.items()}

    async def take(self, job: str, account: UUID, seconds: float) -> None:
        """Take what a file may need at most. Raises `ServiceError` "decoding_time_spent" with the
        time until there is so much again, and `psycopg.Error`."""
        buckets, wanted = self._buckets[job], _parts(seconds)
        taken = await buckets.take(account.bytes, wanted)
        missing = wanted - taken.granted
        if not missing:
            return
        if taken.granted:
            await buckets.give_back(account.bytes, taken.granted)
        wait = ceil(missing * buckets.rate.every.total_seconds())
        minutes = max(2, ceil(wait / 60))  # the sentence has a plural
        raise ServiceError(
            ErrorKind.TOO_MANY, "decoding_time_spent", retry_after=wait, minutes=minutes
        )

    async def give_back(self, job: str, account: UUID, taken: float, spent: float) -> None:
        """Put back what was taken for a file and not spent. A failure costs the account that."""
        unspent = floor((taken - spent) * _PARTS)
        if unspent <= 0:
            return
        try:
            await self._buckets[job].give_back(account.bytes, min(unspent, _parts(taken)))
        except psycopg.Error as error:
            _log.warning("decoding_time_not_given_back", error=type(error).__name__)


def _parts(seconds: float) -> int:
    return ceil(seconds * _PARTS)
