"""Virus scans of originals by clamd, if configured. Recipients get nothing of an infected document.

The configured clamd *is* trusted with plaintext during a scan; it must run on the service's own
machine or private network. Without clamd a document is "not scanned".
"""

import asyncio
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from uuid import UUID

from audit.events import Action, Actor, ActorKind
from base.db_time import instant
from base.key_names import ORIGINAL
from base.part_state import PartState
from storage.errors import KeyDestroyed
from vault.decisions import AccessAttempt, record_allowed
from vault.documents import records, retrieval
from vault.services import Services

_TIMEOUT = 60.0
_CONNECT_SECONDS = 5.0
_CLEAN = b"stream: OK"


class ScannerUnavailable(Exception):
    """clamd did not answer, or its answer is not a verdict."""


async def scan(services: Services, owner_id: UUID, version_id: UUID) -> str:
    """Scan a version's originals and store the verdict: `clean`, `infected` or `not_scanned`."""
    address = services.settings.clamd_address
    async with services.database.transaction() as tx:
        files = await records.files_of(tx, owner_id, version_id)
    verdict = "clean"
    try:
        for file in files:
            if file.role != ORIGINAL or address is None:
                continue
            source = await retrieval.open_for_scan(services, owner_id, file)
            with _noted(services.parts.antivirus):
                clean = await is_clean(address, source.slices())
            if not clean:
                verdict = "infected"
    except KeyDestroyed:
        return "not_scanned"
    if address is None:
        verdict = "not_scanned"
    async with services.database.transaction() as tx:
        macs = await services.field_encryption.row_macs()
        scanned = await records.change_version(tx, macs, owner_id, version_id, scan=verdict)
        if verdict == "infected" and scanned is not None:
            # The owner reads it, and a row put back from before the verdict is noticed.
            attempt = AccessAttempt(
                action=Action.INFECTED,
                actor=Actor(ActorKind.SERVICE),
                person=owner_id,
                documents=(scanned.document_id,),
                details={"version": scanned.number},
            )
            await record_allowed(services, tx, await instant(tx), attempt)
    return verdict


@contextmanager
def _noted(state: PartState) -> Iterator[None]:
    try:
        yield
    except ScannerUnavailable as error:
        state.failed(str(error))
        raise
    state.answered()


async def is_clean(address: str, slices: AsyncIterator[memoryview]) -> bool:
    """Send a file by clamd's INSTREAM (clamd(8)): chunks prefixed by their length, then length 0.

    Raises `ScannerUnavailable`, also for a file longer than clamd's StreamMaxLength.
    """
    try:
        async with asyncio.timeout(_TIMEOUT):
            return await _ask(address, slices)
    except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
        raise ScannerUnavailable(type(error).__name__) from None


async def _ask(address: str, slices: AsyncIterator[memoryview]) -> bool:
    async with asyncio.timeout(_CONNECT_SECONDS):
        reader, writer = await _connect(address)
    try:
        writer.write(b"zINSTREAM\0")
        async for chunk in slices:
            writer.write(struct.pack(">I", len(chunk)) + chunk)
            await writer.drain()
        writer.write(struct.pack(">I", 0))
        await writer.drain()
        answer = (await reader.readuntil(b"\0")).rstrip(b"\0")
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    if answer == _CLEAN:
        return True
    if answer.endswith(b"FOUND"):
        return False
    raise ScannerUnavailable("no verdict")


async def _connect(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if address.startswith("/"):
        return await asyncio.open_unix_connection(address)
    host, _, port = address.rpartition(":")
    return await asyncio.open_connection(host, int(port))
