"""Floor 2: the log. Knows no documents."""
