"""Token buckets in memory, and the limit of sign-ins by network address, within one process.

The exact limits, by phone and by account, are in the use cases; this only slows a machine that
tries many phones. A bucket refills all the time: an address that many people share is slowed, never
barred for an hour.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from fastapi import Request
from starlette.types import Scope

from base import clock
from base.errors import ErrorKind, ServiceError

RETRY_AFTER = 60
"""Seconds, whatever the state of the bucket: how full it is tells what others did."""
_MAX_NETWORKS = 20_000


@dataclass(frozen=True, slots=True)
class Rate:
    """How many at once, and how many a second after that."""

    at_once: int
    per_second: float


class Bucket:
    """What is left of a rate for one network or one account."""

    __slots__ = ("_at", "_left", "_rate")

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._left = float(rate.at_once)
        self._at = clock.monotonic()

    def take(self) -> bool:
        """Take one if there is one."""
        now = clock.monotonic()
        refilled = self._left + (now - self._at) * self._rate.per_second
        self._left = min(refilled, float(self._rate.at_once))
        self._at = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True

    def give_back(self) -> None:
        """Put back one that was taken and not spent."""
        self._left = min(self._left + 1.0, float(self._rate.at_once))


class Buckets:
    """Buckets of one rate by key: the last used ones, in bounded memory."""

    def __init__(self, rate: Rate, size: int = _MAX_NETWORKS) -> None:
        self._rate = rate
        self._size = size
        self._buckets: OrderedDict[Hashable, Bucket] = OrderedDict()

    def of(self, key: Hashable) -> Bucket:
        """The bucket of a key; a full one for a key that is new or was dropped."""
        bucket = self._buckets.get(key)
        if bucket is not None:
            self._buckets.move_to_end(key)
            return bucket
        bucket = self._buckets[key] = Bucket(self._rate)
        if len(self._buckets) > self._size:
            self._buckets.popitem(last=False)
        return bucket


class SignInRateLimit:
    """The sign-ins that each network may still start: an hour's at once, then as they refill."""

    def __init__(self, per_hour: int) -> None:
        self._buckets = Buckets(Rate(per_hour, per_hour / 3600))

    def take(self, source: Hashable) -> None:
        """Count one sign-in of a network, or of an account whose browser is known. Raises
        `ServiceError` TOO_MANY `too_many_sign_ins`."""
        if not self._buckets.of(source).take():
            raise ServiceError(ErrorKind.TOO_MANY, "too_many_sign_ins", retry_after=RETRY_AFTER)


async def limit_sign_ins(request: Request) -> None:
    """A dependency of each route that starts a sign-in."""
    limit: SignInRateLimit = request.app.state.sign_in_limit
    limit.take(request.app.state.failures.sign_in_source(request.scope))


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
