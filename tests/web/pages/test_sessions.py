"""The pages of one's devices and of the end of one's vault."""

import re
from datetime import timedelta

import httpx
import pytest

from auth.visitor import Visitor
from tests.attacks.test_sessions import CAFE, signed_in
from tests.fixtures import (
    MakePerson,
    MakeWorker,
    MoveClock,
    Served,
    SomePerson,
    SomeWorker,
    last_code,
)
from tests.steps import given_paper
from tests.vault.decoding import corpus
from tests.web.pages.test_pages import browser_of
from web.pages import forms


def plain(page: str) -> str:
    """With common spaces alone."""
    return page.replace("\xa0", " ").replace("\u202f", " ")


async def form(served: Served, who: SomePerson | SomeWorker, **fields: str) -> dict[str, str]:
    return {"form": await forms.token_for(served.services, who.token), **fields}


@pytest.mark.parametrize("who", ["person", "worker"])
async def test_one_device_is_ended_then_all_others(
    served: Served, make_person: MakePerson, make_worker: MakeWorker, who: str
) -> None:
    made: SomePerson | SomeWorker = await (make_person if who == "person" else make_worker)()
    address = made.phone if isinstance(made, SomePerson) else made.email
    prefix = "" if who == "person" else "/pro"
    for device in ("iphone", "tablet", "mac_computer"):
        await signed_in(served.services, address, Visitor(device, CAFE))
    async with browser_of(served, made) as browser:
        shown = (await browser.get(f"{prefix}/sessions")).text
        assert shown.count('class="card"') == 4
        assert "Un appareil inconnu. Vous l’utilisez maintenant." in shown
        assert "Un iPhone, à l’instant, sur une autre connexion" in shown
        assert shown.count("<button>Fermer là-bas<") == 3
        assert "sur cet appareil<" not in shown, "it would be the one in one's hand"
        asked_again = shown.split("<summary>Fermer partout, sauf ici</summary>")[1]
        assert "Oui, fermer partout, sauf ici" in asked_again
        closes = "Vos papiers se ferment" if who == "person" else "Votre espace se ferme"
        assert closes in asked_again.split("</form>")[0]
        apart = "Les personnes à qui vous montrez des papiers les voient comme avant."
        assert (apart in asked_again.split("</form>")[1]) is (who == "person")
        ids = re.findall(r"/sessions/([0-9a-f-]{36})/end", shown)
        assert len(ids) == 3, "not the one in use"
        data = await form(served, made)
        ended = await browser.post(f"{prefix}/sessions/{ids[0]}/end", data=data)
        assert ended.headers["location"] == f"{prefix}/sessions?done=session_ended&of={ids[0]}", (
            "the page then says which"
        )
        again = await browser.post(f"{prefix}/sessions/{ids[0]}/end", data=data)
        assert again.status_code == 404
        await browser.post(f"{prefix}/sessions/end-others", data=data)
        left = (await browser.get(f"{prefix}/sessions")).text
        assert left.count('class="card"') == 1
        assert "Fermer partout" not in left


@pytest.mark.parametrize("shared", [True, False])
async def test_the_device_that_was_closed_is_named_with_what_may_still_be_read_there(
    served: Served, make_person: MakePerson, moved_clock: MoveClock, shared: bool
) -> None:
    """What it says is of one's own that was closed, and of no other."""
    person, stranger = await make_person(), await make_person()
    library = Visitor("linux_computer", CAFE, shared=shared)
    await signed_in(served.services, person.phone, library)
    await signed_in(served.services, stranger.phone, Visitor("iphone", CAFE))
    moved_clock(timedelta(minutes=10))
    async with browser_of(served, stranger) as browser:
        theirs = re.findall(r"/sessions/([0-9a-f-]{36})/end", (await browser.get("/sessions")).text)
        data = await form(served, stranger)
        await browser.post(f"/sessions/{theirs[0]}/end", data=data)
    async with browser_of(served, person) as browser:
        listed = plain((await browser.get("/sessions")).text)
        (opened,) = re.findall(r"/sessions/([0-9a-f-]{36})/end", listed)
        assert re.search(r"Un ordinateur Linux, il y a \d+ minutes, à \d+ h \d\d, sur", listed)
        at = f"/sessions?done=session_ended&of={opened}"
        assert "ordinateur Linux. C’était" not in plain((await browser.get(at)).text), "it lives"
        data = await form(served, person)
        ended = await browser.post(f"/sessions/{opened}/end", data=data)
        said = plain((await browser.get(ended.headers["location"])).text).split('class="done')[1]
        for address in (at.replace(opened, theirs[0]), "/sessions?done=session_ended"):
            other = (await browser.get(address)).text
            assert "C’est fermé sur l’autre appareil." in other
            assert "iPhone" not in other
    said = said.split("</p>")[0]
    assert re.search(
        r"C’est fermé sur un ordinateur Linux. C’était ouvert depuis .* h \d\d\.", said
    )
    assert ("elle se ferme en moins d’une minute" in said) is shared
    assert ("en 15 minutes au plus" in said) is shared
    assert ("on peut encore la lire" in said) is not shared
    async with browser_of(served, stranger) as browser:
        assert "ordinateur Linux" not in (await browser.get(ended.headers["location"])).text


