"""From where a request comes, for sessions, their list and the counts of sign-ins."""

from typing import Annotated

from fastapi import Depends, Request

from auth.visitor import Visitor
from web.http.caller_address import UNLISTED
from web.http.rate_limit import network_of

# The first word found in `User-Agent` decides: an Android phone also says Linux, an iPad may say
# Mac. A tablet with Android does not say Mobile.
_DEVICES = (
    ("iPhone", "iphone"),
    ("iPad", "tablet"),
    ("Android", "android_phone"),
    ("Windows", "windows_computer"),
    ("Macintosh", "mac_computer"),
    ("CrOS", "linux_computer"),
    ("Linux", "linux_computer"),
)


def visitor_of(request: Request, browser: str | None = None) -> Visitor:
    """Who sends this request; `browser`: the secret that came in its body or its cookie."""
    host = request.client.host if request.client and UNLISTED not in request.scope else ""
    return Visitor(device_of(request.headers.get("user-agent", "")), network_of(host), browser)


async def _visitor(request: Request) -> Visitor:
    return visitor_of(request)


VisitorDep = Annotated[Visitor, Depends(_visitor)]


def device_of(user_agent: str) -> str:
    """A word of `auth.visitor.DEVICES`. Nothing else of the header is kept."""
    if not user_agent:
        return "unknown"
    if not user_agent.startswith("Mozilla/"):
        return "program"
    device = next((word for found, word in _DEVICES if found in user_agent), "unknown")
    if device == "android_phone" and "Mobile" not in user_agent:
        return "tablet"
    return device
