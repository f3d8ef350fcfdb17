"""What this process holds of the buckets that all processes share, and the limit of sign-ins by
network address.

A process takes from PostgreSQL before it lets anything through: a few ahead, so that what succeeds
and is given back costs no statement. What it then holds is all that the other processes do not see.
A bucket refills all the time: an address that many people share is slowed, never barred for an
hour. ADR: docs/adr/0030-shared-rates.md.
"""

import asyncio
from collections import OrderedDict
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from fastapi import Request
from starlette.types import Scope

from auth.rate_buckets import Rate, SharedBuckets
from auth.services import CoreServices
from base import clock
from base.errors import ErrorKind, ServiceError

RETRY_AFTER = 60
"""Seconds, whatever the state of the bucket: how full it is tells what others did."""
_MAX_NETWORKS = 20_000


class Bucket:
    """This process's part of the bucket of one network or one account."""

    __slots__ = ("_ahead", "_asking", "_barred_until", "_held", "_name", "_returning", "_shared",
                 "_waiting")  # fmt: skip

    def __init__(self, shared: SharedBuckets, name: bytes, ahead: int) -> None:
        self._shared = shared
        self._name = name
        self._ahead = ahead
        self._held = 0
        self._waiting = 0
        self._barred_until = 0.0
        self._asking: asyncio.Task[None] | None = None
        self._returning: asyncio.Task[None] | None = None

    async def take(self) -> bool:
        """Take one if there is one: of those held here, or of the shared ones. While there are
        known to be none, nobody is asked. Raises `psycopg.Error`, to all who wait at once."""
        self._waiting += 1
        try:
            while not self._held and clock.monotonic() >= self._barred_until:
                if self._asking is None:
                    self._asking = asyncio.create_task(self._ask(), name="rate bucket")
                # A caller who goes away takes nothing from the others.
                await asyncio.shield(self._asking)
        finally:
            self._waiting -= 1
        if not self._held:
            return False
        self._held -= 1
        return True

    async def _ask(self) -> None:
        """Take ahead: for all who wait, if they are more."""
        try:
            # A crash after this loses them: the shared bucket refills by itself.
            taken = await self._shared.take(self._name, max(self._ahead, self._waiting))
            self._held += taken.granted
            if not taken.granted:
                self._barred_until = clock.monotonic() + taken.wait
        finally:
            self._asking = None

    def give_back(self) -> None:
        """Put back one that was taken and not spent. Beyond twice what is taken ahead, they go back
        to the others."""
        self._held += 1
        if self._held > 2 * self._ahead and self._returning is None:
            self._returning = asyncio.create_task(self._return_excess(), name="rate bucket")

    async def _return_excess(self) -> None:
        try:
            # What cannot be returned is lost, and refills by itself.
            with suppress(Exception):
                while self._held > 2 * self._ahead:
                    excess = self._held - self._ahead
                    self._held -= excess
                    await self._shared.give_back(self._name, excess)
        finally:
            self._returning = None


class Buckets:
    """This process's parts of the buckets of one kind: the last used ones, in bounded memory.

    `ahead`: how many are taken in one statement. A process never keeps more than twice as many of
    one bucket, and one that is dropped from memory is the others' again only as it refills.
    """

    def __init__(self, shared: SharedBuckets, *, ahead: int = 1, size: int = _MAX_NETWORKS) -> None:
        self._shared = shared
        self._ahead = ahead
        self._size = size
        self._buckets: OrderedDict[bytes, Bucket] = OrderedDict()

    def of(self, name: bytes) -> Bucket:
        """The bucket of a name."""
        bucket = self._buckets.get(name)
        if bucket is not None:
            self._buckets.move_to_end(name)
            return bucket
        bucket = self._buckets[name] = Bucket(self._shared, name, self._ahead)
        if len(self._buckets) > self._size:
            self._buckets.popitem(last=False)
        return bucket


class SignInRateLimit:
    """The sign-ins that each network may still start: an hour's at once, then as they refill."""

    def __init__(self, services: CoreServices) -> None:
        per_hour = services.settings.sign_ins_per_hour_from_one_address
        rate = Rate(per_hour, timedelta(hours=1) / per_hour)
        self._buckets = Buckets(SharedBuckets(services, "sign-in", rate))

    async def take(self, source: bytes) -> None:
        """Count one sign-in of a network, or of a browser that is known. Raises `ServiceError`
        TOO_MANY `too_many_sign_ins`."""
        if not await self._buckets.of(source).take():
            raise ServiceError(ErrorKind.TOO_MANY, "too_many_sign_ins", retry_after=RETRY_AFTER)


async def limit_sign_ins(request: Request) -> None:
    """A dependency of each route that starts a sign-in."""
    limit: SignInRateLimit = request.app.state.sign_in_limit
    await limit.take(request.app.state.failures.sign_in_source(request.scope))


def address_of(scope: Scope) -> str:
    """The network address of the caller, as uvicorn gives it; empty when it gives none."""
    client = scope.get("client")
    return str(client[0]) if client else ""


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 one: a home has a whole /64 to itself."""
    try:
        # Without its zone (`%eth0`): it is not part of the network.
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped) if mapped else parsed.exploded[:19]
    return str(parsed)
