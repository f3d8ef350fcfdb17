"""SQL of consent, one file per subject."""
