"""The operator's commands on a real home: initialised, filled, rotated, backed up, restored."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import ECKey

from audit.tlog.notes import LocalSigner
from tests.fixtures import new_private_key_pem
from tests.servers import commands
from tests.web.demo.test_demo import Demo
from vault.maintenance import erasure_notes


class Operator:
    """Runs commands against one home, with the embedded PostgreSQL."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            "PATH": os.environ["PATH"],
            "UNEFOIS_MODE": "demo",
            "UNEFOIS_MESSENGER": "inbox",
            "UNEFOIS_HOME": str(folder / "home"),
        }

    def run(self, *arguments: str, fails: bool = False, **environment: str) -> str:
        result = commands.run(self.environment | environment, *arguments)
        assert (result.returncode != 0) == fails, result.stdout + result.stderr
        assert "Traceback" not in result.stderr, result.stderr
        return result.stderr if fails else result.stdout


@pytest.fixture
def operator(home: Path) -> Iterator[Operator]:
    folder = home.parent / f"cli-{token_hex(3)}"
    folder.mkdir()
    yield Operator(folder)
    left = Demo(folder)
    left.clear()


@pytest.mark.slow
def test_an_installation_s_life(operator: Operator) -> None:
    # 1. No command works before `init`, which may be run again.
    assert "unefois migrate" in operator.run("sweep", fails=True)
    operator.run("init")
    assert "embedded" in operator.run("init")
    home = operator.folder / "home"
    assert (home / "keys" / "keyring.json").stat().st_mode & 0o777 == 0o600
    # 2. An organisation, a worker, a client.
    organisation = operator.run(
        "organisation", "add", "--name", "CCAS de Lys", "--contact", "03 20 00 00 00"
    ).strip()
    worker = ["worker", "add", "--organisation", organisation, "--name", "Nadia Benali"]
    worker += ["--job", "assistante sociale", "--email", "nadia@lys.example"]
    worker_id = operator.run(*worker).strip()
    assert "e-mail" in operator.run(*worker, fails=True)
    nobody = [*worker[:3], str(UUID(int=1)), *worker[4:]]
    assert "nothing here" in operator.run(*nobody, fails=True)
    jwk = ECKey.import_key(new_private_key_pem())
    public = {**jwk.as_dict(private=False), "kid": "k1", "alg": "ES256"}
    keys = operator.folder / "jwks.json"
    keys.write_text(json.dumps({"keys": [public]}))
    client = ["client", "add", "--organisation", organisation, "--name", "Guichet"]
    made = operator.run(*client, "--jwks", str(keys), "--scope", "evidence").strip()
    assert made.startswith("client-")
    keys.write_text("not JSON")
    message = operator.run(*client, "--jwks", str(keys), "--scope", "evidence", fails=True)
    assert "not a JSON file" in message
    # 3. Keys are rotated, twice.
    _keys_change(operator)
    _closes(operator)
    assert "0 unreferenced" in operator.run("sweep")
    # 4. A backup, restored into another home, holds the same accounts.
    second = {"UNEFOIS_HOME": str(operator.folder / "second")}
    again = _restored(operator, second)
    assert "déjà" in operator.run(*worker, fails=True, **second)
    # 5. Who left is barred, once.
    for account in (("worker", worker_id), ("client", made)):
        noun, name = account
        assert operator.run(noun, "bar", name) == f"barred: {name}\n"
        assert "barred" in operator.run(noun, "bar", name, fails=True)
    # 6. A restoration never overwrites existing data.
    operator.run(*again, "--no-erasures", fails=True, **second)


def _restored(operator: Operator, second: dict[str, str]) -> list[str]:
    """Back up, and restore; returns how."""
    backup, keys = operator.folder / "backup", operator.folder / "kept"
    keys.mkdir(mode=0o700)
    note, forged = operator.folder / "erasures", operator.folder / "forged"
    note.write_text(operator.run("erasures", "export"))
    forger = LocalSigner(note.read_text().splitlines()[1], Ed25519PrivateKey.generate())
    forged.write_bytes(erasure_notes.encode([], "2026-11-28T12:00:00Z", forger))
    operator.run("backup", str(backup), "--keys", str(keys))
    again = ["restore", str(backup), "--keys", str(keys)]
    assert "--erasures" in operator.run(*again, fails=True, **second)
    wrong = str(backup / "manifest.json")
    assert "not a note" in operator.run(*again, "--erasures", wrong, fails=True, **second)
    # Restored, but of no use before the erasures are those of its own log.
    refused = operator.run(*again, "--erasures", str(forged), fails=True, **second)
    assert "not signed by the log" in refused
    assert "unefois erasures apply" in operator.run("sweep", fails=True, **second)
    applied = operator.run("erasures", "apply", str(note), fails=False, **second)
    assert "0 vaults erased" in applied
    return again


