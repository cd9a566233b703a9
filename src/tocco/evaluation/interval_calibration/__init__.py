"""Methods that make predicted intervals hold their level, compared on held-out music."""
