"""Layer 5: the HTTP edge: JSON API, pages, command line. Wiring and translation, no rules."""
