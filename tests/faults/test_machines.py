"""What the machines give, each taken away under load: disks, clock, an instance, the network.

Real: PostgreSQL 15 on a disk of its own, sealed files on another, one instance in a network
namespace (another machine, to the kernel), wall clocks that can be set.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from base.locks import SEQUENCER
from tests.faults.installation import Installation, environment_of, give, populate
from tests.faults.load import Load
from tests.faults.losses import nothing_lost
from tests.faults.machine import (
    Clock,
    Disk,
    OtherMachine,
    lacking,
    movable_clock,
    other_machine,
    small_disk,
)
from tests.faults.messages import Mailbox, SmsGateway
from tests.faults.outage import UNHEARD, Step, check, fill, take_away
from tests.faults.processes import Process
from tests.faults.table import Row
from tests.servers.postgres import Postgres15, missing_postgres15
from tests.steps import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

API = ("api-1", "api-2")
DAY = 24 * 3600
Status = Callable[[], Awaitable[int]]


@dataclass
class Site:
    """The installation, its load, and the machines under it."""

    installation: Installation
    load: Load
    files_disk: Disk
    database_disk: Disk
    clock: Clock
    database_clock: Clock
    machine: OtherMachine

    async def leader(self) -> str:
        """The name of the process that sequences the log now."""
        deadline = time.monotonic() + 30
        while not (held := await self.installation.query(_LEADS, [_LOCK])):
            assert time.monotonic() < deadline, "nobody sequences the log"
            await asyncio.sleep(0.1)
        return "api-2" if held[0][0] is not None else "work"


_LOCK = SEQUENCER & 0xFFFFFFFF
# A lock of 64 bits is shown in halves; only api-2 comes by the network.
_LEADS = (
    "SELECT a.client_addr FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
    " WHERE l.locktype = 'advisory' AND l.granted AND l.objid = %s"
)


@pytest.fixture(scope="module")
def machine() -> Iterator[OtherMachine]:
    """The other machine."""
    if (reason := lacking()) or (reason := "no PostgreSQL 15" * missing_postgres15()):
        pytest.skip(reason)
    with other_machine() as made:
        yield made


@pytest.fixture(scope="module")
async def site(folder: Path, machine: OtherMachine) -> AsyncIterator[Site]:
    """Two instances, of which the second is on the other machine, and a worker."""
    async with AsyncExitStack() as opened:
        clock, database_clock = (movable_clock(folder, name) for name in ("ours", "database"))
        files = opened.enter_context(small_disk(folder / "f", 64))
        data = opened.enter_context(small_disk(folder / "d", 400))
        postgres = Postgres15(
            data.folder,
            settings={"listen_addresses": machine.database_host},
            environment=database_clock.environment,
            network=machine.network,
        )
        postgres.start()
        opened.callback(postgres.stop)
        mailbox, gateway = Mailbox(), SmsGateway()
        await mailbox.start()
        opened.push_async_callback(mailbox.stop)
        gateway.start()
        opened.callback(gateway.stop)
        environment = clock.environment | environment_of(
            files.folder / "home",
            mailbox.port,
            gateway.port,
            DATABASE_URL=postgres.service_url,
            MIGRATIONS_DATABASE_URL=postgres.owner_url,
            blob_store="directory",
            key_provider="local",
        )
        installation = Installation(
            folder / "home", environment, postgres.owner_url, mailbox, gateway
        )
        installation.instance("api-1", {"UNEFOIS_SEQUENCER_IN_PROCESS": "false"})
        installation.instance(
            "api-2",
            {"DATABASE_URL": postgres.service_url_at(machine.database_host, 5432)},
            host=machine.callers_host,
            inside=machine.inside,
        )
        installation.worker("work")
        opened.callback(installation.stop)
        await installation.start()
        load = await populate(installation, people=2)
        yield Site(installation, load, files, data, clock, database_clock, machine)


@pytest.mark.fault(5, "the disk of the sealed files, full")
async def test_full_disk_of_files(site: Site, row: Row) -> None:
    """Deposits are asked to come back; what is there is read as before."""
    seen = await take_away(site.installation, site.load, site.files_disk.fill, site.files_disk.free)
    fill(row, seen)
    row.kept = await nothing_lost(site.installation, site.load)
    check(seen, part="disk", telling=API)
    assert {one.status for one in seen.answers if one.act == "read"} == {"200"}


@pytest.mark.fault(5, "the disk of PostgreSQL, full")
async def test_full_disk_of_postgresql(site: Site, row: Row) -> None:
    """Nothing is acknowledged that could not be written."""
    seen = await take_away(
        site.installation, site.load, site.database_disk.fill, site.database_disk.free
    )
    fill(row, seen)
    row.kept = await nothing_lost(site.installation, site.load)
    check(seen, callers=UNHEARD, part="database", telling=API)


@pytest.mark.fault(9, "the clock of the service's machines, two days ahead and back")
async def test_clock(site: Site, row: Row) -> None:
    """It judges nothing and orders nothing."""
    [vault, *_] = site.load.vaults
    async with _day(site) as (http, day, status):

        async def jump() -> None:
            site.clock.move(2 * DAY)
            assert await status() == 200, "a grant ended by the clock of the service's machine"

        await _clock_jumps(site, row, jump, lambda: site.clock.move(0))
        assert await status() == 200
        log = await http.get("/v1/access-log", params={"limit": 1}, headers=vault.headers)
        newest = log.json()["items"][0]
        assert newest["grant"] == day, "a line from the future heads the person's log"


@pytest.mark.fault(9, "that of PostgreSQL's machine, which judges")
async def test_clock_of_postgresql(site: Site, row: Row) -> None:
    """What it ends while it is wrong is not ended once it is right, and nothing stays put off."""
    async with _day(site) as (_, _, status):

        async def jump() -> None:
            site.database_clock.move(2 * DAY)
            assert await status() in {403, 404, 410}, "a grant outlived the database's clock"

        await _clock_jumps(site, row, jump, lambda: site.database_clock.move(0))
        assert await status() == 200, "a grant ended by a clock that was wrong for seconds"


@asynccontextmanager
async def _day(site: Site) -> AsyncIterator[tuple[httpx.AsyncClient, str, Status]]:
    """A caller, a grant of one day, and what the list under that grant answers."""
    address = site.installation.addresses["api-1"]
    async with httpx.AsyncClient(base_url=address, timeout=30, trust_env=False) as http:
        [vault, *_] = site.load.vaults
        day = await give(http, vault, site.load.worker, "income_tax_notice", "P1D")

        async def status() -> int:
            path = f"/v1/grants/{day}/documents"
            return (await http.get(path, headers=site.load.worker)).status_code

        assert await status() == 200
        yield http, day, status


async def _clock_jumps(site: Site, row: Row, jump: Step, back: Step) -> None:
    seen = await take_away(site.installation, site.load, jump, back)
    fill(row, seen)
    row.kept = await nothing_lost(site.installation, site.load)
    check(seen, callers=())


@pytest.mark.fault(10, "one of two instances, by kill -9")
async def test_instance(site: Site, row: Row) -> None:
    """The other one answers everybody; what the dead one acknowledged is there."""
    process = site.installation.processes["api-1"]

    async def start() -> None:
        process.start()
        await site.installation.until_answering("api-1")

    seen = await take_away(site.installation, site.load, process.kill, start)
    fill(row, seen)
    row.kept = await nothing_lost(site.installation, site.load)
    check(seen, callers=("cut",))
    dead = {one.instance for one in seen.answers if one.status == "cut"}
    assert dead == {"api-1"}


@pytest.mark.fault(11, "the network between an instance (that sequences the log) and PostgreSQL")
async def test_network(site: Site, row: Row) -> None:
    """The instance without its database asks to come back; the other goes on, and sequences."""
    await _let_lead(site, "api-2")
    told = site.installation.processes["work"]
    mark = told.mark()

    async def mend() -> None:
        # PostgreSQL lets the lock go after eight seconds, and a busy machine is slow to ask for it.
        with suppress(AssertionError):
            await until(lambda: _led(told, mark), 20)
        site.machine.mend()

    seen = await take_away(site.installation, site.load, site.machine.cut, mend, seconds=16)
    fill(row, seen)
    row.kept = await nothing_lost(site.installation, site.load)
    row.kept += f"; {_took_over(told, mark)}"
    check(seen, callers=UNHEARD, part="database", telling=("api-2",))
    assert {one.instance for one in seen.answers if one.status == "503"} == {"api-2"}
    assert "took over" in row.kept, "the log waited for a sequencer that was cut off"


@pytest.mark.fault(12, "the sequencer, by kill -9")
async def test_sequencer(site: Site, row: Row) -> None:
    """Another process takes the log over; callers notice nothing of the log."""
    await _let_lead(site, "work")
    process = site.installation.processes["work"]
    heir = site.installation.processes["api-2"]
    mark = heir.mark()
    seen = await take_away(site.installation, site.load, process.kill, process.start)
    fill(row, seen)
    row.kept = await nothing_lost(site.installation, site.load)
    row.kept += f"; {_took_over(heir, mark)}"
    check(seen, callers=())
    assert "took over" in row.kept, "nobody took the log over"


async def _let_lead(site: Site, name: str) -> None:
    """Make this process the one that sequences, by ending the other for a moment."""
    if await site.leader() == name:
        return
    other = site.installation.processes["work" if name == "api-2" else "api-2"]
    await asyncio.to_thread(other.stop)
    deadline = time.monotonic() + 30
    while await site.leader() != name:
        assert time.monotonic() < deadline, f"{name} does not sequence the log"
        await asyncio.sleep(0.1)
    other.start()
    if other.name in site.installation.addresses:
        await site.installation.until_answering(other.name)


def _took_over(process: Process, mark: int) -> str:
    return (
        f"{process.name} took over the log" if _led(process, mark) else "nobody took over the log"
    )


def _led(process: Process, mark: int) -> bool:
    return any(one.get("event") == "sequencer_leads" for one in process.lines(mark))
