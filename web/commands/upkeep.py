"""`keys` and `sweep`: what an operator does now and then."""

import argparse
import sys

from base.settings import Settings
from vault.house import House
from vault.rotating import retire_keys, rotate_keys
from vault.working import sweep_all
from web.commands.command import Command, Commands
from web.commands.command import add as declare
from web.commands.progress import show
from web.signals import Signals
from web.supervising import run


def add(commands: Commands) -> None:
    """Declare them."""
    keys = commands.add_parser("keys", help="Root keys.", allow_abbrev=False)
    verbs = keys.add_subparsers(required=True, metavar="VERB")
    declare(
        verbs,
        "rotate",
        "Make a new root version, put every living key under it, retire the old one on its date.",
        Command(_rotate),
    )
    declare(
        commands, "sweep", "Remove what is past its date and what crashes left.", Command(_sweep)
    )


def _rotate(settings: Settings, _: argparse.Namespace, signals: Signals) -> int:
    run(settings, rotate, signals)
    return 0


def _sweep(settings: Settings, _: argparse.Namespace, signals: Signals) -> int:
    async def work(house: House) -> None:
        removed = await sweep_all(house)
        sys.stdout.write(
            "a backup is being made: blobs are left to the next sweep\n"
            if removed is None
            else f"{removed} unreferenced blobs removed\n"
        )

    run(settings, work, signals)
    return 0


async def rotate(house: House) -> None:
    """Rotate, resumable: what a cut leaves undone, the next run does."""
    done = await rotate_keys(house, show)
    destroyed = await retire_keys(house)
    sys.stdout.write(
        f"\nroot version {done.version}: {done.rewrapped} keys re-wrapped,"
        f" {len(done.broken)} broken, {len(destroyed)} root versions destroyed\n"
    )
