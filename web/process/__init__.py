"""The processes of an installation: how one is put together, supervised and stopped."""
