"""Scans: clamd looks at the originals, when one is configured. Infected: recipients get nothing.

The clamd that is configured *is* trusted with plaintext for the time of a scan; it must run on the
service's own machine or private network. Without one a document says "not scanned".
"""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import UUID

from base.key_names import ORIGINAL
from storage.errors import KeyDestroyed
from vault.documents import records, retrieval
from vault.services import Services

_TIMEOUT = 60.0
_CLEAN = b"stream: OK"


class ScannerUnavailable(Exception):
    """clamd did not answer, or answered something else than a verdict."""


async def scan(services: Services, owner_id: UUID, version_id: UUID) -> str:
    """Scan a version's originals and keep the verdict: `clean`, `infected` or `not_scanned`."""
    address = services.settings.clamd_address
    async with services.database.transaction() as tx:
        files = await records.files_of(tx, owner_id, version_id)
    verdict = "clean"
    try:
        for one in files:
            if one.role != ORIGINAL or address is None:
                continue
            source = await retrieval.open_for_scan(services, owner_id, one)
            if not await is_clean(address, source.slices()):
                verdict = "infected"
    except KeyDestroyed:
        return "not_scanned"
    if address is None:
        verdict = "not_scanned"
    async with services.database.transaction() as tx:
        await records.change_version(tx, owner_id, version_id, scan=verdict)
    return verdict


async def is_clean(address: str, slices: AsyncIterator[memoryview]) -> bool:
    """Ask clamd by INSTREAM (clamd(8)): chunks prefixed by their length, then a zero length.

    Raises `ScannerUnavailable`; beyond its StreamMaxLength clamd hangs up, which is one of them.
    """
    try:
        async with asyncio.timeout(_TIMEOUT):
            return await _ask(address, slices)
    except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
        raise ScannerUnavailable(type(error).__name__) from None


async def _ask(address: str, slices: AsyncIterator[memoryview]) -> bool:
    reader, writer = await _connect(address)
    try:
        writer.write(b"zINSTREAM\0")
        async for one in slices:
            writer.write(struct.pack(">I", len(one)) + one)
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
