"""The demo: invented people with invented documents, on the real service."""
