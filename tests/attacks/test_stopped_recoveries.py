"""Whoever types digits that stop a recovery learns nothing by what it costs."""

import secrets

import httpx
import pytest

from tests.attacks.statements import statements
from tests.fixtures import SomePerson, SomeWorker
from tests.recoveries import ReadPaper, begun, some_paper, stop_digits, texts_to
from vault.recovery import stops
from vault.services import Services

pytestmark = pytest.mark.usefixtures("pins_are_cheap")


async def test_digits_cost_the_same_whether_or_not_they_stop_something(
    services: Services,
    client: httpx.AsyncClient,
    camille: SomeWorker,
    lost: SomePerson,
    paper: ReadPaper,
) -> None:
    await begun(client, camille, some_paper())
    await begun(client, camille, paper)
    digits = stop_digits((await texts_to(services, lost.phone))[0])
    costs = {}
    for name, typed in (
        ("warm", f"{secrets.randbelow(10**8):08}"),
        ("unknown", f"{secrets.randbelow(10**8):08}"),
        ("no digits", "é"),
        ("right", digits),
        ("again", digits),
    ):
        with statements(services) as run:
            await stops.stop_by_code(services, typed, secrets.token_hex(4))
        costs[name] = list(run)
    costs.pop("warm")
    assert len(costs["unknown"]) > 10
    assert all(one == costs["unknown"] for one in costs.values())
