"""The log: by day where the person is, by person, one's own acts folded, the proof below."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import httpx

from audit.events import ActorKind
from tests.fixtures import MakePerson, MakeWorker, Served
from tests.steps import deposit, granted
from tests.vault.decoding import corpus
from tests.web.pages.test_pages import browser_of
from vault.access_log.entries import EntryView
from web.pages.access_log import _by_day


def entry(at: datetime, name: str = "") -> EntryView:
    kind = ActorKind.WORKER if name else ActorKind.OWNER
    return EntryView(
        *(None, at.isoformat(), "document.read", "allowed", ""),  # type: ignore[arg-type]
        {"kind": kind.value, "name": name},
        *((), None, None, None, None, None, {}),
    )


def test_a_day_is_one_where_the_person_is() -> None:
    evening = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    lines = [(entry(evening, "Camille"), "", ([], 0)), (entry(evening), "", ([], 0))]
    [paris] = _by_day(lines, ZoneInfo("Europe/Paris"))
    [cayenne] = _by_day(lines, ZoneInfo("America/Cayenne"))
    assert (paris.day.isoformat(), cayenne.day.isoformat()) == ("2026-03-02", "2026-03-01")
    assert list(paris.others) == ["Camille"]
    assert len(paris.mine) == 1


async def test_each_person_once_a_day_and_mine_folded(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    await deposit(client, person, corpus.pdf(1), type_="payslip")
    grant = await granted(client, person, worker.headers, "payslip")
    for _ in range(3):
        await client.get(f"/v1/grants/{grant}/documents", headers=worker.headers)
    async with browser_of(served, person) as browser:
        page = (await browser.get("/access-log")).text.split("<main")[1]
    seen, mine = page.split("Ce que j’ai fait moi-même", 1)
    assert page.count("<h2>") == 1
    assert seen.count("<h3>") == 1
    assert seen.count("a vu la liste des papiers") >= 3
    assert "Vous avez ajouté un papier" not in seen
    assert "Vous avez ajouté un papier" in mine
    # The proof is one level down.
    proofs = page.split("/receipt")[:-1]
    assert all(one.rindex("<details>") > one.rindex("<li class") for one in proofs)
