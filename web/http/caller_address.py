"""Where a request comes from when a proxy stands in front: `X-Forwarded-For`, from listed proxies.

Each proxy appends the address that it was called from, so what stands at the right was written by
the nearest one. It is read from the right: the first address that is not a listed proxy's is the
caller's, and what stands before it is the caller's own word, which counts for nothing.

A header of that kind from a peer that is not listed is believed for nothing either. The request is
then from outside, of a network that is not known (`UNLISTED`): a proxy whose listing was forgotten
does not lend its own address to the people behind it. They share the pace of that peer, so the
operator is warned, once.
"""

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from base.networks import Networks, is_in, parse_address

UNLISTED = "unefois.unlisted"
"""In the scope: a header said that someone else is behind this peer, which is not listed."""

_HEADERS = frozenset({b"x-forwarded-for", b"forwarded", b"x-real-ip"})
_PROBED = "/healthz"
_MAX_HOPS = 20
"""Read from the right: a caller may write thousands before them."""

_log = structlog.get_logger()


class CallerAddress:
    """The outermost layer of a server: puts the caller's address in the scope.

    `proxies`: those that are listed. `behind_one`: every request should come through one of them,
    so one that says nothing of its caller is worth a warning too.
    """

    def __init__(self, app: ASGIApp, proxies: Networks, *, behind_one: bool = False) -> None:
        self._app = app
        self._proxies = proxies
        self._behind_one = behind_one
        self._warned: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self._place(scope)
        await self._app(scope, receive, send)

    def _place(self, scope: Scope) -> None:
        said = [pair for pair in scope["headers"] if pair[0] in _HEADERS]
        peer = scope["client"][0] if scope.get("client") else ""
        if is_in(parse_address(peer), self._proxies):
            forwarded = [value for name, value in said if name == b"x-forwarded-for"]
            if forwarded:
                scope["client"] = (self._caller(b",".join(forwarded).decode("latin-1")), 0)
            elif self._behind_one and scope["path"] != _PROBED:
                self._warn("forwarding_header_missing_from_listed_proxy")
        elif said:
            scope[UNLISTED] = True
            self._warn("forwarding_header_from_unlisted_peer")

    def _caller(self, forwarded: str) -> str:
        """The rightmost address that is no listed proxy's; the leftmost when all are. Empty for a
        word that is no address: a proxy wrote it there, or let it through."""
        hops = forwarded.rsplit(",", _MAX_HOPS)
        for hop in reversed(hops):
            caller = parse_address(_host(hop.strip()))
            if not is_in(caller, self._proxies):
                break
        return "" if caller is None else str(caller)

    def _warn(self, event: str) -> None:
        """Without an address: it may be a person's."""
        if event not in self._warned:
            self._warned.add(event)
            _log.warning(event, setting="UNEFOIS_TRUSTED_PROXIES")


def _host(hop: str) -> str:
    """An address without its port: `192.0.2.1:443`, `[2001:db8::1]:443`."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop
