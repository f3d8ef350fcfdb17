"""Backups: made, described by a sealed manifest, verified, restored."""
