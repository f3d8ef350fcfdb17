"""The keys out of reach: what was in memory goes on, then callers are answered 503."""

import asyncio
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from storage import key_rotation
from tests.fixtures import MakePerson
from tests.outages.readiness import degraded, sound
from tests.steps import deposit
from tests.vault.decoding import corpus
from vault.services import Services


async def test_without_the_keyring_callers_are_answered_503(
    services: Services,
    client: httpx.AsyncClient,
    management: httpx.AsyncClient,
    make_person: MakePerson,
    home: Path,
) -> None:
    person = await make_person()
    document = await deposit(client, person, corpus.pdf(1))
    path = f"/v1/documents/{document['id']}/content"
    keyring, away = home / "keys" / "keyring.json", home / "keys" / "away.json"
    keyring.rename(away)
    try:
        with capture_logs() as lines:
            services.storage.keys.forget_all()  # as after a minute
            answers = [await client.get(path, headers=person.headers) for _ in range(3)]
            ready = await degraded(management, "keys")
    finally:
        away.rename(keyring)
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (503, "keys_unavailable")
        assert answer.headers["retry-after"] == "5"
    assert (ready.status_code, ready.json()["parts"]["keys"]) == (503, False)
    told = [(line["event"], line.get("part")) for line in lines if line["log_level"] != "info"]
    assert told == [("part_failing", "keys")]
    assert (await client.get(path, headers=person.headers)).status_code == 200


async def test_a_provider_that_hangs_is_named(
    services: Services, management: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readiness asks it, whatever keys are in memory."""

    async def hangs(_: str) -> None:
        await asyncio.Event().wait()

    await sound(management, "keys")
    with capture_logs() as lines, monkeypatch.context() as hung:
        hung.setattr(key_rotation, "CHECK_SECONDS", 0.1)
        hung.setattr(services.storage.keys.provider, "check", hangs)
        ready = await degraded(management, "keys")
    assert (ready.status_code, ready.json()["parts"]["keys"]) == (503, False)
    told = [(line["event"], line.get("code")) for line in lines if line["log_level"] != "info"]
    assert told == [("part_failing", "timeout")]
