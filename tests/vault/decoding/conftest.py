"""One decoder for the tests of this folder, as the service has one."""

from collections.abc import AsyncIterator

import pytest

from vault.decoding.decoder import Decoder


@pytest.fixture(scope="session")
async def decoder() -> AsyncIterator[Decoder]:
    made = Decoder()
    await made.start()
    yield made
    await made.stop()
