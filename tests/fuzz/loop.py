"""Mutated files through the real decoder, until the time or the number of files is reached."""

import asyncio
import contextlib
import logging
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from base.errors import ServiceError
from tests.fuzz import pdf_judge
from tests.fuzz.formats import SEEDS
from tests.fuzz.mutations import mutated
from tests.vault.decoding.inputs import inspected
from vault.decoding.decoder import Decoder
from vault.decoding.media import MediaType

EXPECTED = frozenset(
    {"type_not_allowed", "file_too_large", "file_empty", "does_not_decode", "password_protected"}
    | {"too_many_pages", "too_many_pixels", "too_many_parts", "unusual_image", "pdf_too_detailed"}
)
"""Errors of the decoder that are words for a person; others found in a run are a fault."""


@dataclass
class Tally:
    """What became of the files of one run."""

    taken: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    met: Counter[str] = field(default_factory=Counter)
    """What a child said that it met, by the exception's name."""
    crashed: int = 0
    """Refusals without a word from the child: it died, or took too long."""
    slowest: float = 0
    """Seconds."""
    faults: list[str] = field(default_factory=list)

    @property
    def files(self) -> int:
        return self.taken + sum(self.refused.values())

    def __str__(self) -> str:
        return (
            f"{self.files} files: {self.taken} taken, refused {dict(self.refused)}; children met "
            f"{dict(self.met)}, {self.crashed} died; slowest {self.slowest:.1f} s; "
            f"{len(self.faults)} faults"
        )


class _Listener(logging.Handler):
    """Hears what the sandbox logs about a refusal."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(record.getMessage())


@contextlib.contextmanager
def _listening() -> Iterator[_Listener]:
    logger, listener = logging.getLogger("vault.decoding"), _Listener()
    level = logger.level
    logger.addHandler(listener)
    logger.setLevel(logging.INFO)
    try:
        yield listener
    finally:
        logger.removeHandler(listener)
        logger.setLevel(level)


def descendants(of: int) -> set[int]:
    """The processes below one, ended ones that nobody has reaped left out."""
    parents = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                parents[int(entry.name)] = int(parent)
    found, waiting = set[int](), {of}
    while waiting:
        waiting = {child for child, parent in parents.items() if parent in waiting} - found
        found |= waiting
    return found


async def run(kind: str, seed: int, *, files: int, seconds: float) -> Tally:
    """Stops after that many files or seconds, whichever is first. The same seed gives the same
    files: a fault names the number of its file, and `file_of` makes it again."""
    before = descendants(os.getpid())
    decoder, tally, seeds = Decoder(), Tally(), SEEDS[kind]()
    await decoder.start()
    working = descendants(os.getpid()) - before
    end = time.monotonic() + seconds
    try:
        with _listening() as listener:
            for number in range(files):
                if time.monotonic() > end:
                    break
                await _one(decoder, file_of(kind, seed, number, seeds), listener, tally, number)
        if not await _rests(lambda: descendants(os.getpid()) - before, len(working), decoder):
            tally.faults.append("children are left while the decoder rests")
    finally:
        await decoder.stop()
    left = descendants(os.getpid()) - before
    if left:
        tally.faults.append(f"{len(left)} processes are left")
    return tally


async def _rests(
    living: Callable[[], set[int]], working: int, decoder: Decoder, seconds: float = 5
) -> bool:
    """The last child may still be ending while the next one already waits: a moment is given."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while len(living()) > working + decoder.limits.children:  # noqa: ASYNC110  (rare)
                await asyncio.sleep(0.01)
    return len(living()) <= working + decoder.limits.children


def file_of(kind: str, seed: int, number: int, seeds: list[bytes] | None = None) -> bytes:
    """The file of that number in a run with that seed."""
    return mutated(kind, seeds or SEEDS[kind](), random.Random(f"{kind} {seed} {number}"))


async def _one(
    decoder: Decoder, data: bytes, listener: _Listener, tally: Tally, number: int
) -> None:
    listener.heard.clear()
    start = time.monotonic()
    try:
        inspection, copy = await inspected(decoder, data)
        wrong = pdf_judge.faults(copy) if inspection.rendition is MediaType.PDF else []
    except ServiceError as refusal:
        tally.refused[refusal.code] += 1
        if refusal.code not in EXPECTED:
            tally.faults.append(f"file {number}: {refusal.code}")
        told = [text for text in listener.heard if "refused" in text]
        tally.met.update(text.rpartition("(")[2].rstrip(")") for text in told)
        tally.crashed += refusal.code == "does_not_decode" and not told
    except Exception as error:  # noqa: BLE001  (this is what the loop looks for)
        tally.faults.append(f"file {number}: {error!r}")
    else:
        tally.taken += 1
        tally.faults += [f"file {number}: {fault}" for fault in wrong]
    tally.slowest = max(tally.slowest, time.monotonic() - start)
