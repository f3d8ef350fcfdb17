"""Fixtures shared by all tests: a real migrated PostgreSQL, and the services that run on it."""

pytest_plugins = [
    "tests.garbage",
    "tests.cheap_clients",
    "tests.cheap_pins",
    "tests.browsers",
    "tests.fixtures",
    "tests.recovery_people",
    "tests.servers.fixtures",
    "tests.log_configuration",
    "tests.skipping",
    "tests.ordering",
    "tests.faults.table",
]
