"""Floor 0: settings, errors, clock, database session."""
