"""How much memory a process keeps after its threads have used and freed it."""

import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent.parent

_THREADS = """
import sys, threading
from pathlib import Path
from base import memory

if sys.argv[1] == "limited":
    assert memory.limit_heap()

def held():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) // 1024

def pass_through(together):
    pieces = []
    for size in (1_000, 100_000, 1_000_000) * 40:
        pieces.append(bytearray(size))
        if len(pieces) > 9:
            del pieces[:9]
    together.wait()

before = held()
together = threading.Barrier(21)
threads = [threading.Thread(target=pass_through, args=(together,)) for _ in range(20)]
for thread in threads:
    thread.start()
together.wait()
for thread in threads:
    thread.join()
print(held() - before)
"""


def _kept(how: str) -> int:
    """MiB still held after twenty threads have each used and freed about 40 MB."""
    done = subprocess.run(
        [sys.executable, "-c", _THREADS, how],
        cwd=_ROOT, capture_output=True, check=True, text=True, timeout=60,
    )  # fmt: skip
    return int(done.stdout)


def test_threads_leave_little_behind() -> None:
    limited, unlimited = _kept("limited"), _kept("unlimited")
    assert limited < 10
    assert limited < unlimited
