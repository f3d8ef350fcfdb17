"""A folder of one installation, short enough for a socket, that PostgreSQL's account may enter."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from base.processes import make_traversable
from tests.faults.table import Row, keep


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Its processes' logs, databases, disks and homes."""
    made = Path(tempfile.mkdtemp(prefix="uf-", dir="/dev/shm"))
    made.chmod(0o755)
    make_traversable(made / "one")
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def row(request: pytest.FixtureRequest) -> Row:
    """The row of this test, numbered and named by its mark; kept even when the test fails."""
    mark = request.node.get_closest_marker("fault")
    assert mark is not None
    made = Row(*mark.args)
    keep(request, made)
    return made
