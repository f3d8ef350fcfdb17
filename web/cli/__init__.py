"""The subcommands of `unefois`: one file per family, each with `add(commands)`."""

from web.cli import accounts, backup, demo, install, log, maintenance, reports, serve, voices
from web.cli.command import Command, Family

__all__ = ["FAMILIES", "Command", "Family"]

FAMILIES: tuple[Family, ...] = (
    serve.add,
    install.add,
    accounts.add,
    maintenance.add,
    backup.add,
    log.add,
    reports.add,
    voices.add,
    demo.add,
)
