"""Cross-validation of models against human ratings."""
