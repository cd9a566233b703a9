"""From measured components to ratings."""
