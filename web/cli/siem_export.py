"""`audit export`: the log as OCSF events, one JSON object per line, on the standard output."""

import argparse
import json
import re
import sys
from datetime import UTC, datetime

from audit.sealing import InvalidEvent
from base.settings import Settings
from vault.access_log.siem_export import ExportTally, export_ocsf
from vault.services import Services
from web.app import VERSION
from web.cli.command import Command, Commands
from web.cli.command import add as declare
from web.process.signals import Signals
from web.process.supervisor import run

_CONSUMER = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")


def add_to(verbs: Commands) -> None:
    """Declare it among the verbs of `audit`."""
    export = declare(
        verbs,
        "export",
        "Write the log for monitoring tools, subjects as pseudonyms.",
        Command(_run),
    )
    export.add_argument("--ocsf", action="store_true", required=True, help="OCSF 1.8, NDJSON")
    export.add_argument(
        "--consumer", required=True, type=_consumer, help="who reads it: pseudonyms are its own"
    )
    export.add_argument("--since", type=_instant, help="RFC 3339; a day alone begins in UTC")
    export.add_argument(
        "--after", type=int, default=-1, help="go on after this `metadata.sequence`"
    )


def _run(settings: Settings, options: argparse.Namespace, signals: Signals) -> int:
    async def work(services: Services) -> None:
        await write(services, options)

    run(settings, work, signals)
    return 0


async def write(services: Services, options: argparse.Namespace) -> None:
    """One line per event; at the end, their number on the standard error."""
    tally = ExportTally()
    events = export_ocsf(
        services,
        tally,
        consumer=options.consumer,
        release=VERSION,
        since=options.since,
        after=options.after,
    )
    try:
        async for event in events:
            sys.stdout.write(json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n")
    except InvalidEvent:
        raise ValueError(
            "an event is not the one committed to; `unefois audit reconcile` names it"
        ) from None
    sys.stdout.flush()
    sys.stderr.write(f"{tally.events} events, {tally.silent} whose key is destroyed\n")


def _consumer(text: str) -> str:
    if not _CONSUMER.fullmatch(text):
        raise argparse.ArgumentTypeError("lower-case letters, digits, dots and hyphens")
    return text


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise argparse.ArgumentTypeError("not an RFC 3339 instant") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
