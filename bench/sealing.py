"""How fast the sealed-file format is, beside the bare cipher in the same run, on one thread."""

import json
import time
from collections.abc import Callable

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage.buffers import Buffers
from storage.floe import SEGMENT_LENGTH, Decryptor, Encryptor, Layout

TOTAL = 32 * 1024 * 1024
SLICE = 64 * 1024
ROUNDS = 100
TARGET = 0.85

KEY = bytes(range(32))
AAD = b"unefois/bench"
IV = bytes(12)
PAYLOAD = Layout.of_plaintext(TOTAL).payload
PASSES = TOTAL // PAYLOAD

_plaintext = memoryview(bytearray(SEGMENT_LENGTH))
_ciphertext = memoryview(bytearray(SEGMENT_LENGTH + 16))
_cipher = AESGCM(KEY)


def bare_seal() -> None:
    """The floor of sealing: the same bytes through one reused 256 KiB buffer, no format."""
    for _ in range(TOTAL // SEGMENT_LENGTH):
        _cipher.encrypt_into(IV, _plaintext, AAD, _ciphertext)


def bare_open() -> None:
    """The floor of opening, on what `bare_seal` left."""
    for _ in range(TOTAL // SEGMENT_LENGTH):
        _cipher.decrypt_into(IV, _ciphertext, AAD, _plaintext)


def _seal(chunk: memoryview) -> None:
    sealer = Encryptor(KEY, AAD)
    for _ in range(TOTAL // len(chunk)):
        for _piece in sealer.update(chunk):
            pass
    sealer.finish()


def seal_segments() -> None:
    """A caller that has whole segments: nothing is copied."""
    _seal(_plaintext[:PAYLOAD])


def seal_slices() -> None:
    """A caller that reads from a network: 64 KiB at a time, gathered into segments."""
    _seal(_plaintext[:SLICE])


def copy_and_bare_seal() -> None:
    """The least time of `seal_slices`: the bare cipher, and each slice copied once."""
    gathered = memoryview(bytearray(SEGMENT_LENGTH))
    source = _plaintext[:SLICE]
    for _ in range(TOTAL // SEGMENT_LENGTH):
        for start in range(0, SEGMENT_LENGTH, SLICE):
            gathered[start : start + SLICE] = source
        _cipher.encrypt_into(IV, gathered, AAD, _ciphertext)


class OpenSlices:
    """Opens one inner segment again and again, in a reused buffer, and reads slices of 64 KiB.

    The same segment at the same index, so that fetching ciphertext is not measured; all else is as
    in a download: one buffer per segment, one view per slice.
    """

    def __init__(self) -> None:
        sealer = Encryptor(KEY, AAD)
        self._segment = bytes(next(sealer.update(_plaintext[:PAYLOAD])))
        self._opener = Decryptor(KEY, AAD, sealer.header, plaintext_length=TOTAL)
        self._buffers = Buffers(SEGMENT_LENGTH)

    def __call__(self) -> None:
        for _ in range(PASSES):
            with self._buffers.borrow() as into:
                view = self._opener.open_segment(0, self._segment, into)
                for start in range(0, PAYLOAD, SLICE):
                    view[start : start + SLICE].release()
                view.release()


def _seconds(attempt: Callable[[], None]) -> float:
    began = time.perf_counter()
    attempt()
    return time.perf_counter() - began


def measure() -> list[dict[str, object]]:
    """Rows of the bench table, in MiB/s: the best of many short rounds, ours and floor alternately.

    Short, so that each finds a moment when nothing else runs on the machine.
    """
    open_slices = OpenSlices()
    pairs: list[tuple[str, Callable[[], None], Callable[[], None]]] = [
        ("sealing, whole segments, MiB/s", seal_segments, bare_seal),
        ("sealing, 64 KiB slices, MiB/s", seal_slices, bare_seal),
        ("sealing, 64 KiB slices, beside one copy, MiB/s", seal_slices, copy_and_bare_seal),
        ("opening, 64 KiB slices, MiB/s", open_slices, bare_open),
    ]
    bare_seal()
    attempts = dict.fromkeys(attempt for _, ours, floor in pairs for attempt in (floor, ours))
    best: dict[Callable[[], None], float] = {}
    for _ in range(ROUNDS):
        for attempt in attempts:
            # Opening needs what sealing leaves in the shared buffer: `bare_seal` comes first.
            if attempt is bare_open:
                bare_seal()
            best[attempt] = min(_seconds(attempt), best.get(attempt, float("inf")))
    return [_row(name, best[ours], best[floor]) for name, ours, floor in pairs]


def _row(name: str, ours: float, floor: float) -> dict[str, object]:
    mebibytes = TOTAL / 2**20
    ratio = floor / ours
    return {
        "name": name,
        "value": round(mebibytes / ours),
        "floor": round(mebibytes / floor),
        "ratio": round(ratio, 3),
        "target": TARGET,
        "met": ratio >= TARGET,
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
