"""The page to which the square of a printed receipt leads: what a clerk reads, and no more."""

from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from base.database import Database
from tests.fixtures import MakePerson, MakeWorker, MoveClock, SomePerson, SomeWorker
from tests.steps import deposit, granted, revoke
from tests.vault.decoding import corpus
from tests.web.pages.test_worker_pages import words
from vault.consent.receipt_codes import code_of
from vault.services import Services

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
LIVE, ENDED = "Oui : l’accord de ce reçu est en cours.", "Non : l’accord de ce reçu est terminé."
Given = tuple[SomePerson, SomeWorker, str, str]


@pytest.fixture
async def given(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker, services: Services
) -> Given:
    """A person, a worker, a grant, and the code of its receipt."""
    person, worker = await make_person(), await make_worker()
    await deposit(client, person, corpus.pdf(1), type_="payslip")
    grant = await granted(client, person, worker.headers, "payslip")
    return person, worker, grant, await code_of(services, UUID(grant))


async def scanned(client: httpx.AsyncClient, code: str) -> httpx.Response:
    """What a browser shows of the address that is printed."""
    led = await client.get(f"/v1/verify/{code}", headers=BROWSER)
    assert led.status_code == 303
    assert (led.headers["cache-control"], led.headers["vary"]) == ("no-store", "Accept")
    return await client.get(led.headers["location"], headers=BROWSER)


async def test_a_clerk_reads_whether_it_is_genuine_and_goes_on_and_no_name(
    client: httpx.AsyncClient, given: Given, moved_clock: MoveClock
) -> None:
    person, worker, grant, code = given
    page = await scanned(client, code)
    assert page.status_code == 200
    assert page.headers["content-language"] == "fr"
    assert page.headers["cache-control"] == "no-store"
    told = words(page)
    for said in (LIVE, "Il est vrai : ce service l’a fait.", "Elle n’est pas vérifiée ici."):
        assert said in told
    assert ENDED not in told
    for secret in ("Camille", "Moreau", "salaire", grant, person.phone[3:], str(worker.subject.id)):
        assert secret not in page.text
    moved_clock(timedelta(days=400))
    told = words(await scanned(client, code))
    assert ENDED in told
    assert LIVE not in told


async def test_what_was_stopped_reads_like_what_ended(
    client: httpx.AsyncClient, given: Given, moved_clock: MoveClock
) -> None:
    person, _, grant, code = given
    await revoke(client, person, grant)
    stopped = words(await scanned(client, code)).split("Vérifié le")[0]
    moved_clock(timedelta(days=400))
    assert words(await scanned(client, code)).split("Vérifié le")[0] == stopped


@pytest.mark.parametrize("wrong", ["a" * 40, "no", "%2e%2e", "a%3Fc", "%C3%A9"])
async def test_a_code_that_is_not_ours_says_so_and_is_not_found(
    client: httpx.AsyncClient, wrong: str
) -> None:
    page = await scanned(client, wrong)
    assert page.status_code == 404
    told = words(page)
    assert LIVE not in told
    assert ENDED not in told
    assert "Ce code n’est pas celui d’un reçu." in told


@pytest.mark.parametrize(
    "accept", ["*/*", "application/json", "application/json, text/html;q=0.9", "text/html;q=0", ""]
)
async def test_programs_get_json_as_before(
    client: httpx.AsyncClient, given: Given, accept: str
) -> None:
    answer = await client.get(f"/v1/verify/{given[3]}", headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["state"] == "live"


async def test_an_altered_grant_has_no_state_on_the_page_either(
    client: httpx.AsyncClient, given: Given, as_owner: Database
) -> None:
    change = "UPDATE unefois.grant SET covers_future = NOT covers_future WHERE id = :id"
    async with as_owner.transaction() as tx:
        await tx.execute(text(change), {"id": given[2]})
    page = await scanned(client, given[3])
    assert page.status_code == 503
    assert LIVE not in page.text
    assert ENDED not in page.text
