"""From where a request comes: in words that people know, and as keyed tags; never an address."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks, before anyone is known.

    `device`: a word of `DEVICES`. `network`: the network address as counts use it (an IPv4 address,
    the /64 of an IPv6 one); it is never stored in clear. `browser`: the secret that a browser got
    when it signed in before, if it has one.
    """

    device: str = "unknown"
    network: str = field(default="unknown", repr=False)
    browser: str | None = field(default=None, repr=False)


UNKNOWN = Visitor()


DEVICES = (
    "android_phone",
    "iphone",
    "tablet",
    "windows_computer",
    "mac_computer",
    "linux_computer",
    "program",
    "unknown",
)
"""Stored in sessions and in the log: words are only added. `program`: a client of the API."""
