"""The lowest layer: settings, errors, clock, database session."""
