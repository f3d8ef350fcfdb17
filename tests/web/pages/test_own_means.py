"""« Comment j’entre »: the list, what ends or frees a means, the PIN, the phone; each refusal."""

import re
from datetime import timedelta
from html import unescape

import httpx
import pytest

from auth.pin_hashes import is_decoy
from auth.pin_rules import is_weak
from auth.pins import CHOSEN_A_DAY
from tests.auth.means_steps import (
    add_card,
    choose_pin,
    enter,
    enter_by_phone,
    know,
    means,
    pin_of,
    proof_of,
    usable_pins,
)
from tests.auth.means_steps import wrong as wrong_pin
from tests.fixtures import MakePerson, MoveClock, Served, SomePerson, last_code, new_phone
from tests.web.pages.test_pages import browser_of
from vault.services import Services
from web.pages import forms

Browser = httpx.AsyncClient


@pytest.fixture
async def person(make_person: MakePerson) -> SomePerson:
    return await make_person()


def said(answer: httpx.Response) -> str:
    """The words of a page, with plain spaces."""
    main = answer.text[answer.text.index("<main") : answer.text.index("</main>")]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", main)).split())


async def post(
    served: Served, person: SomePerson, at: Browser, address: str, **fields: str
) -> httpx.Response:
    """Send a form, a change with its proof; where it leads to, there."""
    token = await forms.token_for(served.services, person.token)
    if _CHANGE.fullmatch(address) and "proof" not in fields:
        fields |= await proof_fields(served, person, at)
    answer = await at.post(address, data={"form": token, **fields})
    if answer.status_code != 303:
        return answer
    if "pin" in fields:
        know(person, fields["pin"], "")
    return await at.get(answer.headers["location"])


_CHANGE = re.compile(r"/me/(?:pin|cards|phone/.+|means/[^/]+/(?:remove|free))")


async def proof_fields(served: Served, person: SomePerson, at: Browser) -> dict[str, str]:
    """What the page of a change asks for: the PIN, with a card; or a code that is sent for it."""
    asked = (await at.get("/v1/me/means", headers=person.headers)).json()["proof"]
    if asked != "code":
        shown = await proof_of(at, person)
        return {"proof": shown["pin"], "card": shown.get("card", "")}
    token = await forms.token_for(served.services, person.token)
    sent = await at.post("/me/proof/code", data={"form": token, "back": "/me/pin"})
    code_id = sent.headers["location"].partition("?sent=")[2]
    assert code_id, sent.headers
    return {"sent": code_id, "proof": await last_code(served.services, person.phone)}


async def bar(client: httpx.AsyncClient, card: str, pin: str) -> None:
    for _ in range(5):
        assert (await enter(client, card, wrong_pin(pin))).status_code == 401


async def test_the_list_says_by_what_one_enters_and_when_last(
    served: Served, client: httpx.AsyncClient, person: SomePerson
) -> None:
    pin = await pin_of(served.services, person)
    async with browser_of(served, person) as at:
        alone = said(await at.get("/me/means"))
        assert f"Téléphone qui finit par {person.phone[-2:]}" in alone
        assert "C’est votre seule façon d’entrer" in alone
        assert "Vous n’en avez pas encore" in alone
        assert "Pas encore utilisé" not in alone, "of a phone of before nobody knows it"
        assert "/remove" not in (await at.get("/me/means")).text
        (phone,) = await means(client, person.headers)
        assert "seule façon" in said(await at.get(f"/me/means/{phone['id']}/remove"))
        card = await add_card(client, person, pin)
        unused = said(await at.get("/me/means"))
        assert f"Carte qui finit par {card['label']}" in unused
        assert "Pas encore utilisé." in unused.partition("Carte qui finit")[2]
        assert "seule façon" not in unused
        assert (await enter(client, card["code"], pin)).status_code == 201
        used = said(await at.get("/me/means"))
        assert "Utilisé pour la dernière fois le" in used.partition("Carte qui finit")[2]
        assert card["code"] not in (await at.get("/me/means")).text


