"""What is left to a caller, as headers: draft-ietf-httpapi-ratelimit-headers-11.

Only for a count of the caller's own account. A stranger is told nothing of that kind: how full a
network's bucket is tells what others did.
"""

from typing import Any

from base.quota import Quota

POLICY, LEFT = "RateLimit-Policy", "RateLimit"

DESCRIBED: dict[str, Any] = {
    POLICY: {
        "description": "How many requests (`q`) your own account may make in any `w` seconds.",
        "schema": {"type": "string"},
        "example": '"consent-request";q=20;w=3600',
    },
    LEFT: {
        "description": "How many of them are left (`r`), and in how many seconds (`t`) there is one"
        " more. The same whomever you ask.",
        "schema": {"type": "string"},
        "example": '"consent-request";r=7;t=1200',
    },
}
"""For the description of the API."""


def quota_headers(quota: Quota | None) -> dict[str, str]:
    """The two headers, or none."""
    if quota is None:
        return {}
    return {
        POLICY: f'"{quota.name}";q={quota.limit};w={quota.window}',
        LEFT: f'"{quota.name}";r={quota.left};t={quota.more_in}',
    }
