"""Pages in a browser. A package, so that its browser ends before other tests that run event loops."""
