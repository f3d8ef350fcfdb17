"""Who assists somebody under curatelle: noted, on each receipt of that time, forgotten; and who may
not say it."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from auth import pin_hashes
from auth.protection import LONGEST_YEARS
from base import clock
from tests.auth.means_steps import proved
from tests.fixtures import MakePerson, MakeWorker, MoveClock, SomePerson
from tests.steps import granted, is_problem, log_of, revoke
from tests.trusted import with_pin
from tests.web.printouts.reading import text_of

PATH = "/v1/me/protection"
WHO = {"kind": "reinforced_curatorship", "name": " UDAF 59,  Mme Petit "}
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a PIN costs to guess is not tested here."""
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


async def note(client: httpx.AsyncClient, person: SomePerson, **told: Any) -> httpx.Response:
    return await proved(client, person, "PUT", PATH, {"protection": WHO | told})


async def noted(client: httpx.AsyncClient, person: SomePerson) -> Any:
    return (await client.get(PATH, headers=person.headers)).json()["protection"]


async def acts(client: httpx.AsyncClient, headers: dict[str, str], grant: str) -> list[Any]:
    answer = await client.get(f"/v1/grants/{grant}/receipt", headers=headers)
    found: list[Any] = answer.json()["evidence"]
    return found


async def test_it_stands_on_each_receipt_until_its_last_day(
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    moved_clock: MoveClock,
) -> None:
    person, worker = await make_person(), await make_worker()
    before = await granted(client, person, worker.headers, "payslip")
    until = (clock.now() + DAY).date()
    assert await noted(client, person) is None
    done = await note(client, person, until=until.isoformat())
    assert done.status_code == 200, done.text
    assert await noted(client, person) == done.json()["protection"]
    grant = await granted(client, person, worker.headers, "payslip")
    by = {"kind": "reinforced_curatorship", "name": "UDAF 59, Mme Petit"}
    for headers in (person.headers, worker.headers):
        assert [one.get("assisted_by") for one in await acts(client, headers, grant)] == [by]
        assert "assisted_by" not in (await acts(client, headers, before))[0], "as it was then"
    moved_clock(3 * DAY)
    assert (await noted(client, person))["until"] == until.isoformat(), "still to be read"
    later = await granted(client, person, (await make_worker()).headers, "payslip")
    assert "assisted_by" not in (await acts(client, person.headers, later))[0]
    await revoke(client, person, grant)
    said = [one.get("assisted_by") for one in await acts(client, person.headers, grant)]
    assert said == [by, None], "what ends it is of a later day"
    lines = [one for one in await log_of(client, person) if one["action"] == "protection.note"]
    assert len(lines) == 1
    assert "Petit" not in str(lines), "no name in the log"


async def test_it_is_changed_and_forgotten_with_a_proof_of_now(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    pin = await with_pin(client, person)
    is_problem(await proved(client, person, "DELETE", PATH), 404, "not_found")
    assert (await note(client, person)).status_code == 200
    assert (await noted(client, person))["until"] is None
    other = await note(client, person, kind="curatorship", name="Jean Petit")
    assert other.status_code == 200
    wrong = {"pin": "482693" if pin != "482693" else "593714"}
    for body, code in (({}, "proof_needed"), ({"proof": wrong}, "proof_wrong")):
        told = {"protection": WHO} | body
        refused = await client.put(PATH, headers=person.headers, json=told)
        is_problem(refused, 403, code)
        gone = await client.request("DELETE", PATH, headers=person.headers, json=body)
        is_problem(gone, 403, code)
    assert (await noted(client, person))["name"] == "Jean Petit"
    assert (await proved(client, person, "DELETE", PATH)).status_code == 204
    assert await noted(client, person) is None
    grant = await granted(client, person, worker.headers, "payslip")
    assert "assisted_by" not in (await acts(client, person.headers, grant))[0]
    ends = [one for one in await log_of(client, person) if one["action"] == "protection.end"]
    assert [one["outcome"] for one in ends] == ["allowed", "refused", "refused", "refused"]


async def test_what_cannot_be_noted_says_which_field(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    await with_pin(client, person)
    today = clock.now().date()
    last = today.replace(year=today.year + LONGEST_YEARS, day=min(today.day, 28))
    for told, code, field in (
        ({"name": " \u200b "}, "text_empty", "name"),
        ({"name": "x" * 121}, "text_too_long", "name"),
        ({"until": (today - 2 * DAY).isoformat()}, "protection_over", "until"),
        ({"until": (last + 32 * DAY).isoformat()}, "protection_too_long", "until"),
        ({"kind": "guardianship"}, "invalid_request", "kind"),
    ):
        answer = await note(client, person, **told)
        is_problem(answer, 422, code)
        assert field in str(answer.json()["errors"]), answer.text
    assert await noted(client, person) is None
    assert (await note(client, person, until=last.isoformat())).status_code == 200


async def test_what_is_printed_names_who_assists(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    assert (await note(client, person)).status_code == 200
    grant = await granted(client, person, worker.headers, "payslip")
    for headers in (person.headers, worker.headers):
        pdf = await client.get(f"/v1/grants/{grant}/receipt.pdf", headers=headers)
        assert "en curatelle renforcée" in text_of(pdf.content)
        assert "UDAF 59, Mme Petit" in text_of(pdf.content)
