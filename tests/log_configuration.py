"""How the process logs is put back after each test: a command run in it, or a server, sets it up,
and lines below its level would be missing from what the next tests capture."""

import logging
from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def log_configuration() -> Iterator[None]:
    """Keep the set-up of `structlog` and of the root logger."""
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**before)
