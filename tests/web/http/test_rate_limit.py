"""What a process holds of the buckets that all share, and the sign-ins of a network."""

from dataclasses import replace

import pytest

from base.errors import ServiceError
from tests.attacks.pace import Clock, forget_rates
from vault.services import Services
from web.http.rate_limit import SignInRateLimit, network_of


async def test_the_pace_is_of_a_network(services: Services, frozen: Clock) -> None:
    """Two at once, then two an hour; told the same step at any moment."""
    await forget_rates(services)
    two = services.settings.model_copy(update={"sign_ins_per_hour_from_one_address": 2})
    pace = SignInRateLimit(replace(services, settings=two))

    async def take(address: str) -> None:
        await pace.take(network_of(address).encode())

    await take("2001:db8:1:2::1")
    await take("2001:db8:1:2:ffff::1")
    await take("192.0.2.1")
    with pytest.raises(ServiceError) as refused:
        await take("2001:db8:1:2::3")
    assert refused.value.code == "too_many_sign_ins"
    assert refused.value.retry_after == 60
    frozen.move(1799)
    with pytest.raises(ServiceError) as refused:
        await take("2001:db8:1:2::4")
    assert refused.value.retry_after == 60
    frozen.move(2)
    await take("2001:db8:1:2::4")
    assert network_of("::ffff:192.0.2.1") == "192.0.2.1"
    assert network_of("nonsense") == network_of("") == "unknown"
