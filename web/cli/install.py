"""`init` and `migrate`: folders, tables and the first root version."""

import argparse
import sys

from base.settings import Settings
from vault.services import Services
from web.cli.command import Command, Commands
from web.cli.command import add as declare
from web.cli.progress import show
from web.process.signals import Signals
from web.process.supervisor import migrate, run_supplied, supervised


def add(commands: Commands) -> None:
    """Declare them."""
    declare(commands, "init", "Make the home, the tables and the first root key.", Command(_init))
    declare(commands, "migrate", "Bring the tables to this release.", Command(_migrate))


def _init(settings: Settings, _: argparse.Namespace, signals: Signals) -> int:
    """Everything that `serve` needs; it may be run again."""
    where = "of DATABASE_URL" if settings.database_url else "embedded: DATABASE_URL is empty"

    async def say_ready(_: Services) -> None:
        sys.stdout.write(f"ready: home {settings.home}, database {where}\n")

    with supervised(settings, signals) as supplied:
        if supplied.migrations_database_url is not None:
            migrate(supplied, signals, show, embedded=settings.database_url is None)
        run_supplied(supplied, say_ready, signals)
    return 0


def _migrate(settings: Settings, _: argparse.Namespace, signals: Signals) -> int:
    with supervised(settings, signals) as supplied:
        migrate(supplied, signals, show, embedded=settings.database_url is None)
    return 0
