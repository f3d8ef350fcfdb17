"""Making, verifying and restoring backups, which have a sealed manifest."""
