"""Transcription of piano recordings: the notes and pedals, from sound alone."""

from tocco.audio.transcription.command import CommandTranscriber
from tocco.audio.transcription.transcriber import OnHeard, Transcriber, transcribe_cached

__all__ = ["CommandTranscriber", "OnHeard", "Transcriber", "transcribe_cached"]
