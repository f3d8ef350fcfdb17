"""Texts in the caller's language: error messages, log entries, the gettext catalogues."""
