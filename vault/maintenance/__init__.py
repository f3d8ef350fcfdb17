"""Maintenance of an installation: scheduled jobs, cleanup, erasure, key rotation."""
