"""Entering by a card on the pages: the code that is typed or scanned, then the PIN."""

import re
from datetime import timedelta

import httpx
import pytest

from auth import card_codes
from tests.auth.means_steps import add_card, pin_of, usable_pins, wrong
from tests.fixtures import MakePerson, MoveClock, Served, SomePerson
from tests.web.pages.test_entering import browser, cookie_of, hidden
from tests.web.pages.test_pages import browser_of

FOUND = "Ce code secret n’ouvre rien"


async def show(at: httpx.AsyncClient, card: str, **more: str) -> httpx.Response:
    """Type a card's code, or post what its QR holds."""
    page = (await at.get("/card")).text
    return await at.post("/card", data={**hidden(page), "card": card, **more})


async def type_pin(
    at: httpx.AsyncClient, address: str, pin: str, device: str | None = None
) -> httpx.Response:
    page = (await at.get(address)).text
    said = {} if device is None else {"device": device}
    return await at.post(address, data={**hidden(page), "code": pin, **said})


async def begun(at: httpx.AsyncClient, card: str) -> str:
    """The address where the PIN is asked."""
    answer = await show(at, card)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


@pytest.mark.parametrize("how", ["code", "secret"])
@pytest.mark.parametrize("device", ["own", "shared", None])
async def test_a_card_and_its_pin_open_the_papers(
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    how: str,
    device: str | None,
) -> None:
    person = await make_person()
    pin = await pin_of(served.services, person)
    card = await add_card(client, person, pin)
    async with browser(served, language="fr") as at:
        address = await begun(at, card[how])
        assert card[how] not in address
        asked = (await at.get(address)).text
        assert '<input type="password" id="code"' in asked, "it is shown to nobody"
        assert 'inputmode="numeric"' in asked
        assert 'autocomplete="off"' in asked
        assert "checked" not in asked, "nobody says for them whose device it is"
        entered = await type_pin(at, address, pin, device)
        assert entered.headers["location"] == "/documents"
        assert ("Max-Age" in cookie_of(entered, "person")) == (device == "own")
        page = (await at.get("/documents")).text
        assert f'data-device="{"own" if device == "own" else "shared"}"' in page
        again = await at.get(address)
        assert again.headers["location"] == "/card?done=card_late", "a step is used once"


