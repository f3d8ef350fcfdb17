"""The audit layer: the log of access events. Knows no documents."""
