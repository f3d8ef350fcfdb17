"""How fast the service is: each row beside its floor, measured alternately in the same run."""
