"""`serve` and `work`: the two kinds of process of an installation."""

import argparse

from base.settings import Settings
from web.cli.command import Command, Commands
from web.cli.command import add as declare
from web.process import lifecycle
from web.process.server import listen
from web.process.signals import Signals
from web.process.supervisor import supervised


def add(commands: Commands) -> None:
    """Declare them."""
    declare(commands, "serve", "Serve the API and the pages.", Command(_serve))
    declare(commands, "work", "Do the jobs alone: messages, previews, scans.", Command(_work))


def _serve(settings: Settings, _: argparse.Namespace, signals: Signals) -> int:
    with (
        listen(settings.host, settings.port) as listener,
        supervised(settings, signals) as supplied,
    ):
        lifecycle.serve(supplied, listener, signals)
    return 0


def _work(settings: Settings, _: argparse.Namespace, signals: Signals) -> int:
    with supervised(settings, signals) as supplied:
        lifecycle.work(supplied, signals)
    return 0
