"""Validation of the rule raters."""
