"""How good is it, against what, and how sure are we."""
