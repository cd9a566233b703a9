"""Playing made worse on purpose, one respect at a time, with a record of what was done.

A corruption acts on keys and pedals; sound comes afterwards, by rendering what came out.
"""

from tocco.music.corruption.kinds import (
    CORRUPTIONS,
    HELD_OUT_KINDS,
    CorruptionKind,
    corrupt,
    corruption_kind,
)
from tocco.music.corruption.record import Corruption, NoteEdit, SpanEdit

__all__ = [
    "CORRUPTIONS",
    "HELD_OUT_KINDS",
    "Corruption",
    "CorruptionKind",
    "NoteEdit",
    "SpanEdit",
    "corrupt",
    "corruption_kind",
]
