"""Importers, one per corpus."""