async def test_signing_out_says_what_is_still_open_and_offers_to_end_it(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    other = await signed_in(served.services, person.phone, Visitor("iphone", CAFE))
    async with browser_of(served, person) as browser:
        papers = (await browser.get("/documents")).text
        assert "Sortir partout" not in papers
        assert "Vos papiers sont ouverts aussi sur 1 autre appareil." in plain(papers)
        assert '<a class="waiting" href="/sessions">' in papers
        assert 'href="/sessions"' in (await browser.get("/grants")).text
        mine = (await browser.get("/me")).text.replace("\xa0", " ")
        assert 'name="everywhere"' in mine.split("<main")[1]
        assert "« Sortir partout » ferme sur tous vos appareils, ici aussi." in mine
        assert "« Cacher » ferme ici et ouvre une autre page." in mine
        hides_at = re.findall('data-to="[^"]*"', papers)
        assert hides_at == re.findall('data-to="[^"]*"', mine), "to the same page from each"
        left = await browser.post("/sign-out", data=await form(served, person))
        said = await browser.get(left.headers["location"])
    assert "Vous avez aussi un autre appareil ouvert" in said.text
    third = await signed_in(served.services, person.phone, Visitor("iphone", CAFE))
    here = SomePerson(person.id, person.phone, third.token, person.subject, person.services)
    async with browser_of(served, here) as browser:
        data = await form(served, here, everywhere="yes")
        said = await browser.get((await browser.post("/sign-out", data=data)).headers["location"])
    assert "C’est fermé sur tous vos appareils" in said.text
    fourth = await signed_in(served.services, person.phone, Visitor("iphone", CAFE))
    alone = SomePerson(person.id, person.phone, fourth.token, person.subject, person.services)
    async with browser_of(served, alone) as browser:
        assert "sont ouverts aussi" not in (await browser.get("/documents")).text
    for token in (other.token, third.token):
        gone = SomePerson(person.id, person.phone, token, person.subject, person.services)
        async with browser_of(served, gone) as browser:
            assert (await browser.get("/documents")).status_code == 303


async def test_a_worker_who_leaves_another_device_open_is_told_where_all_are_closed(
    served: Served, make_worker: MakeWorker
) -> None:
    worker = await make_worker()
    await signed_in(served.services, worker.email, Visitor("iphone", CAFE))
    async with browser_of(served, worker) as browser:
        account = (await browser.get("/pro/account")).text
        left = await browser.post("/pro/sign-out", data=await form(served, worker))
        said = (await browser.get(left.headers["location"])).text.replace("\xa0", " ")
    assert 'name="everywhere"' in account.split("<main")[1]
    assert "entrez, puis « Mon compte », puis « Sortir partout »" in said
    assert "« Moi »" not in said


async def test_who_still_sees_until_the_erasure_can_be_stopped_now(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    paper = await given_paper(client, make_person, make_worker, corpus.pdf(1))
    person = paper.person
    async with browser_of(served, person) as browser:
        await browser.post("/erasure/code", data=await form(served, person))
        code = await last_code(served.services, person.phone)
        asked = await browser.post("/erasure", data=await form(served, person, code=code))
        waiting = (await browser.get(asked.headers["location"])).text
        assert "les voient encore" in waiting
        assert 'href="/grants/stop-all"' in waiting
        await client.post(f"/v1/grants/{paper.grant}/revoke", headers=person.headers)
        assert "les voient encore" not in (await browser.get("/erasure")).text


async def test_the_vault_is_erased_with_a_code_and_kept_after_all(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        shown = (await browser.get("/erasure")).text
        assert "Papiers effacés" in shown
        assert 'name="code"' not in shown
        sent = await browser.post("/erasure/code", data=await form(served, person))
        assert 'name="code"' in (await browser.get(sent.headers["location"])).text
        code = await last_code(served.services, person.phone)
        wrong = f"{(int(code) + 1) % 10**6:06}"
        refused = await browser.post("/erasure", data=await form(served, person, code=wrong))
        assert refused.status_code == 403
        assert re.search("Essais restants.: 4", refused.text)
        assert 'name="code"' in refused.text
        asked = await browser.post("/erasure", data=await form(served, person, code=code))
        waiting = (await browser.get(asked.headers["location"])).text
        assert "Tous vos papiers seront effacés" in waiting
        assert 'href="/erasure"' in (await browser.get("/documents")).text
        kept = await browser.post("/erasure/cancel", data=await form(served, person))
        home = (await browser.get(kept.headers["location"])).text
        assert "Rien ne sera effacé" in home
        assert 'href="/erasure"' not in home
