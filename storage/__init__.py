"""The layer of sealed bytes and keys. It knows no people."""
