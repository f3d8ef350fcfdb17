"""The embedded PostgreSQL: its programs, its settings and its life in the service's home folder."""
