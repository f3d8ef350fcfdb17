"""From where a request comes: in words that people know, and as keyed tags; never an address."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks, before anyone is known.

    `device`: a word of `DEVICES`. `network`: the network address as counts use it (an IPv4 address,
    the /64 of an IPv6 one); it is never stored in clear. `browser`: the secret that a browser got
    when it signed in before, if it has one. `shared`: the visitor says that others use the device.
    `language`: the one that they chose there; nothing where they chose none.
    """

    device: str = "unknown"
    network: str = field(default="unknown", repr=False)
    browser: str | None = field(default=None, repr=False)
    shared: bool = False
    language: str = ""


UNKNOWN = Visitor()


def _(text: str) -> str:
    """Mark a text for translation."""
    return text


DEVICES = {
    "android_phone": _("un téléphone Android"),
    "iphone": _("un iPhone"),
    "tablet": _("une tablette"),
    "windows_computer": _("un ordinateur Windows"),
    "mac_computer": _("un ordinateur Mac"),
    "linux_computer": _("un ordinateur Linux"),
    "program": _("une application"),
    "unknown": _("un appareil inconnu"),
}
"""Words that are stored in sessions and in the log, and their French names: only added to.
`program`: a client of the API."""


def device_name(word: str) -> str:
    """The French name of a device, after « sur »; that of `unknown` for a word of a later
    release."""
    return DEVICES.get(word, DEVICES["unknown"])
