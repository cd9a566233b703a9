"""Evaluation on held-out excerpts: tables, pictures, worst cases; of a test part or of cross-validation."""
