"""The command `unefois`: what each subcommand does is in `web/commands/`, one file a family."""

import argparse
import sys
from collections.abc import Sequence

from pydantic import ValidationError

from base import memory
from base.embedded.server import CannotStart
from base.errors import ServiceError
from base.processes import ProgramFailed
from storage.backup.create import BackupRefused
from storage.backup.manifest import InvalidBackup
from storage.key_rotation import RotationUnfinished
from storage.providers import KeyProviderError
from web.cli import FAMILIES, Command
from web.http.problems import said
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
"""What a command may end with: their words are for an operator."""

INTERRUPTED = 130
"""What a shell expects of a command that a signal ended."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it went well, and a sentence on the standard error otherwise."""
    options = parser().parse_args(arguments)
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
        return _refuse(_settings_sentence(error))
    except ServiceError as failure:
        return _refuse(said(failure))
    except EXPECTED as error:
        return _refuse(str(error))


def parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    top = argparse.ArgumentParser(
        prog="unefois", description="A consent-based encrypted vault.", allow_abbrev=False
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for family in FAMILIES:
        family(commands)
    return top


def _refuse(sentence: str) -> int:
    sys.stderr.write(f"unefois: {sentence}\n")
    return 1


def _settings_sentence(error: ValidationError) -> str:
    """Which settings are wrong; never their values."""
    words = [
        ": ".join([*(str(part).upper() for part in each["loc"]), each["msg"]])
        for each in error.errors(include_input=False, include_url=False)
    ]
    return "settings: " + "; ".join(words)
