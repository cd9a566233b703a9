"""Norms: what competent pianists are expected to do in a given musical context."""