async def test_a_card_is_ended_with_the_pin_and_here_it_stays_open(
    served: Served, client: httpx.AsyncClient, person: SomePerson
) -> None:
    pin = await pin_of(served.services, person)
    card = await add_card(client, person, pin)
    assert (await enter(client, card["secret"], pin)).status_code == 201
    address = f"/me/means/{card['id']}/remove"
    async with browser_of(served, person) as at:
        asked = await at.get(address)
        assert f"Arrêter la carte qui finit par {card['label']} ?" in said(asked)
        assert '<input type="password" id="proof"' in asked.text
        for proof, words in (("", "Prouvez que c’est vous"), (wrong_pin(pin), "pas le bon code")):
            refused = await post(served, person, at, address, proof=proof)
            assert refused.status_code == 403
            assert words in said(refused)
            assert f'action="{address}"' in refused.text
        assert len(await means(client, person.headers)) == 2
        stopped = await post(served, person, at, address)
        assert "Cette carte n’ouvre plus rien" in said(stopped)
        assert (await enter(client, card["code"], pin)).status_code == 401
        assert (await enter(client, card["secret"], pin)).status_code == 401
        again = await post(served, person, at, address)
        assert "Rien n’a changé : cette façon d’entrer n’est plus là" in said(again)


async def test_the_last_means_cannot_go_and_it_is_said_why(
    served: Served, client: httpx.AsyncClient, person: SomePerson
) -> None:
    """A card that is barred lets nobody in: it is no other means."""
    pin = await pin_of(served.services, person)
    card = await add_card(client, person, pin)
    await bar(client, card["code"], pin)
    (phone, _) = await means(client, person.headers)
    async with browser_of(served, person) as at:
        page = await at.get("/me/means")
        assert f"/me/means/{phone['id']}/remove" not in page.text
        refused = await post(served, person, at, f"/me/means/{phone['id']}/remove")
        assert refused.status_code == 409
        words = said(refused)
        assert "C’est votre dernière façon d’entrer" in words
        assert "Ajoutez d’abord une carte ou un téléphone" in words
        assert f"Téléphone qui finit par {phone['label']}" in words, "the list is still there"
    assert len(await means(client, person.headers)) == 2


async def test_a_barred_card_is_freed(
    served: Served, client: httpx.AsyncClient, person: SomePerson
) -> None:
    pin = await pin_of(served.services, person)
    card = await add_card(client, person, pin)
    async with browser_of(served, person) as at:
        assert "/free" not in (await at.get("/me/means")).text
        await bar(client, card["code"], pin)
        assert (await enter(client, card["code"], pin)).status_code == 401
        page = await at.get("/me/means")
        assert "Bloquée" in page.text
        freed = await post(served, person, at, f"/me/means/{card['id']}/free")
        assert "La carte marche de nouveau, avec le même code secret" in said(freed)
    assert (await enter(client, card["code"], pin)).status_code == 201


async def test_the_phone_is_removed_where_a_card_is_left(
    served: Served, client: httpx.AsyncClient, person: SomePerson
) -> None:
    pin = await pin_of(served.services, person)
    await add_card(client, person, pin)
    (phone, _) = await means(client, person.headers)
    async with browser_of(served, person) as at:
        gone = await post(served, person, at, f"/me/means/{phone['id']}/remove")
        words = said(gone)
        assert "Ce téléphone n’ouvre plus rien" in words
        assert "Téléphone qui finit" not in words
        assert "Ajouter un téléphone" in words


async def test_another_s_means_is_not_there(
    served: Served, client: httpx.AsyncClient, person: SomePerson, make_person: MakePerson
) -> None:
    theirs = await make_person()
    pin = await pin_of(served.services, theirs)
    card = await add_card(client, theirs, pin)
    async with browser_of(served, person) as at:
        for end in ("remove", "free"):
            answer = await post(served, person, at, f"/me/means/{card['id']}/{end}")
            assert "n’est plus là" in said(answer)
        replaced = await at.get(f"/me/cards/new?replaces={card['id']}")
        assert replaced.headers["location"] == "/me/means?done=means_gone"
    assert (await enter(client, card["code"], pin)).status_code == 201


@pytest.mark.parametrize("address", ["/me/pin", "/me/cards"])
async def test_each_refusal_of_a_pin_has_its_sentence_and_shows_none_again(
    served: Served, client: httpx.AsyncClient, person: SomePerson, address: str
) -> None:
    pin = await pin_of(served.services, person)
    assert (await choose_pin(client, person, pin)).is_success
    refused = {
        "12345": (pin, "Un code secret a 6 chiffres"),
        "123456": ("123456", "Choisissez un autre code, sans date, sans suite"),
        pin: (wrong_pin(pin), "Écrivez deux fois le même"),
    }
    async with browser_of(served, person) as at:
        for typed, (again, sentence) in refused.items():
            answer = await post(served, person, at, address, pin=typed, again=again)
            assert answer.status_code == 422
            assert sentence in said(answer)
            assert f'value="{typed}"' not in answer.text
            assert f'value="{again}"' not in answer.text
            assert "aria-invalid" in answer.text, "the field that is wrong is said"


