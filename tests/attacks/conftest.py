"""Fixtures that several attacks share."""

from tests.attacks.pace import frozen, strict

__all__ = ["frozen", "strict"]
