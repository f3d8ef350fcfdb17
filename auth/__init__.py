"""Floor 3: who is calling: people, workers, clients."""
