"""A compromised child gains no access and does not stop the service."""

import asyncio
import contextlib
import gc
import math
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from base.errors import ServiceError
from tests.vault.decoding import corpus, hostile_pdfs
from tests.vault.decoding.inputs import ACCOUNT, inspected, source
from tests.vault.decoding.sandboxes import SMALL, hostile_sandbox, loaded, run, until, zygote
from vault.decoding.confine import Protection
from vault.decoding.decoder import Decoder
from vault.decoding.media import Limits, Undecodable
from vault.decoding.sandbox import Job, Sandbox

SAME = {"parts": [["image/jpeg", 1, 1, 1]], "rendition": "same", "notes": []}
REFUSALS = {"Operation not permitted", "Too many open files", "Permission denied"}


async def test_every_protection_is_seen_to_hold(decoder: Decoder) -> None:
    expected = set(Protection)
    if os.geteuid() != 0:
        expected -= {Protection.OWN_NETWORK}  # a host may forbid user namespaces
    assert expected <= decoder.protections


async def test_no_http_client_is_loaded_with_the_decoders(decoder: Decoder) -> None:
    """pyhanko loads one at once, with a parser of answers in C."""
    libraries = loaded(zygote(decoder._sandbox))
    assert "zxingcpp" in libraries
    assert "aiohttp" not in libraries


@pytest.mark.parametrize(
    "what",
    [
        "read a file",
        "write a file",
        "open a socket",
        "open a local socket",
        "start a program",
        "fork",
        "signal the parent",
        "become root",
        "read the environment",
        "make a memory file",
        "raise its limits",
        "look at a process",
        "remove a file",
    ],
)
async def test_a_child_taken_over_can_do_nothing(what: str, hostile: Sandbox) -> None:
    answer = await run(hostile, "attempt", what=what)
    assert answer["outcome"] in REFUSALS


@pytest.fixture(scope="module")
async def hostile() -> AsyncIterator[Sandbox]:
    async with hostile_sandbox() as sandbox:
        yield sandbox


@pytest.mark.parametrize(
    ("job", "code", "min_seconds", "max_seconds"),
    [
        ("spin", "too_dear", 0.8, 2.9),
        ("sleep", "too_dear", 2.8, 6),
        ("allocate", "does_not_decode", 0, 2.5),
        ("allocate_below_python", "does_not_decode", 0, 2.5),
        ("crash", "does_not_decode", 0, 2),
    ],
)
async def test_spinning_hanging_swelling_and_crashing_are_ended(
    job: str, code: str, min_seconds: float, max_seconds: float, hostile: Sandbox
) -> None:
    begun = time.monotonic()
    with pytest.raises(Undecodable) as refused:
        await run(hostile, job)
    assert refused.value.code == code
    assert min_seconds <= time.monotonic() - begun < max_seconds
    assert (await run(hostile, "echo", b"abc"))["echo"] == [3]


async def test_no_child_outlives_its_job(hostile: Sandbox) -> None:
    with pytest.raises(Undecodable):
        await run(hostile, "sleep")
    await until(hostile, busy=False)


async def test_a_cancelled_job_ends_its_child(hostile: Sandbox) -> None:
    task = asyncio.create_task(run(hostile, "sleep"))
    await until(hostile, busy=True)
    task.cancel()
    async with asyncio.timeout(2):
        with pytest.raises(asyncio.CancelledError):
            await task
    await until(hostile, busy=False)
    assert (await run(hostile, "echo", b"abcd"))["echo"] == [4]


async def test_a_job_cancelled_before_its_child_is_born_leaves_none(hostile: Sandbox) -> None:
    assert (await run(hostile, "echo", b"abc"))["echo"] == [3]
    for _ in range(5):
        task = asyncio.create_task(run(hostile, "sleep"))
        await asyncio.sleep(0)  # the order is sent, and no answer can have come yet
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    # Orders are executed one after the other: all the earlier ones have been by now.
    assert (await run(hostile, "echo", b"abcd"))["echo"] == [4]
    await until(hostile, busy=False)


