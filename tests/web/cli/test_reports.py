"""`unefois reports`, on the database and the home of the running service."""

import os
from typing import Any

import httpx
import pytest

from tests.fixtures import MakePerson
from tests.servers import commands
from tests.steps import log_of
from vault.services import Services


@pytest.fixture
def unefois(services: Services) -> Any:
    """Run a command of the operator: `unefois("reports", "list")`."""
    assert services.settings.database_url is not None
    environment = {
        "PATH": os.environ["PATH"],
        "UNEFOIS_MODE": "demo",
        "UNEFOIS_MESSENGER": "inbox",
        "UNEFOIS_HOME": str(services.settings.home),
        "DATABASE_URL": services.settings.database_url.get_secret_value(),
    }

    def run(*arguments: str, given: str = "", fails: bool = False) -> str:
        result = commands.run(environment, *arguments, given=given)
        assert (result.returncode != 0) == fails, result.stdout + result.stderr
        assert "Traceback" not in result.stderr, result.stderr
        return result.stderr if fails else result.stdout

    return run


async def test_a_report_is_listed_read_and_answered(
    unefois: Any, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    line = (await log_of(client, person))[0]
    path = f"/v1/access-log/{line['id']}"
    sent = await client.post(
        f"{path}/report",
        headers=person.headers,
        json={"text": "Je ne suis pas venue.\norganisation told: yes"},
    )
    reference = sent.json()["id"]

    (listed,) = [row for row in unefois("reports", "list").splitlines() if reference in row]
    assert listed.split("\t")[2:] == ["waiting", "-", sent.json()["answer_by"]]
    assert "venue" not in listed
    read = unefois("reports", "see", reference)
    # Words of several lines are set in: none looks like a line of the command.
    assert "text: Je ne suis pas venue.\n    organisation told: yes\n" in read
    assert line["action"] in read
    unefois("reports", "answer", reference, given="Nous avons vérifié.\n")
    assert reference not in unefois("reports", "list")
    (answered,) = [r for r in unefois("reports", "list", "--all").splitlines() if reference in r]
    assert "answered" in answered
    assert "Nous avons vérifié." in unefois("reports", "see", reference)

    report = (await client.get(path, headers=person.headers)).json()["report"]
    assert report["answer"] == "Nous avons vérifié."
    actions = [one["action"] for one in await log_of(client, person)][:4]
    assert actions == ["report.see", "report.answer", "report.see", "log.report"]
    assert "déjà" in unefois("reports", "answer", reference, "--text", "Non.", fails=True)
    assert "unefois:" in unefois("reports", "see", line["id"], fails=True)
