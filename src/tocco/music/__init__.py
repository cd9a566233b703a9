"""Performances as MIDI, scores, and their alignment."""
