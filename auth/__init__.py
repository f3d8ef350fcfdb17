"""The auth layer: who is calling: people, workers, clients."""
