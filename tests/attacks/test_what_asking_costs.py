"""Invariant 7: a request costs the same for any phone number, seen a moment ago or never."""

from collections.abc import Mapping

import pytest

from tests.attacks.test_sign_in import statements
from tests.fixtures import MakePerson, MakeWorker, new_phone
from tests.vault.consent.steps import asking
from vault.consent import requests
from vault.services import Services


async def test_asking_costs_the_same_with_a_vault_and_without(
    services: Services,
    make_person: MakePerson,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As many statements, and as many calls to the key provider: over a network, each takes
    milliseconds that a requester could measure."""
    seldom, often, worker = await make_person(), await make_person(), await make_worker()
    provider = services.storage.keys.provider
    unwrap, unwrapped = provider.unwrap, [0]

    async def counting(version: str, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        unwrapped[0] += 1
        return await unwrap(version, wrapped, context)

    monkeypatch.setattr(provider, "unwrap", counting)
    await requests.ask(services, worker.subject, new_phone(), asking("payslip"))
    costs = []
    for phone in (seldom.phone, often.phone, new_phone(), often.phone, new_phone()):
        if phone == seldom.phone:
            services.storage.keys.forget(str(seldom.id))
            services.audit_log.forget(seldom.id)
        else:
            await services.field_encryption.reader(often.id)
        unwrapped[0] = 0
        with statements(services) as sent:
            await requests.ask(services, worker.subject, phone, asking("payslip"))
        costs.append((len(sent), unwrapped[0]))
    assert len(set(costs)) == 1
