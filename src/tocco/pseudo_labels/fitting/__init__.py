"""Fitting norms and scales to competent performances; used offline only."""
