"""Decoding of uploaded files: their real type, whether they open, the copy for recipients."""
