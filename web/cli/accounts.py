"""`organisation`, `worker` and `client`: who may ask for documents, added by the operator."""

import argparse
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

from auth import administration
from auth.oauth import clients
from base.errors import ErrorKind, ServiceError
from base.settings import Settings
from vault.services import Services
from web.cli.command import Command, Commands
from web.cli.command import add as declare
from web.process.signals import Signals
from web.process.supervisor import run


def add(commands: Commands) -> None:
    """Declare them: each a noun with verbs."""
    verbs = _noun(commands, "organisation", "Structures.")
    organisation = _verb(verbs, "add", "Add a structure; prints its id.", _organisation)
    organisation.add_argument("--name", required=True)
    organisation.add_argument("--contact", required=True, help="how its people reach it")

    opens = _verb(verbs, "desk", "Let a structure open vaults at its desk.", _open_vaults)
    opens.add_argument("organisation", type=UUID, help="the id that `organisation add` printed")
    opens.add_argument("--forbid", action="store_true", help="no longer")

    verbs = _noun(commands, "worker", "Professionals of a structure.")
    worker = _verb(verbs, "add", "Add a professional; prints their id.", _worker)
    worker.add_argument("--organisation", required=True, type=UUID, help="its id")
    worker.add_argument("--name", required=True)
    worker.add_argument("--job", required=True)
    worker.add_argument("--email", required=True, help="work e-mail, where sign-in codes go")
    worker.add_argument("--phone", default="")
    worker.add_argument("--hours", default="", help="when people can call")
    barred = _verb(verbs, "bar", "Bar a professional, for good, at once.", _bar_worker)
    barred.add_argument("worker", type=UUID, help="the id that `worker add` printed")

    verbs = _noun(commands, "client", "Systems of administrations.")
    client = _verb(verbs, "add", "Add a system; prints its client_id.", _client)
    client.add_argument("--organisation", required=True, type=UUID, help="its id")
    client.add_argument("--name", required=True)
    client.add_argument("--jwks", required=True, type=Path, help="file of its public keys (JWKS)")
    client.add_argument("--scope", required=True, help="words of: " + " ".join(clients.SCOPES))
    client.add_argument("--contact", default="")
    client.add_argument("--client-id", default=None)
    barred = _verb(verbs, "bar", "Bar a system, for good, at once.", _bar_client)
    barred.add_argument("client_id", help="the client_id that `client add` printed")


def _noun(commands: Commands, noun: str, help_: str) -> Commands:
    verbs = commands.add_parser(noun, help=help_, allow_abbrev=False)
    return verbs.add_subparsers(required=True, metavar="VERB")


def _verb(
    verbs: Commands,
    verb: str,
    help_: str,
    do: Callable[[Services, argparse.Namespace], Awaitable[str]],
) -> argparse.ArgumentParser:
    def run_command(settings: Settings, options: argparse.Namespace, signals: Signals) -> int:
        async def work(services: Services) -> None:
            try:
                said = await do(services, options)
            except ServiceError as failure:
                if failure.kind is not ErrorKind.NOT_FOUND:
                    raise
                raise ValueError("this id is that of nothing here, or of what was barred") from None
            sys.stdout.write(f"{said}\n")

        run(settings, work, signals)
        return 0

    return declare(verbs, verb, help_, Command(run_command))


async def _organisation(services: Services, options: argparse.Namespace) -> str:
    return str(
        await administration.add_organisation(services, name=options.name, contact=options.contact)
    )


async def _open_vaults(services: Services, options: argparse.Namespace) -> str:
    allowed = not options.forbid
    await administration.let_open_vaults(services, options.organisation, allowed=allowed)
    return f"opens vaults: {'yes' if allowed else 'no'}"


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


async def _bar_worker(services: Services, options: argparse.Namespace) -> str:
    await administration.deactivate_worker(services, options.worker)
    return f"barred: {options.worker}"


async def _bar_client(services: Services, options: argparse.Namespace) -> str:
    await administration.deactivate_client(services, options.client_id)
    return f"barred: {options.client_id}"
