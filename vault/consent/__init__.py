"""Consent: requests, grants, their terms and receipts, and what a grant attests."""
