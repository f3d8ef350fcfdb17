"""Floor 1: sealed bytes and keys. Knows no people."""
