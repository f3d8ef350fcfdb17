"""HTTP clients are made by the thousand in tests: each would read the certificates of all
authorities anew (25 ms), and look again at each request for a library that is not installed."""

import functools
import importlib.util
import os
import ssl
import sys
from typing import Any

import httpx
from httpx._transports import default as transports

if importlib.util.find_spec("sniffio") is None:
    sys.modules["sniffio"] = None  # type: ignore[assignment]  # imports of it fail at once


@functools.cache
def _of_all_authorities(*_named: str | None) -> ssl.SSLContext:
    return httpx.create_ssl_context()


@functools.cache
def _of_certifi() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


def _ssl_context(verify: Any = True, cert: Any = None, trust_env: bool = True) -> ssl.SSLContext:
    if verify is not True or cert is not None:
        return httpx.create_ssl_context(verify, cert, trust_env)
    if not trust_env:
        return _of_certifi()
    return _of_all_authorities(*map(os.environ.get, ("SSL_CERT_FILE", "SSL_CERT_DIR")))


transports.create_ssl_context = _ssl_context  # type: ignore[attr-defined]
