"""The embedded PostgreSQL: its programs, settings and processes in the service's home folder."""
