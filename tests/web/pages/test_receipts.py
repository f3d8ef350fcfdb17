"""The proof of an entry: a page to print, its QR code, and a file that verifies offline."""

import asyncio
import time
from dataclasses import replace

import httpx

from tests.attacks.test_sessions import signed_in
from tests.attacks.test_shared_devices import SHARED
from tests.audit.tlog.logs import EAGER
from tests.fixtures import MakePerson, Served
from tests.steps import deposit, log_of
from tests.vault.decoding import corpus
from tests.vectors import second_verifier
from tests.web.pages.test_pages import browser_of
from web.process.sequencer import run_sequencer


async def page_with_proof(browser: httpx.AsyncClient, path: str) -> httpx.Response:
    """The page, once the entry is in a signed tree; until then it has a button to look again."""
    limit = time.monotonic() + 20
    while True:
        page = await browser.get(path)
        assert page.status_code == 200
        assert "refresh" not in page.headers
        if "Regarder de nouveau" not in page.text:
            return page
        assert f'href="{path}"' in page.text
        assert time.monotonic() < limit
        await asyncio.sleep(0.05)


async def test_a_line_is_proved_on_paper_and_by_a_file(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    await deposit(client, person, corpus.pdf())
    entry_id = (await log_of(client, person))[0]["id"]
    async with run_sequencer(served.services, EAGER), browser_of(served, person) as browser:
        page = await page_with_proof(browser, f"/access-log/{entry_id}/receipt")
        drawn = await browser.get(f"/access-log/{entry_id}/receipt.svg")
        file = await browser.get(f"/access-log/{entry_id}/receipt.json")
        kept = await browser.get(f"/access-log/{entry_id}/receipt?done=proof")
        elsewhere = {"sec-fetch-site": "cross-site"}
        led = await browser.get(f"/access-log/{entry_id}/receipt?done=proof", headers=elsewhere)
    assert f"/access-log/{entry_id}/receipt?done=proof" in page.text
    # The sentence stays, while the browser keeps the file; another site cannot begin it.
    assert kept.headers["refresh"] == f"0;url=/access-log/{entry_id}/receipt.json"
    assert "La preuve est dans les téléchargements" in kept.text
    assert f'href="/access-log/{entry_id}/receipt.json"' in kept.text
    assert "refresh" not in led.headers
    assert "La preuve est dans les téléchargements" not in led.text
    # It names the paper, and leads back to the line; what only a verifier needs is folded.
    first, plain, folded = page.text.split("<main")[1].split("<details>")
    assert "Papier des impôts" in first
    assert f'href="/access-log#line-{entry_id}"' in first
    assert "Le fichier arrive dans vos téléchargements." in first
    assert "Vous n’avez pas besoin de le faire vous-même." in plain
    assert "/log/vkey" not in plain
    assert "/log/vkey" in folded
    assert "receipt.svg" in folded
    assert drawn.headers["content-type"] == "image/svg+xml"
    assert b"<path" in drawn.content
    assert person.phone.encode() not in drawn.content
    assert file.headers["content-disposition"].startswith("attachment")
    vkey = (await client.get("/log/vkey")).text
    size, _ = second_verifier.receipt(file.json(), vkey.strip())[:2]
    assert size > file.json()["index"]
    assert file.json()["event"]["id"] == entry_id


async def test_another_s_line_is_nothing(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person, other = await make_person(), await make_person()
    await deposit(client, person, corpus.pdf())
    entry_id = (await log_of(client, person))[0]["id"]
    async with browser_of(served, other) as browser:
        for end in ("receipt", "receipt.svg", "receipt.json"):
            assert (await browser.get(f"/access-log/{entry_id}/{end}")).status_code == 404


async def test_on_a_shared_device_the_page_takes_no_file_by_itself_and_is_left_by_itself(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    await deposit(client, person, corpus.pdf())
    entry_id = (await log_of(client, person))[0]["id"]
    token = (await signed_in(served.services, person.phone, SHARED)).token
    path = f"/access-log/{entry_id}/receipt"
    async with (
        run_sequencer(served.services, EAGER),
        browser_of(served, replace(person, token=token)) as browser,
    ):
        await page_with_proof(browser, path)
        page = await browser.get(f"{path}?done=proof")
    assert "refresh" not in page.headers
    assert 'http-equiv="refresh"' in page.text
    assert f'href="{path}.json"' in page.text
    assert "Cet appareil est partagé" in page.text
