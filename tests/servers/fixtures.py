"""Fixtures that give a test a real server, started once a session and stopped at its end."""

import os
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from tests.fixtures import Served
from tests.servers.ceph import Ceph, missing, start_ceph


@pytest.fixture(scope="session")
def ceph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ceph]:
    """A Ceph gateway. Tests that use it carry `@pytest.mark.ceph`.

    Without the programs a developer's run skips them, saying so; a continuous integration run
    (`CI=true`) fails, since a suite that quietly skips its real parts proves nothing.
    """
    if absent := missing():
        reason = f"no Ceph here ({', '.join(absent)}): apt install radosgw ceph-mon ceph-osd"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    server = start_ceph(tmp_path_factory.mktemp("ceph"))
    yield server
    server.stop()


@pytest.fixture
async def management(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    """Calls the management listener of the real server, as its operator would."""
    url = served.management_url
    async with httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as speaking:
        yield speaking
