"""`verify`, `audit` and `witness`: checking the log from outside, from inside, and for others."""

import argparse
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from audit import verify
from audit.reconcile import Reconciler
from audit.tlog.checkpoint import Policy
from audit.tlog.notes import InvalidNote, Verifier
from audit.tlog.witness import Witness
from audit.verify import Fetch, NotVerified, Published
from base.files import write_private
from base.settings import Settings
from vault.reconciliation import reconciliation
from vault.services import Services
from web.cli import consent_receipts, export_check, siem_export
from web.cli.command import Command, Commands
from web.cli.command import add as declare
from web.cli.progress import show
from web.http.witness import witness_app
from web.process.server import listen, run_server, server_for
from web.process.signals import Signals
from web.process.supervisor import in_loop, run

_MAX_FILE_BYTES = 1 << 20
_TIMEOUT = 30.0


def add(commands: Commands) -> None:
    """Declare them."""
    _add_verify(commands)
    audit = commands.add_parser("audit", help="The log, seen by its operator.", allow_abbrev=False)
    verbs = audit.add_subparsers(required=True, metavar="VERB")
    reconcile = declare(
        verbs,
        "reconcile",
        "Compare every leaf, tile and checkpoint, check every row, and replay every event.",
        Command(_reconcile),
    )
    reconcile.add_argument("--tree", action="store_true", help="the tree alone: opens nothing")
    # What `--open` asked for in release 0.1 is always done now.
    reconcile.add_argument("--open", action="store_true", help=argparse.SUPPRESS)
    siem_export.add_to(verbs)
    witness = declare(
        commands, "witness", "Witness a log of others.", Command(_witness, _no_service)
    )
    witness.add_argument("--home", type=Path, required=True, help="its key and its state")
    witness.add_argument("--log", required=True, metavar="VKEY", help="the log's verifier key")
    witness.add_argument("--origin", help="the log's origin, when it is not its key's name")
    witness.add_argument("--name", default=f"witness/{socket.gethostname()}", help="its own name")
    witness.add_argument("--host", default="127.0.0.1")
    witness.add_argument("--port", type=int, default=8090, help="0 takes a free one")


def _add_verify(commands: Commands) -> None:
    parser = declare(
        commands,
        "verify",
        "Verify a log: its checkpoint, and what the options add.",
        Command(_verify, _no_service),
    )
    verbs = parser.add_subparsers(metavar="VERB")
    consent_receipts.add_to(verbs, Command(consent_receipts.verify, _no_service))
    export_check.add_to(verbs, Command(export_check.verify, _no_service))
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--url", help="the log's prefix: https://service.example/log")
    source.add_argument("--folder", type=Path, help="a copy of what is under that prefix")
    parser.add_argument("--vkey", help="the log's verifier key (/log/vkey)")
    parser.add_argument("--remember", type=Path, help="checkpoint of the last time; kept up")
    parser.add_argument("--receipt", type=Path, help="a receipt to check")
    parser.add_argument("--whole", action="store_true", help="every tile and every entry")
    parser.add_argument("--witness", action="append", default=[], metavar="VKEY")
    parser.add_argument("--need", type=int, help="how many of them; all, unless said")


def _no_service(_: argparse.Namespace) -> Settings:
    """These commands need no database, no secret and no service."""
    return Settings(mode="demo", log_level="warning")


def _verify(_settings: Settings, options: argparse.Namespace, _signals: Signals) -> int:
    if options.vkey is None:
        raise ValueError("--vkey is missing: the log's verifier key (/log/vkey)")
    log, policy = _verifier(options.vkey), _policy(options)
    if options.url is None and options.folder is None and options.receipt is None:
        raise ValueError("nothing to verify: give --url, --folder, or --receipt")
    try:
        if options.url is None and options.folder is None:
            # Offline: the receipt's own checkpoint must carry the witnesses.
            lines = [_check_receipt(options, log, policy, None)]
        elif options.folder is not None:
            lines = _checks(_from_folder(options.folder), log, policy, options)
        else:
            with httpx.Client(timeout=_TIMEOUT, trust_env=False) as client:
                lines = _checks(_from_url(client, options.url), log, policy, options)
    except NotVerified as failure:
        sys.stdout.flush()
        sys.stderr.write(f"unefois: NOT verified: {failure}\n")
        return 1
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0


