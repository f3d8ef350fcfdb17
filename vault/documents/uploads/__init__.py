"""Uploads: files received in pieces, sealed as they arrive, of which a document is made."""
