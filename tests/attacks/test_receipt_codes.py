"""Guessing the codes of receipts: each wrong one is a failure like any other, paced by network."""

from uuid import UUID

import pytest

from tests.attacks.pace import AT_ONCE, Strict
from tests.fixtures import MakePerson, MakeWorker
from tests.steps import granted
from vault.consent.receipt_codes import code_of
from vault.services import Services

STRANGER, OTHER = "203.0.113.9", "198.51.100.20"


@pytest.mark.parametrize("at", ["/v1/verify", "/verify"])
async def test_wrong_codes_are_paced_and_right_ones_cost_nothing(
    strict: Strict, make_person: MakePerson, make_worker: MakeWorker, services: Services, at: str
) -> None:
    """To programs, and on the page."""
    person, worker = await make_person(), await make_worker()
    grant = await granted(strict.client, person, worker.headers, "payslip")
    code = await code_of(services, UUID(grant))
    right = f"{at}/{code}"
    for _ in range(AT_ONCE + 5):
        assert (await strict.send("GET", right, STRANGER)).status_code == 200
    wrong = f"{at}/{'a' * 40}"
    statuses = [(await strict.send("GET", wrong, STRANGER)).status_code for _ in range(AT_ONCE + 5)]
    assert statuses == [404] * AT_ONCE + [429] * 5
    # Elsewhere one goes on checking; there, once a minute has passed.
    assert (await strict.send("GET", right, STRANGER)).status_code == 429
    assert (await strict.send("GET", right, OTHER)).status_code == 200
    strict.clock.move(60)
    assert (await strict.send("GET", right, STRANGER)).status_code == 200


async def test_the_keys_of_receipts_are_read_all_the_same(strict: Strict) -> None:
    await strict.burn(STRANGER)
    answer = await strict.send("GET", "/v1/receipt-keys", STRANGER)
    assert answer.status_code == 200
