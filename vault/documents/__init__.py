"""Documents: deposited, seen, corrected, retrieved, previewed, scanned."""