def _checks(fetch: Fetch, log: Verifier, policy: Policy, options: argparse.Namespace) -> list[str]:
    """Do the checks of the options, cheap ones first; returns the lines to print."""
    published = verify.check_published(fetch, log, policy)
    current = published.checkpoint
    witnesses = ", ".join(sorted(published.verified.witnesses)) or "no witness"
    lines = [f"verified: {current.origin}, {current.size} entries, cosigned by {witnesses}"]
    if options.remember is not None and options.remember.exists():
        remembered = verify.check_remembered(options.remember.read_bytes(), log)
        verify.check_continues(fetch, current, remembered)
        lines.append(f"verified: continues the remembered tree of {remembered.size} entries")
    if options.receipt is not None:
        lines.append(_check_receipt(options, log, None, (fetch, published)))
    if options.whole:
        verify.check_whole(fetch, current, show)
        sys.stdout.write("\n")
        lines.append(f"verified: all {current.size} entries")
    if options.remember is not None:
        # Last: a checkpoint that did not verify is not remembered.
        write_private(options.remember, published.raw.decode())
    return lines


def _check_receipt(
    options: argparse.Namespace,
    log: Verifier,
    policy: Policy | None,
    public: tuple[Fetch, Published] | None,
) -> str:
    with options.receipt.open("rb") as file:
        receipt = verify.check_receipt(file.read(verify.MAX_RECEIPT + 1), log, policy)
    line = f"verified: the receipt's event is entry {receipt.index}"
    if public is None:
        return line
    fetch, published = public
    if receipt.checkpoint.size > published.checkpoint.size:
        return f"{line}, in a tree newer than the published one: verify again once it is published"
    verify.check_continues(fetch, published.checkpoint, receipt.checkpoint, name="receipt's")
    return f"{line} of the published tree"


def _verifier(vkey: str) -> Verifier:
    try:
        return Verifier.parse(vkey)
    except InvalidNote:
        raise ValueError("that is not a verifier key: name+id+key") from None


def _policy(options: argparse.Namespace) -> Policy:
    witnesses = tuple(_verifier(vkey) for vkey in options.witness)
    return Policy(witnesses, len(witnesses) if options.need is None else options.need)


def _from_folder(folder: Path) -> Fetch:
    def fetch(path: str) -> bytes | None:
        try:
            with (folder / path).open("rb") as file:
                return file.read(_MAX_FILE_BYTES)
        except FileNotFoundError:
            return None

    return fetch


def _from_url(client: httpx.Client, url: str) -> Fetch:
    if urlsplit(url).scheme not in {"http", "https"}:
        raise ValueError("--url is the log's prefix: https://service.example/log")

    def fetch(path: str) -> bytes | None:
        try:
            response = client.get(f"{url.rstrip('/')}/{path}")
        except (httpx.HTTPError, httpx.InvalidURL):
            raise NotVerified(path, "unreachable", f"{path} cannot be fetched") from None
        if response.status_code == 404:
            return None
        if response.status_code != 200:
            sentence = f"{path} cannot be fetched: the log answers {response.status_code}"
            raise NotVerified(path, "unreachable", sentence)
        return response.content

    return fetch


def _reconcile(settings: Settings, options: argparse.Namespace, signals: Signals) -> int:
    faults = 0

    async def work(services: Services) -> None:
        nonlocal faults
        faults = await _reconcile_tree(services)
        if not options.tree:
            faults += await _reconcile_rows(services)

    run(settings, work, signals)
    return 1 if faults else 0


async def _reconcile_tree(services: Services) -> int:
    """Events, leaves, tiles and checkpoints; returns how many faults there are."""
    reconciler = Reconciler(
        services.database,
        services.transparency_log.store,
        await services.transparency_log.verifier(),
    )
    report = await reconciler.run(show)
    faults = len(report.faults)
    sys.stdout.write(
        f"\n{report.leaves} leaves, {report.checkpoints} checkpoints: {faults} faults\n"
    )
    _show_faults(report.faults)
    return faults


async def _reconcile_rows(services: Services) -> int:
    """Rows, and rows against the log; returns how many faults there are."""
    found = await reconciliation.reconcile(services, show)
    sys.stdout.write(
        f"\n{found.opened} events opened, {found.destroyed} whose key is destroyed;"
        f" {found.rows} rows: {found.faults.count} faults\n"
    )
    _show_faults(found.faults.listed)
    return found.faults.count


def _show_faults(faults: Sequence[object]) -> None:
    sys.stdout.flush()
    for fault in faults:
        sys.stderr.write(f"unefois: {fault}\n")


def _witness(_settings: Settings, options: argparse.Namespace, signals: Signals) -> int:
    log = _verifier(options.log)
    witness = Witness(options.home, options.name, log, options.origin or log.name)

    async def serve() -> None:
        server = server_for(witness_app(witness))
        async with run_server(server, listener) as ended:
            signals.on_signal(lambda count: server.stop(now=count > 1))
            port = listener.getsockname()[1]
            sys.stdout.write(f"{witness.verifier.vkey}\nhttp://{options.host}:{port}\n")
            sys.stdout.flush()
            await ended

    with listen(options.host, options.port) as listener:
        in_loop(serve(), signals)
    return 0
