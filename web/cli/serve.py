"""`serve` and `work`: the two kinds of process of an installation."""

import argparse

from base.settings import Settings
from web.cli.command import Command, Commands
from web.cli.command import add as declare
from web.process import lifecycle
from web.process.lifecycle import Listeners
from web.process.management import listen_for_management
from web.process.server import listen_for_people
from web.process.signals import Signals
from web.process.supervisor import supervised


def add(commands: Commands) -> None:
    """Declare them."""
    declare(commands, "serve", "Serve the API and the pages.", Command(_serve))
    declare(commands, "work", "Do the jobs alone: messages, previews, scans.", Command(_work))


def _serve(settings: Settings, _: argparse.Namespace, signals: Signals) -> int:
    with (
        listen_for_people(settings) as public,
        listen_for_management(settings) as management,
        supervised(settings, signals) as supplied,
    ):
        lifecycle.serve(supplied, Listeners(public, management), signals)
    return 0


def _work(settings: Settings, _: argparse.Namespace, signals: Signals) -> int:
    with (
        listen_for_management(settings) as management,
        supervised(settings, signals) as supplied,
    ):
        lifecycle.work(supplied, management, signals)
    return 0
