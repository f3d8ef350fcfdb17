"""Fixtures that tests of HTTP share."""

from tests.attacks.pace import frozen

__all__ = ["frozen"]
