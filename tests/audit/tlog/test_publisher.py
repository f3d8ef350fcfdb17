"""What is public: the published tree and nothing beyond, at a fixed pace, never smaller."""

import asyncio
import time
from pathlib import Path

import httpx
import pytest

from audit import verify
from audit.tlog.keys import origin_of
from audit.tlog.publisher import Publisher, published_in
from audit.tlog.tiles import Tile, tiles_of
from audit.tlog.witness import Witness as OurWitness
from audit.tlog.witness_client import WitnessAddress, WitnessClient
from base.settings import Settings
from tests.audit.test_verify import reader
from tests.audit.tlog.logs import ORIGIN, SomeLog, add_events, open_log
from tests.audit.tlog.test_witness_client import served
from web.http.witness import witness_app


@pytest.fixture
def publisher(some_log: SomeLog) -> Publisher:
    """A publisher without witnesses; the test decides when it publishes."""
    return publisher_of(some_log, WitnessClient([], httpx.AsyncClient()))


def publisher_of(some: SomeLog, witnesses: WitnessClient) -> Publisher:
    return Publisher(some.database, some.log.store, some.log.prover, witnesses, 3600)


async def download(some: SomeLog, folder: Path) -> Path:
    """Download everything public, in the served layout."""
    raw = await some.log.store.checkpoint()
    public = published_in(raw)
    assert raw is not None
    assert public is not None
    some.log._public = (float("-inf"), None)  # as after a second's wait
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240  (a test)
    (folder / "checkpoint").write_bytes(raw)
    for tile in tiles_of(public.size):
        data = await some.log.public_tile(tile)
        assert data is not None
        file = folder / tile.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return folder


async def grow(some: SomeLog, count: int) -> None:
    """Add leaves that are signed but not published."""
    with some.owner() as connection:
        ids = add_events(connection, count)
    await some.integrate(ids)


@pytest.mark.parametrize(
    "blobs", ["directory", pytest.param("ceph", marks=pytest.mark.ceph)], indirect=True
)
async def test_the_published_log_verifies_whole(
    some_log: SomeLog, publisher: Publisher, tmp_path: Path
) -> None:
    remembered = None
    for count in (0, 1, 299, 256, 512):
        await grow(some_log, count)
        await publisher.publish()
        fetch = reader(await download(some_log, tmp_path / str(count)))
        now = verify.check_published(fetch, await some_log.log.verifier()).checkpoint
        verify.check_whole(fetch, now, lambda _done, _of: None)
        if remembered is not None:
            verify.check_continues(fetch, now, remembered)
        remembered = now
    assert remembered is not None
    assert remembered.size == 1068


async def test_nothing_beyond_the_published_tree_is_served(
    some_log: SomeLog, publisher: Publisher
) -> None:
    await grow(some_log, 10)
    await publisher.publish()
    await grow(some_log, 600)
    log = some_log.log
    assert await log.public_tile(Tile(0, 0, 10)) is not None
    for level in (0, -1):
        assert await log.public_tile(Tile(level, 0)) is None
        assert await log.public_tile(Tile(level, 2, 610 - 512)) is None
    # Even once covered, nothing shows the sizes that the tree had in between.
    with some_log.owner() as connection:
        await some_log.integrate(add_events(connection, 1))
    await publisher.publish()
    log._public = (float("-inf"), None)
    assert await log.public_tile(Tile(0, 2, 611 - 512)) is not None
    assert await log.public_tile(Tile(0, 2, 610 - 512)) is None


async def test_what_is_public_never_shrinks(some_log: SomeLog, publisher: Publisher) -> None:
    await grow(some_log, 5)
    older = await some_log.log.store.checkpoint()
    assert older is None
    slow = publisher_of(some_log, WitnessClient([], httpx.AsyncClient()))
    cosigned = slow._cosigned
    waiting, go_on = asyncio.Event(), asyncio.Event()

    async def held(signed: object) -> object:
        note = await cosigned(signed)  # type: ignore[arg-type]  # as it was given
        waiting.set()
        await go_on.wait()
        return note

    slow._cosigned = held  # type: ignore[method-assign, assignment]
    late = asyncio.create_task(slow.publish())
    await waiting.wait()
    await grow(some_log, 5)
    await publisher.publish()
    go_on.set()
    await late
    public = published_in(await some_log.log.store.checkpoint())
    assert public is not None
    assert public.size == 10


