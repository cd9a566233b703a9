"""What keys and written notes are called; middle C is C4."""

from __future__ import annotations

from typing import Final

from tocco.music.score import Score

_PITCH_CLASSES: Final = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


def key_name(pitch: int) -> str:
    """Name of a key. A key has no spelling of its own, so sharps only.

    >>> key_name(60), key_name(21), key_name(106)
    ('C4', 'A0', 'A#7')
    """
    return f"{_PITCH_CLASSES[pitch % 12]}{pitch // 12 - 1}"


def written_name(score: Score, note: int) -> str:
    """Name of a written note as printed; where the file has no names, that of its key."""
    return (score.spelling[note] if score.spelling else "") or key_name(int(score.pitch[note]))
