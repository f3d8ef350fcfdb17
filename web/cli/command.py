"""A subcommand: where its settings come from, and the function that runs it."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from base.settings import Settings
from web.process.signals import Signals

if TYPE_CHECKING:
    Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
else:
    Commands = Any

Family = Callable[[Commands], None]


def from_environment(_: argparse.Namespace) -> Settings:
    """Most commands read their settings from the environment alone."""
    return Settings()


@dataclass(frozen=True, slots=True)
class Command:
    """`run` returns the process's status."""

    run: Callable[[Settings, argparse.Namespace, Signals], int]
    settings: Callable[[argparse.Namespace], Settings] = from_environment


def add(commands: Commands, name: str, help_: str, command: Command) -> argparse.ArgumentParser:
    """Declare a subcommand; its options are added to what this returns."""
    declared = commands.add_parser(name, help=help_, description=help_, allow_abbrev=False)
    declared.set_defaults(command=command)
    return declared
