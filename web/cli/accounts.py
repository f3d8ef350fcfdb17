"""`organisation`, `worker` and `client`: who may ask for documents, added by the operator."""

import argparse
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

from auth import administration
from auth.oauth import clients
from base.settings import Settings
from vault.services import Services
from web.cli.command import Command, Commands
from web.cli.command import add as declare
from web.process.signals import Signals
from web.process.supervisor import run


def add(commands: Commands) -> None:
    """Declare them: each a noun with the verb `add`."""
    organisation = _add_noun(commands, "organisation", "Add a structure.", _organisation)
    organisation.add_argument("--name", required=True)
    organisation.add_argument("--contact", required=True, help="how its people reach it")

    worker = _add_noun(commands, "worker", "Add a professional of a structure.", _worker)
    worker.add_argument("--organisation", required=True, type=UUID)
    worker.add_argument("--name", required=True)
    worker.add_argument("--job", required=True)
    worker.add_argument("--email", required=True, help="work e-mail, where sign-in codes go")
    worker.add_argument("--phone", default="")
    worker.add_argument("--hours", default="", help="when people can call")

    client = _add_noun(commands, "client", "Add an administration's system.", _client)
    client.add_argument("--organisation", required=True, type=UUID)
    client.add_argument("--name", required=True)
    client.add_argument("--jwks", required=True, type=Path, help="file of its public keys (JWKS)")
    client.add_argument("--scope", required=True, help="words of: " + " ".join(clients.SCOPES))
    client.add_argument("--contact", default="")
    client.add_argument("--client-id", default=None)


def _add_noun(
    commands: Commands,
    noun: str,
    help_: str,
    make: Callable[[Services, argparse.Namespace], Awaitable[str]],
) -> argparse.ArgumentParser:
    verbs = commands.add_parser(noun, help=help_, allow_abbrev=False)
    subcommands = verbs.add_subparsers(required=True, metavar="VERB")

    def run_command(settings: Settings, options: argparse.Namespace, signals: Signals) -> int:
        async def work(services: Services) -> None:
            added_id = await make(services, options)
            sys.stdout.write(f"{added_id}\n")

        run(settings, work, signals)
        return 0

    return declare(subcommands, "add", help_, Command(run_command))


async def _organisation(services: Services, options: argparse.Namespace) -> str:
    return str(
        await administration.add_organisation(services, name=options.name, contact=options.contact)
    )


async def _worker(services: Services, options: argparse.Namespace) -> str:
    return str(
        await administration.add_worker(
            services,
            organisation_id=options.organisation,
            name=options.name,
            job=options.job,
            email=options.email,
            phone=options.phone,
            hours=options.hours,
        )
    )


async def _client(services: Services, options: argparse.Namespace) -> str:
    try:
        jwks = json.loads(options.jwks.read_text(encoding="utf-8"))
    except ValueError:
        raise ValueError(f"{options.jwks} is not a JSON file") from None
    return await administration.add_client(
        services,
        organisation_id=options.organisation,
        name=options.name,
        jwks=jwks,
        scope=options.scope,
        contact=options.contact,
        client_id=options.client_id,
    )
