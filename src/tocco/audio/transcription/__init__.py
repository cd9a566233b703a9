"""Transcription of piano recordings: the notes and pedals, from sound alone."""

from tocco.audio.transcription.choice import transcriber_of
from tocco.audio.transcription.command import CommandTranscriber
from tocco.audio.transcription.transcriber import OnHeard, Transcriber, cached_path, transcribe_cached

__all__ = [
    "CommandTranscriber",
    "OnHeard",
    "Transcriber",
    "cached_path",
    "transcribe_cached",
    "transcriber_of",
]
