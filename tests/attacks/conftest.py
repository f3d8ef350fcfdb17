"""Fixtures that several attacks share."""

from tests.attacks.pace import strict

__all__ = ["strict"]
