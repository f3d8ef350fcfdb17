"""Tables and SQL of the auth layer, one file per subject."""
