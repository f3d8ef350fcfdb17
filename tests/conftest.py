"""Fixtures shared by every room: a real migrated PostgreSQL, and a desk or a house upon it."""

pytest_plugins = ["tests.servers.fixtures", "tests.fixtures", "tests.skipping"]
