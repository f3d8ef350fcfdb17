"""What keeps an installation in order: scheduled jobs, cleanup, erasure, key rotation."""