async def test_a_pin_of_four_digits_is_for_who_wishes(
    served: Served, client: httpx.AsyncClient, person: SomePerson
) -> None:
    """Then the same of six for all means."""
    candidates = ("4827", "6039", "7281", "3946")
    decoys = [await is_decoy(served.services, person.id, one) for one in candidates]
    four = candidates[decoys.index(False)]
    assert not is_weak(four)
    async with browser_of(served, person) as at:
        chosen = await post(served, person, at, "/me/pin", pin=four, again=four)
        assert "Votre code secret est changé" in said(chosen)
        assert "Vous avez un code secret" in said(chosen)
        assert "Si c’est trop difficile : 4 chiffres" in said(await at.get("/me/pin"))
    entered = await enter_by_phone(client, served.services, person.phone, four)
    assert entered.status_code == 201


async def test_too_many_pins_are_told_with_when_to_come_back(
    served: Served, person: SomePerson
) -> None:
    pins = (await usable_pins(served.services, person))[: CHOSEN_A_DAY + 1]
    async with browser_of(served, person) as at:
        for pin in pins:
            answer = await post(served, person, at, "/me/pin", pin=pin, again=pin)
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 0
        assert "Attendez quelques heures, puis recommencez." in said(answer)


async def begin_phone(
    served: Served, person: SomePerson, at: Browser, phone: str
) -> tuple[str, str]:
    """The address where the code is typed, and the code."""
    token = await forms.token_for(served.services, person.token)
    sent = await at.post("/me/phone", data={"form": token, "phone": phone})
    assert sent.status_code == 303, sent.text
    address = sent.headers["location"]
    assert phone[3:] not in address
    return address, await last_code(served.services, phone)


async def test_the_phone_is_replaced_by_another(
    served: Served, client: httpx.AsyncClient, person: SomePerson
) -> None:
    pin, phone = await pin_of(served.services, person), new_phone()
    async with browser_of(served, person) as at:
        assert f"qui finit par {person.phone[-2:]}" in said(await at.get("/me/phone"))
        assert (await choose_pin(client, person, pin)).is_success
        address, code = await begin_phone(served, person, at, phone)
        asked = await at.get(address)
        assert 'autocomplete="one-time-code"' in asked.text
        for name in ("pin", "again"):
            assert f'<input type="password" id="{name}"' in asked.text, "it is shown to nobody"
        added = await post(served, person, at, address, code=code, pin=pin, again=pin)
        assert "Vous entrez maintenant avec ce téléphone" in said(added)
        assert f"Téléphone qui finit par {phone[-2:]}" in said(added)
    assert (await enter_by_phone(client, served.services, phone, pin)).status_code == 201


async def test_what_is_refused_of_a_phone_is_said_where_it_is_mended(
    served: Served, client: httpx.AsyncClient, person: SomePerson, make_person: MakePerson
) -> None:
    pin, phone = await pin_of(served.services, person), new_phone()
    assert (await choose_pin(client, person, pin)).is_success
    async with browser_of(served, person) as at:
        short = await post(served, person, at, "/me/phone", phone="06 12")
        assert short.status_code == 422
        assert 'value="06 12"' in short.text, "what was typed is kept"
        address, code = await begin_phone(served, person, at, phone)
        typo = await post(served, person, at, address, code=code, pin=pin, again="1")
        assert "Écrivez deux fois le même" in said(typo)
        assert f'action="{address}"' in typo.text, "the code is still good"
        assert code not in re.sub(r"<aside.*?</aside>", "", typo.text, flags=re.S)
        bad = await post(served, person, at, address, code=wrong_pin(code), pin=pin, again=pin)
        assert bad.status_code == 401
        assert "Ce code ne marche pas" in said(bad)
        added = await post(served, person, at, address, code=code, pin=pin, again=pin)
        assert "Vous entrez maintenant" in said(added)
        # A vault that anybody opens who reads that phone's messages: not said to be there.
        other = await make_person()
        address, code = await begin_phone(served, person, at, other.phone)
        refused = await post(served, person, at, address, code=code, pin=pin, again=pin)
        assert refused.status_code == 409
        assert "Ce numéro ne peut pas être ajouté" in said(refused)
        assert 'action="/me/phone"' in refused.text
        nowhere = await at.get("/me/phone/none")
        assert nowhere.status_code == 404


