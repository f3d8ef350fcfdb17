"""Texts in the caller's language: error messages, log sentences, the gettext catalogues."""
