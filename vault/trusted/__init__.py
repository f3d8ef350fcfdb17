"""Whom a person trusts to say at a desk that it is them (docs/adr/0064-trusted-people.md)."""
