"""Jobs at work: one process each, watched by the server."""
