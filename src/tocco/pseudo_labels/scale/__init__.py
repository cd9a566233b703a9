"""Reference scale: from measured components to ratings."""
