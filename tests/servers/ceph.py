"""A throwaway one-node Ceph with its S3 gateway: one monitor, one store in memory, one radosgw."""

import http.client
import secrets
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.ports import free_ports

DEADLINE = 60.0
"""Seconds that each step of the start may take before it fails."""

NEEDED = ("ceph", "ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "monmaptool")

# Daemons trust each other (no cephx) and listen on loopback only; the S3 side checks signatures.
# No admin socket: its path must fit in 107 bytes, and a test's folder is often too long.
CONFIGURATION = {
    "public addr": "127.0.0.1",
    "cluster addr": "127.0.0.1",
    "ms bind ipv4": "true",
    "auth cluster required": "none",
    "auth service required": "none",
    "auth client required": "none",
    "ms mon client mode": "crc",
    "admin socket": "",
    # one disk, one copy, no check of how full the machine is
    "osd pool default size": "1",
    "osd pool default min size": "1",
    "osd pool default pg num": "1",
    "osd pool default pgp num": "1",
    "osd crush chooseleaf type": "0",
    "mon allow pool size one": "true",
    "mon data avail crit": "1",
    "mon data avail warn": "2",
    "osd objectstore": "memstore",
    "memstore device bytes": str(4 << 30),
    "osd max object name len": "1024",
    # elections and map changes would otherwise be paced for a data centre
    "paxos propose interval": "0.02",
    "paxos min wait": "0.01",
    "rgw dynamic resharding": "false",
    "rgw enable usage log": "false",
}


@dataclass(frozen=True)
class Ceph:
    """A running gateway and the keys of its one user; `stop()` ends the processes it started."""

    endpoint_url: str
    access_key: str
    secret_key: str = field(repr=False)
    processes: tuple[subprocess.Popen[bytes], ...] = field(repr=False)

    def stop(self) -> None:
        """Kill the daemons: there is nothing to save, and an orderly end takes seconds."""
        _kill(self.processes)


def missing() -> list[str]:
    """The programs of NEEDED that this machine lacks."""
    return [program for program in NEEDED if shutil.which(program) is None]


def start_ceph(directory: Path) -> Ceph:
    """Start everything under `directory` and return once S3 requests are answered (about 1.5 s).

    Call it from the main thread: the daemons end with the thread that started them, so that
    killed tests leave none behind. Raises `RuntimeError` with the end of the log of the failure.
    """
    node = _Node(directory)
    try:
        node.start()
    except BaseException:
        _kill(node.processes)
        raise
    return Ceph(
        f"http://127.0.0.1:{node.port}", node.access_key, node.secret_key, tuple(node.processes)
    )


class _Node:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port, self.monitor_port = free_ports(2)
        self.cluster = str(uuid.uuid4())
        self.access_key = secrets.token_hex(10)
        self.secret_key = secrets.token_hex(20)
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        for name in ("mon", "osd", "log"):
            (self.directory / name).mkdir(parents=True, exist_ok=True)
        self._write_configuration()
        self._start_monitor()
        self._start_store()
        self._daemon("radosgw", "-n", "client.rgw.a")
        self._run(
            *("radosgw-admin", "user", "create", "--uid=tests", "--display-name=tests"),
            *(f"--access-key={self.access_key}", f"--secret={self.secret_key}"),
        )
        self._until(self._answers)

    def _write_configuration(self) -> None:
        here = {
            "fsid": self.cluster,
            "mon host": f"v2:127.0.0.1:{self.monitor_port}",
            "mon data": str(self.directory / "mon"),
            "osd data": str(self.directory / "osd"),
            "run dir": str(self.directory),
            "crash dir": str(self.directory),
            "keyring": str(self.directory / "keyring"),
            "log file": str(self.directory / "log" / "$name.log"),
            "rgw frontends": f"beast endpoint=127.0.0.1:{self.port} tcp_nodelay=1",
        }
        lines = [f"{name} = {value}\n" for name, value in (here | CONFIGURATION).items()]
        (self.directory / "keyring").touch()
        (self.directory / "ceph.conf").write_text("[global]\n" + "".join(lines))

    def _start_monitor(self) -> None:
        monmap = str(self.directory / "monmap")
        address = f"[v2:127.0.0.1:{self.monitor_port}]"
        self._run("monmaptool", "--create", "--fsid", self.cluster, "--addv", "a", address, monmap)
        self._run("ceph-mon", "-i", "a", "--mkfs", "--monmap", monmap)
        self._daemon("ceph-mon", "-i", "a")

    def _start_store(self) -> None:
        identity = str(uuid.uuid4())
        self._run("ceph", "--connect-timeout", "30", "osd", "new", identity, "0")
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", identity)
        self._daemon("ceph-osd", "-i", "0")
        # A gateway that makes its pools before the store is up waits five seconds to ask again.
        self._until(lambda: b"1 up" in self._ask("ceph", "osd", "stat"))

    def _answers(self) -> bool:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)) as client:
            try:
                client.request("GET", "/")
                client.getresponse().read()
            except (OSError, http.client.HTTPException):
                return False
            return True

    def _until(self, ready: Callable[[], bool]) -> None:
        limit = time.monotonic() + DEADLINE
        while not ready():
            if any(process.poll() is not None for process in self.processes):
                raise RuntimeError(f"a Ceph daemon ended early:\n{self._log_end()}")
            if time.monotonic() > limit:
                raise RuntimeError(f"Ceph is not ready in {DEADLINE} s:\n{self._log_end()}")
            time.sleep(0.02)

    def _ask(self, program: str, *arguments: str) -> bytes:
        return subprocess.run(
            self._command(program, *arguments),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=DEADLINE,
            check=False,
        ).stdout

    def _command(self, program: str, *arguments: str) -> list[str]:
        configured = [program, *arguments]
        if program != "monmaptool":
            configured[1:1] = ["-c", str(self.directory / "ceph.conf")]
        return configured

    def _run(self, program: str, *arguments: str) -> None:
        with self._output(program) as output:
            done = subprocess.run(
                self._command(program, *arguments),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=DEADLINE,
                check=False,
            )
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed:\n{self._log_end()}")

    def _daemon(self, program: str, *arguments: str) -> None:
        follow = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        with self._output(program) as output:
            self.processes.append(
                subprocess.Popen(
                    [*follow, *self._command(program, *arguments, "-f")],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                )
            )

    @contextmanager
    def _output(self, program: str) -> Iterator[int]:
        with (self.directory / "log" / f"{program}.out").open("ab") as output:
            yield output.fileno()

    def _log_end(self) -> str:
        outputs = sorted((self.directory / "log").glob("*.out"), key=lambda p: p.stat().st_mtime)
        return "\n".join(p.read_text(errors="replace")[-800:] for p in outputs[-2:])


def _kill(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.kill()
    for process in processes:
        process.wait()
