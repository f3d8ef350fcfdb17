"""Migrations: forward only, run as the owner of the tables."""
