"""A phone's code that was right is used up, whatever is refused after it: it is not asked again."""

from datetime import timedelta

import httpx
import pytest

from auth import phone_enrolment, pin_hashes
from auth.rate_buckets import Rate
from tests.auth.means_steps import choose_pin, pin_of, usable_pins
from tests.auth.means_steps import wrong as wrong_pin
from tests.fixtures import MakePerson, Served, new_phone
from tests.web.pages.test_own_means import begin_phone, post, said
from tests.web.pages.test_pages import browser_of


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a PIN costs to guess is not tested here."""
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


async def test_after_too_many_pins_on_one_phone_another_code_is_asked(
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two people, whose phone it becomes: the first one adds it, and the second one waits."""
    first, second, phone = await make_person(), await make_person(), new_phone()
    pins = await usable_pins(served.services, first, second)
    monkeypatch.setattr(phone_enrolment, "PHONE_TAKEN", Rate(1, timedelta(days=1)))
    for person, pin, answered in (
        (first, pins[0], "Vous entrez maintenant avec ce téléphone"),
        (second, pins[1], "Attendez quelques heures"),
    ):
        assert (await choose_pin(client, person, pin)).is_success
        async with browser_of(served, person) as at:
            address, code = await begin_phone(served, person, at, phone)
            typed = {"pin": pin, "again": pin}
            wrong = await post(served, person, at, address, code=wrong_pin(code), **typed)
            assert f'action="{address}"' in wrong.text, "a wrong one may be typed again"
            done = await post(served, person, at, address, code=code, **typed)
            assert answered in said(done)
            assert f'action="{address}"' not in done.text
            assert (await at.get(address)).headers["location"] == "/me/phone"
    assert done.status_code == 429
    assert 'action="/me/phone"' in done.text
    shown = done.text.replace("\xa0", " ")
    assert f'value="0{phone[3]} ' in shown, "it need not be typed again"


async def test_a_code_that_added_the_phone_is_not_asked_again(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """By « Back », or in a second tab."""
    person = await make_person()
    pin = await pin_of(served.services, person)
    assert (await choose_pin(client, person, pin)).is_success
    async with browser_of(served, person) as at:
        address, code = await begin_phone(served, person, at, new_phone())
        assert (await at.get(address)).status_code == 200
        added = await post(served, person, at, address, code=code, pin=pin, again=pin)
        assert "Vous entrez maintenant" in said(added)
        assert (await at.get(address)).headers["location"] == "/me/phone"
