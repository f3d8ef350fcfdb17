"""`make screenshots`: every page of a demo, as a person sees it, to be looked at."""
