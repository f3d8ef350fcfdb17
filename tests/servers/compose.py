"""The services of `docker-compose.yml`, started by hand from it with the distribution's parts.

`docker-compose config` resolves the file as compose would. What containers would give is replaced
in one function, `Machine.here`: names of services, the address of the proxy, folders of volumes,
ports. Everything else (commands, variables, health checks, mounted files) is the file's.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from base.processes import Account, make_traversable, named_account, run
from tests.servers.ports import free_ports

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "Dockerfile"
POSTGRES = Path("/usr/lib/postgresql/15/bin")
LIMIT = 90.0

Json = dict[str, Any]


def missing() -> list[str]:
    """The programs, beside PostgreSQL and those of other servers, that this machine lacks."""
    return [name for name in ("docker-compose", "caddy", "curl") if shutil.which(name) is None]


def resolve(environment: Mapping[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    """`docker-compose config`, with these variables and no other."""
    return subprocess.run(
        ["docker-compose", "-f", str(COMPOSE), "config", *options],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def services_of(environment: Mapping[str, str]) -> dict[str, Json]:
    """Each service of the file, its variables resolved."""
    done = resolve(environment)
    assert done.returncode == 0, done.stderr
    services: dict[str, Json] = yaml.safe_load(done.stdout)["services"]
    return services


def environment_of_the_image() -> dict[str, str]:
    """The variables that the Dockerfile gives to every container of ours."""
    lines = re.findall(r"^ENV (.+)$", DOCKERFILE.read_text(), re.MULTILINE)
    pairs = [pair.partition("=") for line in lines for pair in line.split()]
    return {name: value for name, _, value in pairs if name.startswith("UNEFOIS_")}


@dataclass
class Machine:
    """This machine in the place of the containers' network.

    `reached`: what is written in the file, and what it is here. `folder`: volumes and logs.
    `trusted`: a file of certificates that our processes trust, as they would a public authority.
    """

    folder: Path
    services: dict[str, Json]
    trusted: Path
    reached: dict[str, str] = field(default_factory=dict)
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    ports: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        public, api, jobs = map(str, free_ports(3))
        keys = self.folder / "keys"
        keys.mkdir(mode=0o700)
        self.ports["api"] = {"8000": public, "9000": api}
        self.ports["jobs"] = {"9000": jobs}
        proxy = self.services["caddy"]["networks"]["edge"]["ipv4_address"]
        self.reached |= {
            "/var/lib/unefois": str(keys),
            "api:8000": f"127.0.0.1:{public}",
            "0.0.0.0": "127.0.0.1",  # noqa: S104  (what is replaced)
            proxy: "127.0.0.1",
        }

    def here(self, service: str, value: str) -> str:
        """A value of the file as it is on this machine: the only place where they differ."""
        for written, real in self.reached.items():
            value = value.replace(written, real)
        for written, real in self.ports.get(service, {}).items():
            value = real if value == written else value.replace(f":{written}/", f":{real}/")
        return value

    def environment(self, service: str) -> dict[str, str]:
        """The variables of a container of ours."""
        given = environment_of_the_image() | self.services[service]["environment"]
        values = {name: self.here(service, value) for name, value in given.items()}
        return {"PATH": os.environ["PATH"], "SSL_CERT_FILE": str(self.trusted), **values}

    def run(self, service: str, *arguments: str) -> str:
        """`docker compose run --rm SERVICE ARGUMENTS`; those of the file when there are none."""
        done = subprocess.run(
            [*_unefois(), *(arguments or self.services[service]["command"])],
            cwd=ROOT,
            env=self.environment(service),
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, service: str) -> None:
        """Start a service of ours in the background."""
        command = [*_unefois(), *self.services[service]["command"]]
        self._start(service, command, self.environment(service))

    def start_caddy(self, http_port: int) -> None:
        """The real Caddy, with the Caddyfile that the file mounts. Its image's command."""
        caddy = self.services["caddy"]
        file = _mounted(caddy, "/etc/caddy/Caddyfile")
        values = {name: self.here("caddy", value) for name, value in caddy["environment"].items()}
        data = {name: str(self.folder / name) for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME")}
        command = ["caddy", "run", "--config", str(file), "--adapter", "caddyfile"]
        plain = {"PROXY_HTTP_PORT": str(http_port), "PATH": os.environ["PATH"]}
        self._start("caddy", command, values | data | plain)

    def _start(self, service: str, command: list[str], environment: dict[str, str]) -> None:
        with (self.folder / f"{service}.log").open("ab") as output:
            self.running[service] = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def log(self, service: str) -> str:
        """What a service wrote."""
        return (self.folder / f"{service}.log").read_text()

    def is_healthy(self, service: str) -> bool:
        """The health check of the file, run as the command that it is."""
        test = self.services[service]["healthcheck"]["test"]
        assert test[0] == "CMD"
        command = [self.here(service, word) for word in test[1:]]
        if command[0] == "python":
            command[0] = sys.executable
        path = f"{POSTGRES}:{os.environ['PATH']}"
        environment = {"PATH": path, "PGPORT": self.reached.get("pgport", "")}
        done = subprocess.run(command, env=environment, capture_output=True, check=False)
        return done.returncode == 0

    def wait_for(self, *services: str) -> None:
        """As `condition: service_healthy` waits."""
        for service in services:
            limit = time.monotonic() + LIMIT
            while not self.is_healthy(service):
                process = self.running.get(service)
                assert process is None or process.poll() is None, self.log(service)
                assert time.monotonic() < limit, f"{service} does not become healthy"
                time.sleep(0.2)

    def stop(self) -> dict[str, int]:
        """Stop what runs, last started first; how each ended."""
        ended = {}
        for service, process in reversed(self.running.items()):
            process.send_signal(signal.SIGTERM)
            try:
                ended[service] = process.wait(LIMIT)
            except subprocess.TimeoutExpired:
                process.kill()
                ended[service] = process.wait()
        self.running.clear()
        return ended


@contextlib.contextmanager
def postgres(machine: Machine) -> Iterator[None]:
    """The distribution's PostgreSQL, prepared as the image prepares it: a superuser with a
    password, then the shipped script of roles, through the socket and trusted there."""
    service = machine.services["postgres"]
    given: dict[str, str] = service["environment"]
    data, account = _data_folder(machine.folder), _postgres_account()

    def program(name: str, *arguments: str) -> None:
        run(POSTGRES / name, *arguments, account=account, stdin="", limit=120)

    password = data.parent / "superuser"
    password.write_text(given["POSTGRES_PASSWORD"])
    password.chmod(0o644)
    kinds = ["--auth-local=trust", "--auth-host=scram-sha-256", "--encoding=UTF8"]
    program("initdb", *kinds, "--username=postgres", f"--pwfile={password}", "-D", str(data))
    (port,) = free_ports(1)
    fast = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    listening = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={data}"
    program(
        *("pg_ctl", "start", "-s", "-w", "-D", str(data), "-l", str(data / "log")),
        *("-o", f"{fast} {listening}"),
    )
    machine.reached |= {"@postgres/": f"@127.0.0.1:{port}/", "pgport": str(port)}
    try:
        script = _mounted(service, "/docker-entrypoint-initdb.d/roles.sh")
        assert os.access(script, os.X_OK), "the image runs it only if it may be run"
        where = {"PGHOST": str(data), "PGPORT": str(port), "POSTGRES_USER": "postgres"}
        path = f"{POSTGRES}:{os.environ['PATH']}"
        subprocess.run([script], env=given | where | {"PATH": path}, check=True)
        yield
    finally:
        program("pg_ctl", "stop", "-s", "-w", "-m", "immediate", "-D", str(data))


def _data_folder(folder: Path) -> Path:
    data = folder / "database" / "pg15"
    data.parent.mkdir(mode=0o711)
    data.mkdir(mode=0o700)
    account = _postgres_account()
    if account is not None:
        make_traversable(data)
        os.chown(data, account.uid, account.gid)
    return data


def _postgres_account() -> Account | None:
    return named_account("postgres") if os.geteuid() == 0 else None


def _mounted(service: Json, target: str) -> Path:
    """The file of this project that a service has at an address of its own."""
    found = [one.split(":")[0] for one in service["volumes"] if one.split(":")[1] == target]
    return Path(found[0])


def _unefois() -> list[str]:
    return [sys.executable, "-m", "web.cli"]
