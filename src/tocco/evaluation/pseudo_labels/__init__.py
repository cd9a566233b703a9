"""Validation of the pseudo-labels."""
