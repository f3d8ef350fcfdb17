"""Fixtures that several attacks share."""

from tests.attacks.broken_log import log
from tests.attacks.pace import frozen, strict

__all__ = ["frozen", "log", "strict"]
