"""`closing`: the operator announces that the service ends, or that it goes on."""

import argparse
import sys
from datetime import date

from auth import closing_report, closings
from auth.closing_report import ClosingReport, Told
from base.settings import Settings
from vault.services import Services
from web.cli.command import Command, Commands
from web.cli.command import add as declare
from web.process.signals import Signals
from web.process.supervisor import run

_WAYS = {"sms": "by text message", "email": "by e-mail", "page": "by a page"}


def add(commands: Commands) -> None:
    """Declare it."""
    closing = declare(
        commands, "closing", "Announce the last day of the service; alone: who was told.",
        Command(_closing),
    )  # fmt: skip
    which = closing.add_mutually_exclusive_group()
    which.add_argument("--on", type=date.fromisoformat, metavar="DATE", help="three months ahead")
    which.add_argument("--cancel", action="store_true", help="the service goes on")


def _closing(settings: Settings, options: argparse.Namespace, signals: Signals) -> int:
    async def work(services: Services) -> None:
        if options.on is not None:
            announced = await closings.announce(services, options.on)
            sys.stdout.write(
                f"announced: the last day is {announced.closes_on}. Everyone is told from the next"
                " hour on, by day.\n"
            )
        elif options.cancel:
            cancelled = await closings.cancel(services)
            sys.stdout.write(
                f"cancelled: the service goes on after {cancelled.closes_on}. Whoever was told is"
                " told so.\n"
            )
        else:
            sys.stdout.write(_said(await closing_report.report(services)))

    run(settings, work, signals)
    return 0


def _said(report: ClosingReport | None) -> str:
    if report is None:
        return "no closing is announced\n"
    state = "over since" if report.notice is None else "the last day is"
    lines = (
        f"{state} {report.closes_on}, announced on {report.announced_on}",
        f"people: {_told(report.people)}",
        f"workers: {_told(report.workers)}",
        f"vaults: {report.exported} taken away since then, {report.left} left",
    )
    return "".join(f"{line}\n" for line in lines)


def _told(told: Told) -> str:
    ways = ", ".join(f"{count} {_WAYS[way]}" for way, count in sorted(told.by.items()))
    by = f" ({ways})" if ways else ""
    return f"{told.by.total()} told{by}, {told.not_yet} not yet"
