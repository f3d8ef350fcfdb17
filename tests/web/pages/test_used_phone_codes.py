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
    person, phone = await make_person(), new_phone()
    pin, other, *_ = await usable_pins(served.services, person)
    assert (await choose_pin(client, person, pin)).is_success
    monkeypatch.setattr(phone_enrolment, "PHONE_TAKEN", Rate(1, timedelta(days=1)))
    async with browser_of(served, person) as at:
        for answered in ("Vous entrez maintenant avec ce téléphone", "Attendez quelques heures"):
            address, code = await begin_phone(served, person, at, phone)
            wrong = await post(
                served, person, at, address, code=wrong_pin(code), pin=other, again=other
            )
            assert f'action="{address}"' in wrong.text, "a wrong one may be typed again"
            done = await post(served, person, at, address, code=code, pin=other, again=other)
            assert answered in said(done)
            assert f'action="{address}"' not in done.text
        assert done.status_code == 429
        assert 'action="/me/phone"' in done.text
        assert f'value="0{phone[3]} ' in done.text.replace("\xa0", " "), (
            "it need not be typed again"
        )
        assert (await at.get(address)).headers["location"] == "/me/phone"


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
