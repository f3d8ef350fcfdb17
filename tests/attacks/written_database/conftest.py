"""A PostgreSQL of its own, which a superuser writes without the service's keys."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from base.embedded.server import Addresses
from tests.vault.reconciliation.conftest import (
    base_settings,
    home,
    postgres,
    services_pool,
    thief,
)

__all__ = ["base_settings", "home", "postgres", "services_pool", "thief"]


@pytest.fixture
def service(postgres: Addresses) -> Iterator["psycopg.Connection[Any]"]:
    """What the service's own role may write, is tried on it and undone."""
    with psycopg.connect(postgres.service_url.replace("+psycopg", "")) as connection:
        yield connection
