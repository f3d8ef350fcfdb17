"""Making an export of a vault, beside the deflating of the same bytes on one thread: what the zip
costs, and what all else adds (opening papers, sealing pieces, two commits a piece)."""

import re
import tempfile
import time
import zipfile
import zlib
from itertools import islice

from auth import holder_proofs, sessions
from auth.holder_proofs import Proof
from auth.message_delivery import inbox
from auth.subjects import Person
from bench.fixture import PHONE, Fixture
from bench.rows import Row, faster
from vault.exports import export_job, exports
from vault.services import Services
from web.process.services import open_services

MIN_SPEED = 0.5
_LEVEL = 6
"""zlib's own, which `zipfile` takes."""
_SLICE = 64 * 1024


async def measure(fixture: Fixture) -> list[Row]:
    """The row of the bench table, of the owner's vault as the fixture made it."""
    async with open_services(fixture.settings) as services:
        async with services.database.transaction() as tx:
            person = await sessions.subject_of(services, tx, fixture.owner)
        assert isinstance(person, Person)
        export = await exports.ask(services, person, await _proof(services, person))
        began = time.perf_counter()
        await export_job.make(services, person.id, export.id)
        seconds = time.perf_counter() - began
        with tempfile.TemporaryFile() as file:
            opened = await exports.open_export(services, person, export.id)
            async for part in opened.content.slices():
                file.write(part)
            size, floor = _deflated(zipfile.ZipFile(file))
        await exports.cancel(services, person, export.id)
    name = f"making an export of {size >> 20} MiB, MiB/s"
    return [faster(name, size / 2**20 / seconds, size / 2**20 / floor, MIN_SPEED)]


async def _proof(services: Services, person: Person) -> Proof:
    sent = await holder_proofs.send_code(services, person)
    (code,) = islice(re.findall(r"\d{6}", (await inbox(services, to=PHONE))[0].text), 1)
    return Proof(code=code, sign_in_id=sent.id, secret=sent.secret)


def _deflated(made: zipfile.ZipFile) -> tuple[int, float]:
    """The bytes of all files, and the seconds that deflating them takes."""
    size, seconds = 0, 0.0
    for info in made.infolist():
        data = made.read(info)
        size += len(data)
        began = time.perf_counter()
        packing = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        for start in range(0, len(data), _SLICE):
            packing.compress(data[start : start + _SLICE])
        packing.flush()
        seconds += time.perf_counter() - began
    return size, seconds
