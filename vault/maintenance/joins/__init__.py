"""Two vaults of one person, joined from inside both (docs/adr/0063-joined-vaults.md)."""
