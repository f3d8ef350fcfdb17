"""How long a call to S3 or to a KMS may take: 15 seconds in all, whatever hangs.

boto3 bounds one attempt, not their sum. Here a request is tried again only if its first attempt
failed at once; what has hung once is not waited for twice. A part that is being sent is bounded by
its progress: it fails when nothing was taken for `connect_timeout` (urllib3's limit while sending).
"""

from typing import Any

from botocore.client import BaseClient
from botocore.config import Config

from base import clock

CONNECT_SECONDS = 3.0
READ_SECONDS = 8.0
"""Of silence, while an answer is waited for."""
ATTEMPTS = 3
RETRY_SECONDS = 2.0
"""A retry begins at most this long after the request, and a random pause of at most 2 s: 2 + 2 + 3
+ 8 = 15."""
QUEUE_SECONDS = 4.0
"""A call waits this long for a thread: 4 + 3 + 8 = 15."""
QUICK_SECONDS = 3.0
"""Of silence, for what is asked after a failure, or by a probe: it is tried once."""
QUICK_CONNECT_SECONDS = 1.0
BODY_SECONDS = 14.0
"""For a body that arrives, but too slowly to be of use."""


def limits(connect: float, read: float, attempts: int) -> Config:
    """The limits of a client, besides those of `stop_late_retries`."""
    return Config(
        connect_timeout=connect,
        read_timeout=read,
        retries={"mode": "standard", "total_max_attempts": attempts},
        tcp_keepalive=True,
    )


def may_retry(began: float) -> bool:
    """Whether what began then (`clock.monotonic()`) may be tried again."""
    return clock.monotonic() - began <= RETRY_SECONDS


def stop_late_retries(client: BaseClient) -> None:
    """Let the client try a request again only within `RETRY_SECONDS` of its beginning."""
    service = client.meta.service_model.service_id.hyphenize()

    def begin(context: dict[str, Any], **_: Any) -> None:
        context["unefois_began"] = clock.monotonic()

    def judge(request_dict: dict[str, Any], **_: Any) -> bool | None:
        began = request_dict["context"].get("unefois_began", 0.0)
        # False is an answer, and the first one counts; None leaves the answer to boto3.
        return None if may_retry(began) else False

    client.meta.events.register(f"before-call.{service}", begin)
    client.meta.events.register_first(f"needs-retry.{service}", judge)  # type: ignore[arg-type]  # the stubs know no answer
