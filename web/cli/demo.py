"""`demo`: the whole service on this machine, with invented people, in one command."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from base.files import write_private
from base.settings import Settings
from vault.services import Services
from web.cli.command import Command, Commands
from web.cli.command import add as declare
from web.cli.progress import show
from web.demo.instructions import instructions
from web.demo.seed_data import Demo, client_key, seed
from web.process import lifecycle
from web.process.lifecycle import Listeners
from web.process.management import listen_for_management
from web.process.server import listen_for_people, url_of
from web.process.signals import Signals
from web.process.supervisor import migrate, supervised

_KEY = "administration.pem"


def add(commands: Commands) -> None:
    """Declare it."""
    demo = declare(
        commands, "demo", "Try everything here, with invented people.", Command(_demo, _settings)
    )
    demo.add_argument("--home", type=Path, default=Path.home() / ".unefois-demo")
    demo.add_argument("--port", type=int, default=8000, help="0 takes a free one")
    demo.add_argument("--json", type=Path, help="write tokens and addresses there, once it answers")


def _settings(options: argparse.Namespace) -> Settings:
    """Everything embedded, whatever the environment says: a demo touches no other database."""
    chosen: dict[str, Any] = {
        "mode": "demo",
        "home": options.home.expanduser().resolve(),
        "host": "127.0.0.1",
        "port": options.port,
        # Free ports: two demos may run at once, and only their first is asked for.
        "management_host": "127.0.0.1",
        "management_port": 0,
        "trusted_proxies": None,
        "database_url": None,
        "migrations_database_url": None,
        "blob_store": "directory",
        "key_provider": "local",
        "messenger": "inbox",
        "operator_email": "equipe@unefois.example",
        "clamd_address": None,
        "jobs_in_process": True,
        "log_level": "warning",
    }
    return Settings(**chosen)


def _demo(settings: Settings, options: argparse.Namespace, signals: Signals) -> int:
    file = None if options.json is None else options.json.absolute()
    if file is not None:
        file.unlink(missing_ok=True)
    with (
        listen_for_people(settings) as public,
        listen_for_management(settings) as management,
        supervised(settings, signals) as supplied,
    ):
        addressed = supplied.model_copy(update={"public_url": url_of(public)})
        migrate(addressed, signals, show, embedded=True)
        key_file = addressed.home / _KEY
        key = client_key(key_file)
        seeded: list[Demo] = []

        async def before(services: Services) -> None:
            made = await seed(services, key)
            seeded.append(replace(made, management_url=url_of(management)))

        async def when_ready(services: Services) -> None:
            sys.stdout.write(instructions(seeded[0], services.settings.home, key_file))
            sys.stdout.flush()
            if file is not None:
                write_private(file, seeded[0].json())

        listeners = Listeners(public, management)
        lifecycle.serve(addressed, listeners, signals, before=before, when_ready=when_ready)
    sys.stdout.write("Arrêté.\n")
    return 0
