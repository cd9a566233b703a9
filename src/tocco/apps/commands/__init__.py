"""Implementation of each command."""
