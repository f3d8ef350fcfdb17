"""Consent: requests, grants, their terms and receipts, and evidence under a grant."""
