"""The transparency log: a Merkle tree over the events, its tiles, checkpoints and witnesses."""