def _closes(operator: Operator) -> None:
    """Announced three months before, told in counts, cancelled."""
    today = datetime.now(UTC).date()
    soon, later = today + timedelta(days=30), today + timedelta(days=100)
    assert "D.541" in operator.run("closing", "--on", soon.isoformat(), fails=True)
    assert f"the last day is {later}" in operator.run("closing", "--on", later.isoformat())
    assert operator.run("closing").splitlines()[1:] == [
        "people: 0 told, 0 not yet",
        "workers: 0 told, 1 not yet",
        "vaults: 0 taken away since then, 0 left",
    ]
    assert "the service goes on" in operator.run("closing", "--cancel")


def _keys_change(operator: Operator) -> None:
    for _ in range(2):
        assert "re-wrapped" in operator.run("keys", "rotate")
    first, second = (operator.run("keys", "renew", "receipts") for _ in range(2))
    assert first.startswith("receipts are signed by ")
    assert first != second
    assert "usage" in operator.run("keys", "renew", fails=True)


def test_unsafe_settings_are_said_without_their_values(operator: Operator) -> None:
    message = operator.run(
        "serve",
        fails=True,
        UNEFOIS_MODE="production",
        UNEFOIS_PUBLIC_URL="http://secret-place.example",
        DATABASE_URL="postgresql+psycopg://u:changeme@h/d",
    )
    assert "https://" in message
    assert "DATABASE_URL" in message
    assert "secret-place" not in message
    assert "changeme" not in message


def test_a_setting_is_named_as_it_is_written(operator: Operator) -> None:
    message = operator.run("serve", fails=True, UNEFOIS_TRUSTED_PROXIES="proxy")
    assert message.startswith("unefois: settings: UNEFOIS_TRUSTED_PROXIES: must be addresses")
    for name in ("DATABASE_URL", "MIGRATIONS_DATABASE_URL"):
        message = operator.run("serve", fails=True, **{name: "postgres://u:quiet@127.0.0.1/d"})
        assert message.startswith(f"unefois: settings: {name}: must be postgresql://")
        assert "quiet" not in message


def test_a_database_that_does_not_answer_is_said(operator: Operator) -> None:
    url = "postgresql+psycopg://u:quiet@127.0.0.1:1/d"
    message = operator.run("sweep", fails=True, DATABASE_URL=url)
    assert "does not answer" in message
    assert "quiet" not in message


def test_a_taken_port_is_said(operator: Operator) -> None:
    from web.process.server import listen

    with listen("127.0.0.1", 0) as taken:
        taken.listen()
        port = str(taken.getsockname()[1])
        message = operator.run("serve", fails=True, UNEFOIS_PORT=port)
        assert "Address already in use" in message
        assert "UNEFOIS_PORT" in message
        chosen = {"UNEFOIS_PORT": "0", "UNEFOIS_MANAGEMENT_PORT": port}
        for command in ("serve", "work"):
            message = operator.run(command, fails=True, **chosen)
            assert "Address already in use" in message
            assert "UNEFOIS_MANAGEMENT_PORT" in message
    # Reported at once: PostgreSQL was not even started.
    assert not (operator.folder / "home").exists()


def test_an_error_without_words_is_said_by_its_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """« unefois: » and nothing after it helps nobody: a wait that ends has no text of its own."""
    from web.cli import main as command

    def time_out() -> None:
        raise TimeoutError

    monkeypatch.setattr(command, "Signals", object)
    monkeypatch.setattr(command.memory, "limit_heap", time_out)
    monkeypatch.setenv("UNEFOIS_MODE", "demo")
    assert command.main(["sweep"]) == 1
    assert capsys.readouterr().err == "unefois: TimeoutError\n"
