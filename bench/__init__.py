"""How fast the service is, each line beside its floor, measured in turn in the same run."""
