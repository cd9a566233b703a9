"""Raters of the six technical dimensions, one module each, and what they share."""
