"""A closing of the service that was taken away, put back, or is from nowhere, is named."""

from uuid import uuid4

from auth import closings
from auth.records.closings import ClosingRow
from tests.closings import LAST_DAY
from tests.vault.reconciliation.conftest import Thief
from tests.vault.reconciliation.steps import found
from vault.services import Services


async def test_one_taken_away_put_back_or_from_nowhere(services: Services, thief: Thief) -> None:
    table = ClosingRow.__tablename__
    closing = (await closings.announce(services, LAST_DAY)).id
    former = thief.take(table, closing)
    assert await found(services) == set()
    with thief.changing(table):
        thief.remove(table, closing)
        assert await found(services) == {f"missing closing {closing}"}
        thief.put(table, *former)
    await closings.cancel(services)
    assert await found(services) == set()
    with thief.changing(table):
        thief.remove(table, closing)
        thief.put(table, *former)
        assert await found(services) == {f"back closing {closing}"}
        made = uuid4()
        thief.put(table, {**former[0], "id": str(made)})
        assert await found(services) >= {f"not_in_log closing {made}", f"mac closing {made}"}
