"""« Réunir mes papiers » on the pages, without script: both ways, what is shown, each refusal."""

import re
from dataclasses import replace
from datetime import timedelta

import httpx
from sqlalchemy import text

from tests.auth.means_steps import add_card, enter, pin_of, wrong
from tests.fixtures import MakePerson, MakeWorker, MoveClock, Served, SomePerson, last_code
from tests.joins import answered_join, ask_join, say_yes
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
    code = (await ask_join(client, ended)).json()["code"]
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


async def test_the_evidence_of_what_ends_says_where_and_how_the_yes_was_said(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """By the pages or the API, in the vault that stays, whose session a card opened."""
    for number, channel in enumerate(("pages", "api")):
        ended, stays, worker = await make_person(), await make_person(), await make_worker()
        grant = await granted(client, ended, worker.headers, "payslip")
        pin = await pin_of(served.services, stays)
        card = await add_card(client, stays, pin)
        opened = (await enter(client, card["code"], pin)).json()["token"]
        here = replace(stays, token=opened)
        plan = await answered_join(client, ended, here)
        if channel == "pages":
            async with browser_of(served, here) as at:
                yes = await post(served, here, at, f"/me/joins/{plan['id']}", proof=pin)
                assert "done=joined" in yes.headers["location"], said(yes)
        else:
            assert (await say_yes(client, here, plan["id"])).status_code == 200
        query = text(
            "SELECT channel, level, template, kind FROM unefois.consent_evidence"
            " WHERE grant_id = :id AND change = 'revoked'"
        )
        async with served.services.database.transaction() as tx:
            (row,) = (await tx.execute(query, {"id": grant})).all()
        template = ("pages/joins/join.html", "api/terms/1")[number]
        assert tuple(row) == (channel, "card_pin", template, "app")


async def test_the_pages_that_begin_it(served: Served, make_person: MakePerson) -> None:
    """From « Comment j’entre »: both ways on one page, the digits on the next."""
    person = await make_person()
    async with browser_of(served, person) as at:
        assert 'href="/me/joins"' in (await at.get("/me/means")).text
        start = await at.get("/me/joins")
        assert start.status_code == 200
        assert 'href="/me/joins/code"' in start.text
        assert 'action="/me/proof/code"' in start.text
        typing = await at.get("/me/joins/code")
        assert typing.status_code == 200
        assert '<form method="post" action="/me/joins/code">' in typing.text
        assert 'name="code"' in typing.text


async def test_a_means_that_is_new_is_told_in_the_place_of_both_ways(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, moved_clock: MoveClock
) -> None:
    """From when it is possible; and a form that was open before says it as well."""
    ended, stays = await make_person(), await make_person()
    code = (await ask_join(client, ended)).json()["code"]
    pin = await pin_of(served.services, stays)
    await add_card(client, stays, pin)
    async with browser_of(served, stays) as at:
        for address in ("/me/joins", "/me/joins/code"):
            page = await at.get(address)
            assert "Vous pourrez réunir vos papiers à partir du" in said(page)
            assert 'action="/me/joins' not in page.text
        late = await post(served, stays, at, "/me/joins/code", code=code)
        assert late.status_code == 409
        assert "Jours à attendre : 7." in said(late)
        asked = await post(served, stays, at, "/me/joins", proof=pin)
        assert asked.status_code in (303, 409)
        shown = asked if asked.status_code == 409 else await at.get(asked.headers["location"])
        assert "Jours à attendre : 7." in said(shown)
        moved_clock(timedelta(days=7, minutes=1))
        assert "à partir du" not in said(await at.get("/me/joins"))
        typed = await post(served, stays, at, "/me/joins/code", code=code)
        assert "Ce code ne marche pas" in said(typed)  # its ten minutes are over
