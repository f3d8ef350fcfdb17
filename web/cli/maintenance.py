"""`keys` and `sweep`: an operator's occasional tasks."""

import argparse
import sys

from base.settings import Settings
from vault.consent import receipt_keys
from vault.maintenance.job_runner import sweep_all
from vault.maintenance.key_rotation import retire_keys, rotate_keys
from vault.services import Services
from web.cli.command import Command, Commands
from web.cli.command import add as declare
from web.cli.progress import show
from web.process.signals import Signals
from web.process.supervisor import bind, run, supervised


def add(commands: Commands) -> None:
    """Declare them."""
    keys = commands.add_parser(
        "keys", help="Root keys, and keys that sign receipts.", allow_abbrev=False
    )
    verbs = keys.add_subparsers(required=True, metavar="VERB")
    declare(
        verbs,
        "rotate",
        "Make a new root version, put every living key under it, retire the old one on its date.",
        Command(_rotate),
    )
    renew = declare(
        verbs,
        "renew",
        "Sign receipts with a new key; what the former ones signed still verifies.",
        Command(_renew),
    )
    renew.add_argument("what", choices=["receipts"])
    declare(
        commands,
        "bind-rows",
        "Give the rows of release 0.1 their MACs, once; stop the service before.",
        Command(_bind_rows),
    )
    declare(
        commands, "sweep", "Remove what is past its date and what crashes left.", Command(_sweep)
    )


def _rotate(settings: Settings, _: argparse.Namespace, signals: Signals) -> int:
    run(settings, rotate, signals)
    return 0


def _renew(settings: Settings, _: argparse.Namespace, signals: Signals) -> int:
    async def work(services: Services) -> None:
        sys.stdout.write(f"receipts are signed by {await receipt_keys.renew(services)}\n")

    run(settings, work, signals)
    return 0


def _bind_rows(settings: Settings, _: argparse.Namespace, signals: Signals) -> int:
    with supervised(settings, signals) as supplied:
        bind(supplied, signals, show)
    return 0


def _sweep(settings: Settings, _: argparse.Namespace, signals: Signals) -> int:
    async def work(services: Services) -> None:
        removed = await sweep_all(services)
        sys.stdout.write(
            "a backup is being made: blobs are left to the next sweep\n"
            if removed is None
            else f"{removed} unreferenced blobs removed\n"
        )

    run(settings, work, signals)
    return 0


async def rotate(services: Services) -> None:
    """Rotate; what an interruption leaves undone, the next run does."""
    done = await rotate_keys(services, show)
    destroyed = await retire_keys(services)
    sys.stdout.write(
        f"\nroot version {done.version}: {done.rewrapped} keys re-wrapped,"
        f" {len(done.broken)} broken, {len(destroyed)} root versions destroyed\n"
    )
