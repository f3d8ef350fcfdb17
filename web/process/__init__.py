"""The processes of an installation: how one is set up, supervised and stopped."""
