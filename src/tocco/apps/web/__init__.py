"""The web application: `tocco serve`. Everything heavy is imported in the worker processes of its jobs."""
