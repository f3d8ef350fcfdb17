"""The command `unefois`: what each subcommand does is in `web/cli/`, one file per family."""

import argparse
import sys
from collections.abc import Sequence

import psycopg
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from base import memory
from base.embedded.server import CannotStart
from base.errors import ServiceError
from base.outages import outage_code
from base.processes import ProgramFailed
from base.settings import Settings
from storage.backup.create import BackupRefused
from storage.backup.manifest import InvalidBackup
from storage.key_rotation import RotationUnfinished
from storage.providers import KeyProviderError
from web.cli import Command, families
from web.i18n.error_choice import failure_line
from web.process import log_output
from web.process.services import CannotServe
from web.process.signals import Interrupted, Signals

EXPECTED = (
    CannotStart,
    CannotServe,
    BackupRefused,
    InvalidBackup,
    RotationUnfinished,
    KeyProviderError,
    ProgramFailed,
    OSError,
    ValueError,
)
"""Errors that a command may end with: their messages are for an operator."""

INTERRUPTED = 130
"""The status that shells expect of a command ended by a signal."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it went well, and a sentence on the standard error otherwise."""
    given = sys.argv[1:] if arguments is None else arguments
    options = parser(*given[:1]).parse_args(given)
    command: Command = options.command
    signals = Signals()
    try:
        settings = command.settings(options)
        log_output.configure(settings)
        memory.limit_heap()
        return command.run(settings, options, signals)
    except Interrupted:
        return INTERRUPTED
    except ValidationError as error:
        return _fail(_settings_message(error))
    except EXPECTED as error:
        return _fail(str(error) or type(error).__name__)
    except ServiceError as failure:
        return _fail(failure_line(failure))
    except (SQLAlchemyError, psycopg.Error) as error:
        code = outage_code(error)
        if code is None:
            raise
        return _fail(f"the database does not answer ({code}): see its address in the settings")


def parser(command: str = "") -> argparse.ArgumentParser:
    """The commands of one family with their options, or all."""
    root = argparse.ArgumentParser(
        prog="unefois", description="A consent-based encrypted vault.", allow_abbrev=False
    )
    commands = root.add_subparsers(required=True, metavar="COMMAND")
    for family in families(command):
        family(commands)
    return root


def _fail(message: str) -> int:
    sys.stderr.write(f"unefois: {message}\n")
    return 1


def _settings_message(error: ValidationError) -> str:
    """Which settings are wrong; never their values."""
    faults = [
        ": ".join([*map(_variable, entry["loc"]), entry["msg"].removeprefix("Value error, ")])
        for entry in error.errors(include_input=False, include_url=False)
    ]
    return "settings: " + "; ".join(faults)


def _variable(name: str | int) -> str:
    """A setting as the environment and the documents name it."""
    field = Settings.model_fields.get(str(name))
    return str(name) if field is None else f"UNEFOIS_{name}".upper()
