"""Generated files kept in step with the code: the API's description, settings, translations."""