async def test_a_zygote_killed_between_jobs_is_replaced() -> None:
    async with hostile_sandbox() as sandbox:
        before = zygote(sandbox)
        os.kill(before, signal.SIGKILL)
        pool = sandbox._pool
        while pool is not None and pool.alive:  # noqa: ASYNC110  (its socket closes when it ends)
            await asyncio.sleep(0.001)
        assert (await run(sandbox, "echo", b"abc"))["echo"] == [3]
        assert zygote(sandbox) != before


async def test_a_zygote_killed_during_a_job_costs_a_retry_not_a_refusal(decoder: Decoder) -> None:
    photo = corpus.noisy_jpeg(3_000_000)
    task = asyncio.create_task(inspected(decoder, photo))
    sandbox = decoder._sandbox
    parent = zygote(sandbox)
    await until(sandbox, busy=True)
    os.kill(parent, signal.SIGKILL)
    inspection, _ = await task
    assert inspection.rendition == "image/jpeg"


async def test_the_zygote_ends_with_the_service() -> None:
    program = (
        "import asyncio, sys\n"
        f"sys.path[:] = {sys.path!r}\n"
        "from vault.decoding.decoder import Decoder\n"
        "async def main():\n"
        "    decoder = Decoder()\n"
        "    await decoder.start()\n"
        "    print(decoder._sandbox._process.pid, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    service = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE
    )
    assert service.stdout is not None
    zygote = int(await service.stdout.readline())
    service.kill()
    await service.wait()
    for _ in range(500):
        if not (Path("/proc") / str(zygote)).exists():
            return
        await asyncio.sleep(0.01)
    pytest.fail("the zygote is still there")


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"parts": [["image/jpeg", 1, 1, 1]], "rendition": "text/html", "notes": []},
        {"parts": [["image/jpeg", 1, 1, 1]], "rendition": "image/jpeg", "notes": []},
        {"parts": [["image/jpeg", 1, 1, 1]], "rendition": "same", "notes": ["<b>"]},
        {"parts": [], "rendition": "same", "notes": []},
        {"parts": [[]], "rendition": "same", "notes": []},
        {**SAME, "lengths": [1 << 40, 0]},
        {**SAME, "lengths": [-1, 0]},
        {**SAME, "lengths": [0, 20]},
        {**SAME, "lengths": [0, 400 * 1024]},
        {**SAME, "lengths": ["0", 0]},
        {**SAME, "lengths": [0]},
        {**SAME, "lengths": [0, 0], "carries": ["x" * 201]},
        {**SAME, "lengths": [0, 0], "carries": "active"},
        {**SAME, "lengths": [0, 0], "signatures": 1},
        {**SAME, "lengths": [0, 0], "signatures": [[None, None, "fine"]]},
        {**SAME, "lengths": [0, 0], "signatures": [[None, 1, "whole"]]},
        {**SAME, "lengths": [0, 0], "signatures": [[None, "0001-01-01T00:00:00+14:00", "whole"]]},
        {**SAME, "lengths": [0, 0], "parts": [["image/jpeg", 1, math.inf, 1]]},
        {**SAME, "lengths": [0, 0], "parts": [["image/jpeg", 1, 1, 1 << 70]]},
        {**SAME, "lengths": [0, 0], "parts": [["image/jpeg", -1, 1, 1]]},
        {"refused": "a_word", "values": {"part": math.inf}},
        {"refused": "does_not_decode", "values": {"code": 1}},
        {"refused": "a paper of Mme Durand\n", "values": {}},
    ],
)
async def test_a_child_that_lies_is_not_believed(
    answer: dict[str, object], hostile: Sandbox
) -> None:
    decoder = Decoder(SMALL)
    decoder._sandbox = _Lying(hostile, answer)  # type: ignore[assignment]  # wraps the real one
    with pytest.raises(ServiceError) as refused:
        await decoder.inspect([source(corpus.plain_jpeg())], account=ACCOUNT)
    assert refused.value.code == "does_not_decode"


