"""The keys out of reach: what was in memory goes on, then callers are answered 503."""

from pathlib import Path

import httpx
from structlog.testing import capture_logs

from tests.fixtures import MakePerson
from tests.outages.readiness import degraded
from tests.steps import deposit
from tests.vault.decoding import corpus
from vault.services import Services


async def test_without_the_keyring_callers_are_answered_503(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, home: Path
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
            ready = await degraded(client, "keys")
    finally:
        away.rename(keyring)
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (503, "keys_unavailable")
        assert answer.headers["retry-after"] == "5"
    assert (ready.status_code, ready.json()["parts"]["keys"]) == (503, False)
    told = [(line["event"], line.get("part")) for line in lines if line["log_level"] != "info"]
    assert told == [("part_failing", "keys")]
    assert (await client.get(path, headers=person.headers)).status_code == 200
