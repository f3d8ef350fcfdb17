"""`erasures`: the note of erased vaults, to keep elsewhere, and to apply after a restoration."""

import argparse
import sys
from pathlib import Path

from base.database import Database
from base.files import write_private
from base.settings import Settings
from storage.backup import restoration_state
from vault.maintenance import erased_vaults, erasure_notes
from vault.maintenance.erased_vaults import Applied
from vault.maintenance.erasure_notes import ErasureNote
from vault.services import Services
from web.cli.command import Command, Commands
from web.cli.command import add as declare
from web.process.signals import Signals
from web.process.supervisor import in_loop, owner_url, run, run_supplied, supervised


def add(commands: Commands) -> None:
    """Declare them."""
    noun = commands.add_parser(
        "erasures", help="Erased vaults, which a backup brings back.", allow_abbrev=False
    )
    verbs = noun.add_subparsers(required=True, metavar="VERB")
    export = declare(verbs, "export", "Write the note of all erasures.", Command(_export))
    export.add_argument("file", type=Path, nargs="?", help="the standard output, unless given")
    apply = declare(
        verbs,
        "apply",
        "Erase again what a restoration brought back, and let the service start.",
        Command(_apply),
    )
    which = apply.add_mutually_exclusive_group(required=True)
    which.add_argument("file", type=Path, nargs="?", help="the last note that was exported")
    which.add_argument("--none", action="store_true", help="nothing: a try, which is then removed")


def read_note(file: Path) -> ErasureNote:
    """The note in a file. Raises `InvalidErasureNote`."""
    with file.open("rb") as opened:
        return erasure_notes.read(opened.read(erasure_notes.MAX_BYTES + 1))


def finish_restoration(settings: Settings, note: ErasureNote | None, signals: Signals) -> int:
    """Apply a note, if there is one; then let services open. `settings` name both addresses of the
    database. Interrupted, or refused, it lets none open."""
    if note is not None and not _applied(settings, note, signals):
        return 1
    in_loop(_let_open(settings), signals)
    return 0


def _applied(settings: Settings, note: ErasureNote, signals: Signals) -> bool:
    """Whether it was applied to its end."""
    done: list[Applied] = []

    async def work(services: Services) -> None:
        done.append(await erased_vaults.apply(services, note))

    run_supplied(settings, work, signals, restored=True)
    for one in done:
        _tell(one)
    return bool(done)


async def _let_open(settings: Settings) -> None:
    owner = Database(owner_url(settings), pool=2)
    try:
        async with owner.transaction() as tx:
            await restoration_state.finish(tx)
    finally:
        await owner.close()


def _tell(applied: Applied) -> None:
    sys.stdout.write(
        f"{applied.erased} vaults erased again; {applied.absent} are not in this database\n"
    )
    if applied.unknown_to_note:
        sys.stdout.write(
            f"The note lacks {applied.unknown_to_note} erasures that this database knows: it is"
            " older than the backup. If there is a later one, apply that too.\n"
        )


def _export(settings: Settings, options: argparse.Namespace, signals: Signals) -> int:
    async def work(services: Services) -> None:
        note = await erased_vaults.export(services)
        if options.file is None:
            sys.stdout.buffer.write(note)
        else:
            write_private(options.file, note.decode())

    run(settings, work, signals)
    return 0


def _apply(settings: Settings, options: argparse.Namespace, signals: Signals) -> int:
    note = None if options.none else read_note(options.file)
    with supervised(settings, signals) as supplied:
        return finish_restoration(supplied, note, signals)
