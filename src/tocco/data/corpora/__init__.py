"""Importers, one a corpus."""
