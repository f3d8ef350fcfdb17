"""Exports and imports: all that a vault has, as one file that its person takes elsewhere."""
