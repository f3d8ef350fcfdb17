"""Rate limit by network address, within one process: how often sign-ins may be started.

The exact limits, by phone and by account, are in the use cases; this only slows a machine that
tries many phones.
"""

from ipaddress import IPv6Address, ip_address
from math import ceil
from time import time

from fastapi import Request
from limits import RateLimitItemPerHour
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from base.errors import ErrorKind, ServiceError


class SignInRateLimit:
    """The sign-ins of this hour, by network address, in memory only."""

    def __init__(self, per_hour: int) -> None:
        self._item = RateLimitItemPerHour(per_hour)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def take(self, address: str) -> None:
        """Count one sign-in. Raises `ServiceError` TOO_MANY `too_many_sign_ins`."""
        key = network_of(address)
        if not self._limiter.hit(self._item, key):
            reset = self._limiter.get_window_stats(self._item, key).reset_time
            wait = max(1, ceil(reset - time()))
            raise ServiceError(ErrorKind.TOO_MANY, "too_many_sign_ins", retry_after=wait)


async def limit_sign_ins(request: Request) -> None:
    """A dependency of each route that starts a sign-in; the address is the one uvicorn gives."""
    limit: SignInRateLimit = request.app.state.sign_in_limit
    limit.take(request.client.host if request.client else "")


def network_of(address: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 one: a home has a whole /64 to itself."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped) if mapped else parsed.exploded[:19]
    return str(parsed)
