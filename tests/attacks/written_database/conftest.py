"""A PostgreSQL of its own, which a superuser writes without the service's keys."""

from tests.vault.reconciliation.conftest import (
    base_settings,
    home,
    postgres,
    services_pool,
    thief,
)

__all__ = ["base_settings", "home", "postgres", "services_pool", "thief"]