async def test_a_typo_is_told_and_kept_to_be_compared(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    card = await add_card(client, person, await pin_of(served.services, person))
    typo = card["code"].replace(card["code"][-1], "0" if card["code"][-1] != "0" else "1")
    async with browser(served, language="fr") as at:
        refused = await show(at, typo)
        assert refused.status_code == 422
        assert "Il y a une faute de frappe" in refused.text
        assert "Comparez avec votre carte, groupe par groupe" in refused.text
        assert f'value="{typo}"' in refused.text
        # What a camera read, of a torn QR, is shown to nobody.
        torn = await show(at, card["secret"][:-4], scanned="yes")
        assert torn.status_code == 422
        assert card["secret"][:12] not in torn.text
        assert card["secret"] not in (await show(at, f"{card['secret']}7", scanned="yes")).text
        # As people copy it.
        assert await begun(at, f"  {card['code'].lower().replace('-', ' ')} ")


@pytest.mark.parametrize("words", ["", "   ", "bonjour", "0" * 500, "https://ailleurs.example/"])
async def test_what_is_no_code_is_a_typo(served: Served, words: str) -> None:
    async with browser(served, language="fr") as at:
        assert "Code de la carte incorrect" in (await show(at, words)).text


async def test_a_card_of_another_installation_is_told_as_such(served: Served) -> None:
    mark = card_codes.mark_of(b"\xa5\x5a")
    async with browser(served, language="fr") as at:
        for card in (card_codes.new_code(mark), card_codes.new_secret(mark)):
            refused = await show(at, card)
            assert refused.status_code == 422
            assert "Cette carte ouvre un autre site que celui-ci" in refused.text
            assert "adresse écrite sur la carte" in refused.text


async def refusals(served: Served, card: str, pin: str) -> str:
    """The page that refuses, without what is drawn anew each time."""
    async with browser(served, language="fr") as at:
        address = await begun(at, card)
        refused = await type_pin(at, address, pin)
        assert refused.status_code == 401
        assert pin not in refused.text
        assert "demandez de l’aide au guichet" in refused.text
        assert "entrez d’une autre façon" in refused.text
        main = refused.text[refused.text.index("<main") : refused.text.index("</main>")]
        return re.sub(r'action="[^"]*"|value="[^"]*"|name="asked-[^"]*"', "", main)


async def test_a_card_that_is_not_there_is_refused_as_a_wrong_pin_is(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """Unknown, replaced, barred, or with a wrong PIN: one page."""
    person = await make_person()
    pin, other, *_ = await usable_pins(served.services, person)
    first = await add_card(client, person, pin)
    second = await add_card(client, person, other, replaces=first["id"])
    unknown = card_codes.new_code(second["code"][: card_codes.MARK])
    pages = [
        await refusals(served, unknown, other),
        await refusals(served, first["code"], pin),
        *[await refusals(served, second["code"], wrong(other)) for _ in range(5)],
        await refusals(served, second["code"], other),  # right, and barred
        await refusals(served, second["secret"], other),
    ]
    assert FOUND in pages[0].replace("\xa0", " ")
    assert {*pages} == {pages[0]}


async def test_another_browser_is_asked_no_pin(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    pin = await pin_of(served.services, person)
    card = await add_card(client, person, pin)
    async with browser(served, language="fr") as at, browser(served, language="fr") as other:
        address = await begun(at, card["code"])
        elsewhere = await other.get(address)
        assert elsewhere.headers["location"] == "/card?done=card_late"
        token = hidden((await other.get("/card")).text)
        tried = await other.post(address, data={**token, "code": pin})
        assert tried.headers["location"] == "/card?done=card_late"
        assert (await type_pin(at, address, pin)).headers["location"] == "/documents"


async def test_a_card_shown_ten_minutes_ago_is_shown_again(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, moved_clock: MoveClock
) -> None:
    person = await make_person()
    pin = await pin_of(served.services, person)
    card = await add_card(client, person, pin)
    async with browser(served, language="fr") as at:
        address = await begun(at, card["code"])
        page = (await at.get(address)).text
        moved_clock(timedelta(minutes=11))
        late = await at.post(address, data={**hidden(page), "code": pin})
        told = (await at.get(late.headers["location"])).text
        assert "trop de temps a passé" in told
        assert 'name="card"' in told


async def test_the_language_is_chosen_once_before_the_pin(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    card = await add_card(client, person, await pin_of(served.services, person))
    async with browser(served) as at:
        first = await begun(at, card["secret"])
        assert first.startswith("/language?back=/card/")
        page = (await at.get(first)).text
        choice, _with_french = re.findall(r'href="(/language/ar\?back=[^"]*)"', page)
        chosen = await at.get(choice.replace("&amp;", "&"))
        assert chosen.headers["location"] == first.partition("=")[2]
        assert '<html lang="ar" dir="rtl"' in (await at.get(chosen.headers["location"])).text
        assert (await begun(at, card["code"])).startswith("/card/")


async def test_whoever_enters_closes_what_another_left_open(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """On a tablet at a reception: papers that are open are not taken for one's own."""
    left, person = await make_person(), await make_person()
    pin = await pin_of(served.services, person)
    card = await add_card(client, person, pin)
    async with browser_of(served, left) as at:
        at.cookies.set("unefois-language", "fr", domain="127.0.0.1")
        page = (await at.get("/card")).text
        assert "Des papiers sont déjà ouverts ici" in page
        address = await begun(at, card["code"])
        entered = await type_pin(at, address, pin)
        assert entered.headers["location"] == "/documents"
    assert await _is_over(client, left)
    assert not await _is_over(client, person), "their sessions elsewhere stay"


async def _is_over(client: httpx.AsyncClient, person: SomePerson) -> bool:
    return (await client.get("/v1/documents", headers=person.headers)).status_code == 401


async def test_a_form_of_elsewhere_shows_no_card(served: Served) -> None:
    async with browser(served, language="fr") as at:
        await at.get("/card")
        for headers in ({}, {"Sec-Fetch-Site": "cross-site"}):
            refused = await at.post("/card", data={"card": "X" * 20}, headers=headers)
            assert refused.status_code == 403


async def test_the_first_page_leads_to_cards_and_says_what_to_do_without_script(
    served: Served,
) -> None:
    async with browser(served, language="fr") as at:
        page = (await at.get("/")).text
        assert 'href="/card"' in page
        assert "<noscript><p>Vous avez scanné une carte" in page
        assert "Demandez au guichet" in page
