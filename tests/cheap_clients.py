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
def _of_all_authorities() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


def _ssl_context(verify: Any = True, cert: Any = None, trust_env: bool = True) -> ssl.SSLContext:
    named = trust_env and ("SSL_CERT_FILE" in os.environ or "SSL_CERT_DIR" in os.environ)
    if verify is True and cert is None and not named:
        return _of_all_authorities()
    return httpx.create_ssl_context(verify, cert, trust_env)


transports.create_ssl_context = _ssl_context  # type: ignore[attr-defined]
