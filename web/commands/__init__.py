"""The subcommands of `unefois`: one file a family, each with `add(commands)`."""

from web.commands import accounts, backups, demo, installing, log, serving, upkeep
from web.commands.command import Command, Family

__all__ = ["FAMILIES", "Command", "Family"]

FAMILIES: tuple[Family, ...] = (
    serving.add,
    installing.add,
    accounts.add,
    upkeep.add,
    backups.add,
    log.add,
    demo.add,
)
