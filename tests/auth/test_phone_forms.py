"""One phone, written in two ways, opens one vault; one kept in a form of before is still found."""

import secrets
from math import inf
from uuid import UUID

import pytest

from auth import one_time_codes
from auth.one_time_codes import SignInWarning
from auth.records import people
from auth.services import CoreServices
from auth.subjects import Person
from base.errors import ServiceError
from base.phone_numbers import normal_phone
from storage import keys
from tests.attacks.statements import statements
from tests.auth.steps import ask, redeem, sent_codes
from tests.vault.consent import steps
from vault.consent import request_views, requests
from vault.consent.request_transfer import adopt_requests


def digits(count: int) -> str:
    """Digits that no other test has."""
    return f"{secrets.randbelow(10**count):0{count}}"


async def opened(services: CoreServices, typed: str, normal: str) -> UUID:
    """The vault that a phone opens, as it is typed; the code goes to its normal form."""
    started = await ask(services, typed)
    return (await redeem(services, started, (await sent_codes(services, normal))[-1])).subject_id


async def kept(services: CoreServices, person_id: UUID) -> tuple[bytes, str]:
    """How a person's phone is kept: its tag, and its sealed form."""
    async with services.database.transaction() as tx:
        row = await people.person(tx, await services.field_encryption.row_macs(), person_id)
    assert row is not None
    reader = await services.field_encryption.reader(person_id)
    return row.phone_tag, reader.open("person", person_id, row.sealed)["phone"]


async def tag(services: CoreServices, phone: str) -> bytes:
    return await services.field_encryption.tag("phone", phone)


@pytest.mark.parametrize(
    ("one", "other", "normal"),
    [
        ("07 09 00 {}", "+590 709 00 {}", "+59070900{}"),
        ("+33 7 09 00 {}", "0709 00 {}", "+59070900{}"),
        ("+212 6 11 22 {}", "+212 06 11 22 {}", "+21261122{}"),
        ("+212 (0)6 11 23 {}", "00212 611 23 {}", "+21261123{}"),
        ("+93 70 112 {}", "+93 070 112 {}", "+9370112{}"),
        ("06.12.34.{}", "33 6 12 34 {}", "+3361234{}"),
    ],
)
async def test_one_phone_written_in_two_ways_opens_one_vault(
    services: CoreServices, one: str, other: str, normal: str
) -> None:
    end = digits(4)
    first = await opened(services, one.format(end), normal.format(end))
    assert await opened(services, other.format(end), normal.format(end)) == first
    assert await kept(services, first) == (
        await tag(services, normal.format(end)),
        normal.format(end),
    )


FORMS = [
    # as a release of before kept it, as it is typed now, its normal form
    ("+2120611{}", "+212 6 11 {}", "+212611{}"),
    ("+2120612{}", "+212 06 12 {}", "+212612{}"),
    ("+3370900{}", "+590 7 09 00 {}", "+59070900{}"),
    ("+3370900{}", "07 09 00 {}", "+59070900{}"),
    ("+26263998{}", "06 39 98 {}", "+3363998{}"),
    ("+4407400{}", "+44 7400 {}", "+447400{}"),
    ("+5215512{}", "+52 55 12 {}", "+525512{}"),
    ("+5215513{}", "+52 1 55 13 {}", "+525513{}"),
]


@pytest.mark.parametrize(("before", "typed", "normal"), FORMS)
async def test_a_vault_of_before_is_found_and_brought_forward(
    services: CoreServices, before: str, typed: str, normal: str
) -> None:
    end = digits(4 if "63998" in normal or "709" in normal else 6)
    before, typed, normal = (form.format(end) for form in (before, typed, normal))
    person = await steps.make_person(services, before)
    for way in (typed, normal, before):
        assert await opened(services, way, normal) == person.id
        assert await kept(services, person.id) == (await tag(services, normal), normal)


