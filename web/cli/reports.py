"""`reports`: what people say is not normal in their log, for the operator to read and answer."""

import argparse
import sys
from uuid import UUID

from base.clock import rfc3339
from base.settings import Settings
from vault.access_log import reports
from vault.access_log.reports import ListedReport, OpenedReport
from vault.services import Services
from web.cli.command import Command, Commands
from web.cli.command import add as declare
from web.process.signals import Signals
from web.process.supervisor import run


def add(commands: Commands) -> None:
    """Declare them."""
    noun = commands.add_parser(
        "reports", help="Accesses that people call not normal.", allow_abbrev=False
    )
    verbs = noun.add_subparsers(required=True, metavar="VERB")
    listed = declare(
        verbs, "list", "List those that wait for an answer; opens none.", Command(_list)
    )
    listed.add_argument("--all", action="store_true", help="the last 500, answered or not")
    see = declare(verbs, "see", "Read one; its person's log says so first.", Command(_see))
    see.add_argument("id", type=UUID, help="its reference")
    answer = declare(
        verbs, "answer", "Answer one; its person reads it in their log.", Command(_answer)
    )
    answer.add_argument("id", type=UUID, help="its reference")
    answer.add_argument("--text", help="the answer; the standard input, unless given")


def _list(settings: Settings, options: argparse.Namespace, signals: Signals) -> int:
    async def work(services: Services) -> None:
        for one in await reports.list_reports(services, waiting=not options.all):
            sys.stdout.write("\t".join(_columns(one)) + "\n")

    run(settings, work, signals)
    return 0


def _see(settings: Settings, options: argparse.Namespace, signals: Signals) -> int:
    async def work(services: Services) -> None:
        opened = await reports.see_report(services, options.id)
        sys.stdout.write("".join(f"{line}\n" for line in _lines(opened)))

    run(settings, work, signals)
    return 0


def _answer(settings: Settings, options: argparse.Namespace, signals: Signals) -> int:
    text = sys.stdin.read() if options.text is None else options.text

    async def work(services: Services) -> None:
        await reports.answer_report(services, options.id, text)

    run(settings, work, signals)
    sys.stdout.write("answered; its person is told by SMS\n")
    return 0


def _columns(one: ListedReport) -> list[str]:
    state = "altered" if one.altered else "answered" if one.answered_at else "waiting"
    due = "-" if one.answered_at else rfc3339(one.answer_by)
    return [str(one.id), rfc3339(one.reported_at), state, one.organisation or "-", due]


def _lines(opened: OpenedReport) -> list[str]:
    report, actor = opened.report, opened.actor
    words = ("kind", "name", "job", "organisation", "contact")
    lines = [
        f"report {report.id} of {rfc3339(report.reported_at)}",
        f"entry {opened.event_id} of {opened.at}: {opened.action}, {opened.outcome}",
        "by " + ", ".join(filter(None, (actor.get(word) for word in words))),
        f"organisation told: {'yes' if report.organisation_told else 'no'}",
        f"answer until: {rfc3339(report.answer_by)}",
        f"text: {_block(report.text) or '-'}",
    ]
    if report.answered_at is not None:
        lines.append(f"answer of {rfc3339(report.answered_at)}: {_block(report.answer or '')}")
    return lines


def _block(text: str) -> str:
    """Words of several lines, set in from the second on: none looks like a line of ours."""
    return text.replace("\n", "\n    ")
