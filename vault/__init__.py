"""Layer 4, the domain: documents, consent, access log, maintenance."""
