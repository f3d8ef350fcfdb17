"""Network addresses: those that a setting lists, those that connections and headers give."""

import re
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Networks = tuple[IPv4Network | IPv6Network, ...]

NONE = "none"
"""Written where a list must be given, and is empty."""


def parse_networks(text: str) -> Networks:
    """The addresses and networks of a list separated by commas or blanks; `none`: no network.

    Raises `ValueError` for an empty list, a word that is neither an address nor a network, a
    network with host bits set, and one that holds every address.
    """
    words = re.findall(r"[^,\s]+", text)
    if words == [NONE]:
        return ()
    networks = tuple(ip_network(word) for word in words)
    if not networks or any(network.prefixlen == 0 for network in networks):
        raise ValueError("no network, or all of them")
    return networks


def parse_address(text: str) -> Address | None:
    """The address of a text, without the zone of a link-local one; None for anything else.

    An IPv4 address mapped into IPv6 (a socket that takes both) is the IPv4 one.
    """
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def is_in(address: Address | None, networks: Networks) -> bool:
    """Whether one of the networks holds the address."""
    return address is not None and any(address in network for network in networks)
