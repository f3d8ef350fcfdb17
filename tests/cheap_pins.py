"""What a PIN costs to guess is tested among the attacks: there alone, a PIN costs that much."""

from collections.abc import Iterator

import pytest

from auth import pin_hashes


@pytest.fixture(autouse=True)
def cheap_pins(request: pytest.FixtureRequest) -> Iterator[None]:
    """A thousandth of the memory, and of the time: 30 ms for each PIN that is set or compared."""
    before = pin_hashes._MEMORY_KIB
    if "attacks" not in request.path.parts:
        pin_hashes._MEMORY_KIB = 8
    yield
    pin_hashes._MEMORY_KIB = before
