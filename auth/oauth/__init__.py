"""Administrations' systems: clients, their signed assertions, and the access tokens they get."""
