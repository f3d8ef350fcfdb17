"""Rates that all processes share: each bucket is a row of PostgreSQL, named by a keyed tag."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from auth.records import rate_buckets
from auth.services import CoreServices
from base.key_names import RATE

BucketKind = Literal[
    "network",
    "look-up",
    "browser",
    "account",
    "reserve",
    "sign-in",
    "decoding",
    "preview",
    "page",
    "suggestion",
    "pin",
    "desk",
    "desk-card",
    "meeting",
    "meeting-code",
    "assisted",
    "anchor",
    "join",
    "join-code",
    "proof-wait",
    "join-yes",
    "recovery",
    "recovery-code",
    "recovery-phone",
    "recovery-stop",
    "trusted",
    "trusted-code",
    "export",
    "represent",
    "represent-code",
    "judgement",
    "import",
]
"""What is counted. It is part of the tag: never change one."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How many at once, and the time after which there is one more."""

    at_once: int
    every: timedelta


@dataclass(frozen=True, slots=True)
class Taken:
    """What was got of a bucket. `wait`: the seconds until there is one more; 0 if there is now."""

    granted: int
    wait: float


class SharedBuckets:
    """The buckets of one kind, by name: the bytes of an address, of an id, of a hash."""

    def __init__(self, services: CoreServices, kind: BucketKind, rate: Rate) -> None:
        self._services = services
        self._kind = kind
        self.rate = rate

    async def take(self, name: bytes, wanted: int) -> Taken:
        """Take up to `wanted`, by the database's clock. Raises `psycopg.Error`."""
        at_once, every = self.rate.at_once, self.rate.every
        key = await self._key(name)
        (row,) = await self._services.database.pipeline.commit(
            rate_buckets.take(key, wanted=wanted, at_once=at_once, every=every)
        )
        until_one_more = row.full_in - (at_once - 1) * every.total_seconds()
        return Taken(row.granted, max(0.0, until_one_more))

    async def give_back(self, name: bytes, many: int) -> None:
        """Put back what was taken and not spent. Raises `psycopg.Error`."""
        key = await self._key(name)
        await self._services.database.pipeline.commit(
            rate_buckets.give_back(key, many=many, every=self.rate.every)
        )

    async def _key(self, name: bytes) -> bytes:
        return await self._services.field_encryption.tag(RATE, self._kind, name)


async def delete_full_buckets(services: CoreServices) -> int:
    """Delete the rows of buckets that are full again; returns how many. Strangers with many
    addresses make many: one each, for as long as its bucket takes to fill."""
    async with services.database.transaction() as tx:
        return await rate_buckets.delete_full_buckets(tx)