async def test_it_advances_at_its_cadence_whatever_happens(
    some_log: SomeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Publishes at the multiples of the cadence, and at no other time."""
    settings = some_log.settings.model_copy(update={"log_cadence_seconds": 1})
    monkeypatch.setattr(some_log.log, "_settings", settings)
    seen: dict[int, float] = {}
    async with some_log.sequencing():
        limit = time.time() + 8
        with some_log.owner() as connection:
            while len(seen) < 4 and time.time() < limit:
                add_events(connection, 1)
                public = published_in(await some_log.log.store.checkpoint())
                if public is not None:
                    seen.setdefault(public.size, time.time() % 1)
                await asyncio.sleep(0.01)
    assert len(seen) >= 4
    first, *later = seen
    assert first == 0, "the empty tree is published at once"
    assert all(seen[size] < 0.6 for size in later)


async def test_witnesses_cosign_what_is_published_and_those_that_do_not_are_named(
    some_log: SomeLog, keyring_file: Path, tmp_path: Path
) -> None:
    await grow(some_log, 300)
    log = await some_log.log.verifier()
    good = OurWitness(tmp_path / "w", "good", log, ORIGIN)
    away = OurWitness(tmp_path / "a", "away", log, ORIGIN)
    async with served(witness_app(good)) as url, httpx.AsyncClient(trust_env=False) as client:
        there = WitnessAddress(good.verifier, url)
        nobody = WitnessAddress(away.verifier, "http://127.0.0.1:9")
        settings = {
            "log_witnesses": f"{good.verifier.vkey}@{url} {away.verifier.vkey}@http://127.0.0.1:9",
            "log_witnesses_needed": 2,
        }
        async with open_log(some_log.addresses, keyring_file, some_log.blobs, **settings) as strict:
            asking = publisher_of(some_log, WitnessClient([there, nobody], client))
            await asking.publish()
            assert await strict.log.degraded() == ["log_witness:away", "log_witnesses"]
            await asking.publish()  # the cosignature already given for this tree is kept
            raw = await _publish_with_other(some_log, client, there, away)
            public = verify.check_published(lambda _: raw, log, strict.log.policy)
            assert sorted(public.verified.witnesses) == ["away", "good"]


async def _publish_with_other(
    some: SomeLog, client: httpx.AsyncClient, there: WitnessAddress, away: OurWitness
) -> bytes:
    """Publish when the other witness is back and the first one is away."""
    async with served(witness_app(away)) as url:
        gone = WitnessAddress(there.verifier, "http://127.0.0.1:9")
        back = WitnessAddress(away.verifier, url)
        await publisher_of(some, WitnessClient([gone, back], client)).publish()
    raw = await some.log.store.checkpoint()
    assert raw is not None
    return raw


async def test_a_log_keeps_its_name(some_log: SomeLog, keyring_file: Path) -> None:
    await some_log.log.verifier()
    async with open_log(
        some_log.addresses, keyring_file, some_log.blobs, log_origin="other.test/log"
    ) as renamed:
        with pytest.raises(ValueError, match="keeps its name"):
            await renamed.log.keys.check()
        with pytest.raises(ValueError, match="keeps its name"):
            await renamed.log.keys.signer()


def test_the_cadence_and_the_name_have_defaults() -> None:
    assert Settings(mode="demo").log_cadence == 1
    served_at = Settings(
        mode="production",
        public_url="https://coffre.example",
        sms_gateway_url="https://sms.example",
        operator_email="equipe@coffre.example",
        trusted_proxies="10.0.0.2",
    )
    assert served_at.log_cadence == 600
    assert origin_of(served_at) == "coffre.example/log"
