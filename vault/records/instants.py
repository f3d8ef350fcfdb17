"""The instant and the locks of a transaction, as floor 3 reads and holds them."""

from auth.records.instants import hold, instant

__all__ = ["hold", "instant"]
