"""Floor 4: the domain: documents, grants, requests; one file a use case."""
