"""The subcommands of `unefois`: one file a family, each with `add(commands)`. A command imports its
own family alone: the pages, for one, take longer to import than most commands run."""

from importlib import import_module
from typing import cast

from web.cli.command import Command, Family

__all__ = ["COMMANDS", "Command", "Family", "families"]

COMMANDS = {
    "serve": "serve",
    "work": "serve",
    "init": "install",
    "migrate": "install",
    "organisation": "accounts",
    "worker": "accounts",
    "client": "accounts",
    "keys": "maintenance",
    "bind-rows": "maintenance",
    "sweep": "maintenance",
    "backup": "backup",
    "restore": "backup",
    "erasures": "erasures",
    "closing": "closing",
    "verify": "log",
    "audit": "log",
    "witness": "log",
    "reports": "reports",
    "voices": "voices",
    "demo": "demo",
}
"""Each command, and the file of its family."""


def families(command: str = "") -> list[Family]:
    """What declares the family of a command; for any other word, what declares all."""
    known = COMMANDS.get(command)
    names = [known] if known else dict.fromkeys(COMMANDS.values())
    return [cast("Family", import_module(f"web.cli.{name}").add) for name in names]