async def test_a_pin_refused_after_a_right_code_asks_for_another_code(
    served: Served, client: httpx.AsyncClient, person: SomePerson
) -> None:
    """One of those that are refused for no reason: the code is used up by then."""
    decoy = await _decoy(served.services, person)
    assert (await choose_pin(client, person, await pin_of(served.services, person))).is_success
    async with browser_of(served, person) as at:
        address, code = await begin_phone(served, person, at, new_phone())
        refused = await post(served, person, at, address, code=code, pin=decoy, again=decoy)
        words = said(refused)
        assert "Ce code secret ne peut pas être choisi" in words
        assert "Le code reçu est utilisé. Demandez-en un nouveau" in words
        assert 'action="/me/phone"' in refused.text


async def _decoy(services: Services, person: SomePerson) -> str:
    for number in range(480_617, 499_999, 7):
        if not is_weak(str(number)) and await is_decoy(services, person.id, str(number)):
            return str(number)
    raise AssertionError


async def test_a_code_asked_for_elsewhere_adds_nothing_here(
    served: Served, client: httpx.AsyncClient, person: SomePerson, make_person: MakePerson
) -> None:
    thief, phone = await make_person(), new_phone()
    pin = await pin_of(served.services, thief)
    async with browser_of(served, person) as at, browser_of(served, thief) as other:
        address, code = await begin_phone(served, person, at, phone)
        assert (await other.get(address)).headers["location"] == "/me/phone"
        assert (await choose_pin(client, thief, pin)).is_success
        tried = await post(served, thief, other, address, code=code, pin=pin, again=pin)
        assert tried.status_code == 401
        assert phone[-8:] not in tried.text
    assert [one["label"] for one in await means(client, thief.headers)] == [thief.phone[-2:]]


async def test_a_vault_without_a_pin_is_sent_a_code_first(
    served: Served, client: httpx.AsyncClient, person: SomePerson
) -> None:
    pin = await pin_of(served.services, person)
    async with browser_of(served, person) as at:
        page = await at.get("/me/pin")
        assert 'name="pin"' not in page.text
        assert "nous envoyons d’abord un code sur votre téléphone" in said(page)
        shown = await proof_fields(served, person, at)
        ready = await at.get(f"/me/pin?sent={shown['sent']}")
        assert 'autocomplete="one-time-code"' in ready.text
        assert 'name="pin"' in ready.text
        for nowhere in ("", "x", "019acafe-0000-7000-8000-000000000000"):
            assert 'name="pin"' not in (await at.get(f"/me/pin?sent={nowhere}")).text
        fields = {**shown, "pin": pin, "again": pin}
        wrong = await post(
            served, person, at, "/me/pin", **fields | {"proof": wrong_pin(shown["proof"])}
        )
        assert wrong.status_code == 403
        assert "Ce n’est pas le bon code" in said(wrong)
        assert f'name="sent" value="{shown["sent"]}"' in wrong.text, "the same code is asked again"
        assert "Votre code secret est changé" in said(
            await post(served, person, at, "/me/pin", **fields)
        )


async def test_who_can_prove_nothing_waits_seven_days_or_is_stopped(
    served: Served, client: httpx.AsyncClient, person: SomePerson, moved_clock: MoveClock
) -> None:
    pin, other, *_ = await usable_pins(served.services, person)
    assert (await choose_pin(client, person, pin)).is_success
    async with browser_of(served, person) as at:
        assert 'action="/me/proof/wait"' in (await at.get("/me/pin")).text
        begun = await post(served, person, at, "/me/proof/wait")
        assert "Dans 7 jours, revenez ici" in said(begun)
        assert "Vous pourrez faire un changement sans code" in said(begun)
        assert 'action="/me/proof/wait"' not in (await at.get("/me/pin")).text
        ended = await post(served, person, at, "/me/proof/wait/cancel")
        assert "Personne ne change vos façons d’entrer" in said(ended)
        assert "Un changement attend" not in said(ended)
        await post(served, person, at, "/me/proof/wait")
        moved_clock(timedelta(days=7, minutes=1))
        assert "Vous pouvez maintenant faire un changement" in said(await at.get("/me/means"))
        assert 'name="proof"' not in (await at.get("/me/pin")).text
        fields = {"pin": other, "again": other, "proof": ""}
        changed = await post(served, person, at, "/me/pin", **fields)
        assert "Votre code secret est changé" in said(changed)
        assert 'name="proof"' in (await at.get("/me/pin")).text, "it serves once"
