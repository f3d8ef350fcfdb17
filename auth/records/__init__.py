"""Tables and SQL of floor 3, a file a subject."""