class _Lying:
    """The real sandbox, each order replaced by one to give a false answer."""

    def __init__(self, real: Sandbox, answer: dict[str, object]) -> None:
        self._real, self._answer, self.slot = real, answer, real.slot

    @contextlib.asynccontextmanager
    async def job(self) -> AsyncIterator[Job]:
        async with self._real.job() as job:
            run = job.run
            lie = {"job": "lie", "answer": self._answer, "lengths": []}
            job.run = lambda *_: run(lie)  # type: ignore[method-assign]
            yield job


async def test_too_many_waiting_are_told_to_come_back() -> None:
    async with hostile_sandbox(
        Limits(children=1, waiting=1, wall_seconds=3, output_bytes=1)
    ) as sandbox:
        async with sandbox.slot(ACCOUNT, 1):
            waiting = asyncio.create_task(_in_slot(sandbox))
            await asyncio.sleep(0)
            with pytest.raises(ServiceError) as refused:
                await _in_slot(sandbox)
            assert (refused.value.code, refused.value.retry_after) == ("decoder_busy", 5)
        await waiting


async def _in_slot(sandbox: Sandbox) -> None:
    async with sandbox.slot(ACCOUNT, 1):
        pass


# --- the service's own process ---


def _resident() -> int:
    """Private memory of this process in bytes, without shared memory files."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))


async def test_twenty_photos_at_once_stay_out_of_the_service_memory(decoder: Decoder) -> None:
    photo = corpus.noisy_jpeg(5 * 1024 * 1024)
    await inspected(decoder, photo)
    gc.collect()
    before, peak = _resident(), 0

    async def inspect_one() -> None:
        nonlocal peak
        async with await decoder.inspect([source(photo)], account=uuid4()) as decoded:
            async for _ in decoded.rendition():
                peak = max(peak, _resident())

    await asyncio.gather(*(inspect_one() for _ in range(20)))
    print(f"grown by {(peak - before) / 2**20:.1f} MiB")
    assert peak - before < 16 * 2**20


_opened: list[str] | None = None


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if _opened is None or event != "open":
        return
    path, _, flags = arguments
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND
    if isinstance(path, (str, bytes)) and isinstance(flags, int) and flags & writing:
        _opened.append(str(path))


sys.addaudithook(_watch)


async def test_the_service_opens_no_file_for_writing(decoder: Decoder) -> None:
    global _opened  # noqa: PLW0603  (an audit hook cannot be removed)
    _opened = []
    try:
        for data in (corpus.phone_jpeg(), corpus.heic(), hostile_pdfs.active_pdf("launch")):
            await inspected(decoder, data)
            await decoder.preview(source(data), account=ACCOUNT)
        assert _opened == []
        open(os.devnull, "w").close()  # noqa: PTH123, ASYNC230  (what the hook detects)
        assert _opened == [os.devnull]
    finally:
        _opened = None


async def _descriptors() -> int:
    """How many are open, once their number has not changed for half a second: children end, and
    others are made ready, while nobody waits for them."""
    count = same = 0
    while same < 10:
        await asyncio.sleep(0.05)
        now = _open()
        count, same = now, same + 1 if now == count else 0
    return count


def _open() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_no_descriptor_is_left_open(decoder: Decoder) -> None:
    await inspected(decoder, corpus.plain_jpeg())
    before = await _descriptors()
    for data in (corpus.phone_jpeg(), corpus.plain_jpeg()[:-50], b"text", corpus.pdf()):
        with contextlib.suppress(ServiceError):
            await inspected(decoder, data)
        with contextlib.suppress(ServiceError):
            await decoder.preview(source(data), account=ACCOUNT)
    assert await _descriptors() == before
