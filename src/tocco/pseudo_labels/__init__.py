"""Ratings computed by rule, one module a dimension."""
