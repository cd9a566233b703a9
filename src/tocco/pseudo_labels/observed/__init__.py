"""Observations of a performance: notes, onsets, voices, and the limits of a transcription."""