async def test_two_vaults_of_before_for_one_phone_stay_two(services: CoreServices) -> None:
    end = digits(6)
    with_zero, without = f"+2120613{end}", f"+212613{end}"
    one = await steps.make_person(services, with_zero)
    other = await steps.make_person(services, without)
    for _ in range(2):
        assert await opened(services, f"+212 (0)613{end}", without) == one.id
        assert await opened(services, f"+212 613{end}", without) == other.id
    assert await kept(services, one.id) == (await tag(services, with_zero), with_zero)
    assert await kept(services, other.id) == (await tag(services, without), without)


async def test_a_request_reaches_a_vault_of_before(services: CoreServices) -> None:
    end = digits(6)
    person = await steps.make_person(services, f"+2120614{end}")
    worker = await steps.make_worker(services)
    sent = await requests.ask(services, worker, f"+212 614{end}", steps.asking("payslip"))
    received = await request_views.list_received(services, Person(person.id))
    assert [item.id for item in received.items] == [sent.id]


async def test_a_request_of_before_waits_for_the_vault_that_opens(services: CoreServices) -> None:
    end = digits(6)
    person = await steps.make_person(services, f"+212615{end}")
    worker = await steps.make_worker(services)
    sent = await requests.ask(services, worker, f"+212 616{end}", steps.asking("payslip"))
    async with services.database.transaction() as tx:
        tags = [await tag(services, f"+2120616{end}"), await tag(services, f"+212616{end}")]
        assert await adopt_requests(services, tx, person.id, tags) == 1
    received = await request_views.list_received(services, Person(person.id))
    assert [item.id for item in received.items] == [sent.id]


LANDLINES = ("01 42 00 {}", "09 72 00 {}", "0805 00 {}")


async def test_no_request_is_sent_to_a_landline(services: CoreServices) -> None:
    worker = await steps.make_worker(services)
    for phone in LANDLINES:
        with pytest.raises(ServiceError) as refused:
            await requests.ask(services, worker, phone.format("0000"), steps.asking("payslip"))
        assert refused.value.code == "phone_landline"
        assert refused.value.fields == (("person", "phone"),)


@pytest.mark.parametrize("written", LANDLINES)
async def test_a_landline_is_warned_of_and_opens_the_vault_that_it_had(
    services: CoreServices, written: str
) -> None:
    """With or without a vault the answer is the same, and nobody is kept from their papers."""
    phone = written.format(digits(4))
    person = await steps.make_person(services, normal_phone(phone))
    for typed in (phone, written.format(digits(4))):
        started = await ask(services, typed)
        assert started.warnings == (SignInWarning.PHONE_LANDLINE,)
        held = await one_time_codes.sent_to(services, started.id, started.secret)
        assert held is not None
        assert (held.address, held.warnings) == (normal_phone(typed), started.warnings)
    assert await opened(services, phone, normal_phone(phone)) == person.id


async def test_a_mobile_phone_is_not_warned_of(services: CoreServices) -> None:
    assert (await ask(services, f"06 12 34 {digits(4)}")).warnings == ()


async def test_looking_for_every_form_is_one_query_with_or_without_a_vault(
    services: CoreServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "CACHE_SECONDS", inf)  # else one is read again, in one of the three
    worker = await steps.make_worker(services)
    numbers = [f"+212{618 + number}{digits(6)}" for number in range(3)]
    await steps.make_person(services, numbers[0])
    await steps.make_person(services, f"+2120{numbers[1][4:]}")
    asked_of_each, sent_for_each = [], []
    for number in numbers:
        await ask(services, number)  # the year's first entry in a log makes a key
        with statements(services) as asked:
            await ask(services, number)
        with statements(services) as sent:
            await requests.ask(services, worker, number, steps.asking("payslip"))
        asked_of_each.append(asked)
        sent_for_each.append(sent)
    assert asked_of_each[0] == asked_of_each[1] == asked_of_each[2]
    of_people = [[one for one in sent if "FROM unefois.person" in one] for sent in sent_for_each]
    assert [len(one) for one in of_people] == [1, 1, 1]
    assert of_people[0] == of_people[1] == of_people[2]
