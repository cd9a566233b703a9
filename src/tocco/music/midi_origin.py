"""How a MIDI file says that a transcriber heard its notes: by the name of its first track."""

from __future__ import annotations

from pathlib import Path
from typing import Final

TRANSCRIBED_BY: Final = "transcribed by "
"""How that name begins; what transcribed follows."""

_TRACK_NAME: Final = b"\xff\x03"
_HEAD_BYTES: Final = 4096


def says_transcribed(data: bytes) -> bool:
    """Whether the head of a MIDI file names a transcriber."""
    at = data.find(_TRACK_NAME, 0, _HEAD_BYTES)
    return at >= 0 and data[at + len(_TRACK_NAME) + 1 :].startswith(TRANSCRIBED_BY.encode())


def is_transcription(path: Path) -> bool:
    """The same of a file; False for one that cannot be read."""
    try:
        with path.open("rb") as file:
            return says_transcribed(file.read(_HEAD_BYTES))
    except OSError:
        return False
