"""MAESTRO: index, files, download and verification."""
