"""Invariant 7: a request costs the same whoever holds the phone, seen a moment ago or never."""

from collections.abc import Mapping

import pytest

from tests.attacks.test_sign_in import statements
from tests.rooms import MakePerson, MakeWorker, new_phone
from tests.vault.consenting import asking
from vault import consent
from vault.house import House


async def test_asking_costs_the_same_with_a_vault_and_without(
    house: House,
    make_person: MakePerson,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As many statements, and as many calls to whoever keeps the root key: over a network, each is
    milliseconds that a sender could time."""
    seldom, often, worker = await make_person(), await make_person(), await make_worker()
    provider = house.storage.keys.provider
    unwrap, unwrapped = provider.unwrap, [0]

    async def counting(version: str, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        unwrapped[0] += 1
        return await unwrap(version, wrapped, context)

    monkeypatch.setattr(provider, "unwrap", counting)
    await consent.ask(house, worker.subject, new_phone(), asking("payslip"))
    costs = []
    for phone in (seldom.phone, often.phone, new_phone(), often.phone, new_phone()):
        if phone == seldom.phone:
            house.storage.keys.forget(str(seldom.id))
            house.ledger.forget(seldom.id)
        else:
            await house.fields.of(often.id)
        unwrapped[0] = 0
        with statements(house) as sent:
            await consent.ask(house, worker.subject, phone, asking("payslip"))
        costs.append((len(sent), unwrapped[0]))
    assert len(set(costs)) == 1
