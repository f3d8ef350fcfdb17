"""Whoever represents a person under tutelle (docs/adr/0069-representatives.md)."""
