"""Reconciling the database with the log: every row is the service's, and the newest that it was."""
