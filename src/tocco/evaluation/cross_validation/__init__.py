"""Cross-validation of models against the ratings of people."""
