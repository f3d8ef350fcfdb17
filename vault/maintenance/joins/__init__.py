"""Two vaults of one person, joined from inside both (docs/adr/0062-joined-vaults.md)."""
