"""A real clamd on loopback whose only signature is one of our own."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

NEEDED = "clamd"
PATTERN = b"EICAR-LIKE-TEXT-OF-OUR-OWN-TESTS"
_DEADLINE = 60.0


def missing_clamd() -> bool:
    """Whether apt's `clamav-daemon` is not installed."""
    return shutil.which(NEEDED) is None


@contextlib.contextmanager
def clamd(directory: Path) -> Iterator[str]:
    """The address of a running clamd, `host:port`, for the length of the block."""
    base = directory / "signatures"
    base.mkdir()
    # Name:any target:any offset:the bytes (ClamAV's extended signature format).
    (base / "ours.ndb").write_text(f"Ours.Test:0:*:{PATTERN.hex()}\n")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    configuration = directory / "clamd.conf"
    lines = [
        f"DatabaseDirectory {base}",
        f"TCPSocket {port}",
        "TCPAddr 127.0.0.1",
        "Foreground yes",
        f"TemporaryDirectory {directory}",
        "StreamMaxLength 100M",
    ]
    if os.geteuid() == 0:
        lines.append("User root")
    configuration.write_text("\n".join(lines) + "\n")
    process = subprocess.Popen(
        [NEEDED, "-c", str(configuration)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(process, port)
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _wait(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + _DEADLINE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"clamd ended with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as up:
            up.sendall(b"zPING\0")
            if up.recv(16).startswith(b"PONG"):
                return
        time.sleep(0.02)
    raise RuntimeError("clamd does not answer")
