"""The addresses that answer everyone with the same, for tests."""

from dataclasses import dataclass

from web.pages import assets


@dataclass(frozen=True)
class PublicAddress:
    """A path, and what form of it is asked for."""

    path: str
    accept: str = "*/*"


COMPRESSED = {
    "catalogue": PublicAddress("/v1/document-types"),
    "description": PublicAddress("/v1/openapi.json"),
    "problem": PublicAddress("/problems/grant_expired"),
    "problems": PublicAddress("/problems", "text/html"),
    "problems, to a program": PublicAddress("/problems", "application/json"),
    "style": PublicAddress(assets.address("style.css")),
    "script": PublicAddress(assets.address("script/page.js")),
    "service worker": PublicAddress("/service-worker.js"),
}
"""Those that are long enough to be compressed, and nothing else is."""
AS_THEY_ARE = {
    "metadata": PublicAddress("/.well-known/oauth-authorization-server"),
    "problem, to a program": PublicAddress("/problems/grant_expired", "application/json"),
    "icon": PublicAddress(assets.address("icon.svg")),
    "manifest": PublicAddress("/manifest.webmanifest"),
    "keys": PublicAddress("/jwks.json"),
    "keys of receipts": PublicAddress("/v1/receipt-keys"),
    "keys, elsewhere": PublicAddress("/.well-known/jwks.json"),
    "log key": PublicAddress("/log/vkey"),
    "checkpoint": PublicAddress("/log/checkpoint"),
}
"""Those that are short, or that gzip would not shorten; so are the tiles of the log."""
