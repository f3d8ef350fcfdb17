"""« Réunir mes papiers » on the pages, without script: both ways, what is shown, each refusal."""

import re

import httpx
import pytest

from tests.auth.means_steps import add_card, enter, pin_of, wrong
from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson, last_code
from tests.steps import ask, deposit, granted
from tests.vault.decoding import corpus
from tests.web.pages.test_own_means import said
from tests.web.pages.test_pages import browser_of
from web.pages import forms

Browser = httpx.AsyncClient


async def post(
    served: Served, person: SomePerson, at: Browser, address: str, **fields: str
) -> httpx.Response:
    token = await forms.token_for(served.services, person.token)
    return await at.post(address, data={"form": token, **fields})


async def code_proof(served: Served, person: SomePerson, at: Browser, back: str) -> dict[str, str]:
    """The page sends a code, and comes back with the form; what is typed there."""
    assert "Recevoir un code" in (await at.get(back)).text
    sent = await post(served, person, at, "/me/proof/code", back=back)
    assert sent.headers["location"].startswith(f"{back}?sent="), sent.headers
    form = (await at.get(sent.headers["location"])).text
    (code_id,) = re.findall(r'name="sent" value="([^"]+)"', form)
    return {"sent": code_id, "proof": await last_code(served.services, person.phone)}


async def shown_code(served: Served, person: SomePerson, at: Browser) -> tuple[str, str]:
    """The address of a join, and its digits."""
    proof = await code_proof(served, person, at, "/me/joins")
    asked = await post(served, person, at, "/me/joins", **proof)
    address = asked.headers["location"]
    text = (await at.get(address)).text
    found = re.search(r'class="digits" dir="ltr"><strong>(\d{4}) (\d{4})</strong>', text)
    assert found, text
    return address, found[1] + found[2]


async def test_a_person_reads_what_will_happen_and_says_yes(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    ended, stays = await make_person(), await make_person()
    worker = await make_worker(name="Camille Moreau")
    pin = await pin_of(served.services, stays)
    card = await add_card(client, ended, await pin_of(served.services, ended))
    paper = await deposit(client, ended, corpus.pdf(1), type_="payslip")
    await granted(client, ended, worker.headers, "payslip")
    await ask(client, worker.headers, ended.phone, "lease")
    answer = await client.post(
        "/v1/me/joins",
        headers=ended.headers,
        json={"proof": {"pin": await pin_of(served.services, ended)}},
    )
    code = answer.json()["code"]
    async with browser_of(served, stays) as at:
        typed = await post(served, stays, at, "/me/joins/code", code=f"{code[:4]} {code[4:]}")
        address = typed.headers["location"]
        plan = said(await at.get(address))
        assert "1 papier vient ici." in plan
        assert f"Carte qui finit par {card['label']}" in plan
        assert f"Téléphone qui finit par {ended.phone[-2:]}" in plan.partition("plus rien")[2]
        assert plan.count("Camille Moreau") == 2
        assert "On ne peut pas revenir en arrière." in plan
        proof = await code_proof(served, stays, at, address)
        differ = await post(served, stays, at, address, pin=pin, again=wrong(pin), **proof)
        assert differ.status_code == 422
        assert "Les deux codes secrets sont différents" in said(differ)
        yes = await post(served, stays, at, address, pin=pin, again=pin, **proof)
        assert yes.headers["location"] == f"{address}?done=joined", said(yes)
        assert "C’est réuni" in said(await at.get(yes.headers["location"]))
        assert (await at.get(f"/documents/{paper['id']}")).status_code == 200
        log = said(await at.get(f"{address}/log"))
        assert "ils sont à l’autre endroit" in log
        assert "Camille Moreau" in log
        assert f"{address}/log" in (await at.get("/me/joins")).text
        # Who looked before is not denied: their list is named, and of one paper too.
        for listed in ("/access-log", f"/access-log?paper={paper['id']}"):
            page = await at.get(listed)
            assert f'href="{address}/log"' in page.text, listed
            assert "Personne d’autre que vous ne l’a regardé." not in said(page)
            assert "Personne n’a ouvert vos papiers." not in said(page)
    assert (await enter(client, card["code"], pin)).status_code == 201


async def test_the_other_side_shows_a_code_and_sees_that_it_was_typed(
    served: Served, make_person: MakePerson
) -> None:
    ended, stays = await make_person(), await make_person()
    async with browser_of(served, ended) as here, browser_of(served, stays) as there:
        address, code = await shown_code(served, ended, here)
        refused = await post(served, ended, here, "/me/joins/code", code=code)
        assert (refused.status_code, "Ce code ne marche pas" in said(refused)) == (403, True)
        typed = await post(served, stays, there, "/me/joins/code", code=code)
        assert typed.headers["location"] == address
        assert "Ce code a été tapé" in said(await here.get(address))
        assert "Il n’y a aucun papier à l’autre endroit." in said(await there.get(address))
        # Another code: what was shown is over, on both screens.
        await shown_code(served, ended, here)
        gone = await there.get(address)
        assert gone.headers["location"] == "/me/joins?done=join_gone"
        assert "Rien n’a été réuni." in said(await there.get(gone.headers["location"]))


@pytest.mark.parametrize("address", ["/me/joins", "/me/joins/code"])
async def test_the_pages_that_begin_it(
    served: Served, make_person: MakePerson, address: str
) -> None:
    person = await make_person()
    async with browser_of(served, person) as at:
        assert address in (await at.get("/me/means")).text + (await at.get("/me/joins")).text
        assert (await at.get(address)).status_code == 200
