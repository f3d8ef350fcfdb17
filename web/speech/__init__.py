"""Sounds of the sentences that are the same for everybody, made before anybody listens."""
