"""A worker who met somebody learns nothing from what becomes of the meeting when that vault is
erased."""

import httpx
from sqlalchemy import text

from base.database import Database
from tests.fixtures import MakePerson, MakeWorker
from tests.meetings import answered, met, open_meeting, say, see, type_code
from tests.steps import erase, is_problem
from tests.web.api.test_meetings import ask_through
from vault.services import Services


async def test_of_an_erased_vault_a_worker_sees_what_they_see_of_a_meeting_that_was_ended(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    as_owner: Database,
) -> None:
    """A 404 would tell that the vault is gone. The request through it looks unanswered, as ever."""
    person, worker = await make_person(), await make_worker()
    used = await met(client, person, worker)
    request = (await ask_through(client, worker.headers, used)).json()["id"]
    before = [await see(client, worker, used)]
    kept: dict[str, list[str]] = {}
    for opener, other in ((person, worker), (worker, person)):
        for begun in (answered, met):
            ended, left = [await begun(client, opener, other) for _ in range(2)]
            assert (await say(client, person, ended, agree=False)).status_code == 200
            kept[left] = [ended]
    unanswered = await open_meeting(client, person)
    await erase(services, person)
    assert [await see(client, worker, used)] == before
    for left, (ended,) in kept.items():
        one, two = [await see(client, worker, each) for each in (ended, left)]
        assert {**one, "id": "", "ends_at": ""} == {**two, "id": "", "ends_at": ""}
        is_problem(await say(client, worker, left), 409, "meeting_over")
        is_problem(await ask_through(client, worker.headers, left), 409, "meeting_over")
    typed = await type_code(client, worker, unanswered["code"])
    is_problem(typed, 403, "meeting_code_wrong")
    # And nothing of them is in it.
    reader = await services.field_encryption.reader(None)
    async with as_owner.transaction() as tx:
        rows = (await tx.execute(text("SELECT * FROM unefois.meeting"))).all()
    mine = [row for row in rows if str(row.id) in {used, *kept}]
    assert len(mine) == 1 + len(kept)
    for row in mine:
        assert row.person_id is None
        assert reader.open("meeting", row.id, row.sealed) == {}
    seen = await client.get(f"/v1/consent-requests/{request}", headers=worker.headers)
    assert seen.json()["state"] == "waiting"
