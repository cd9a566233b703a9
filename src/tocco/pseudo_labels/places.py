"""Position of an event for a reader: "bar 12, beat 3", or a time without a score."""

from __future__ import annotations

from tocco.music.alignment import Alignment
from tocco.music.places import name_place


def place(alignment: Alignment | None, onset_beat: float | None, at_sec: float) -> str:
    """Bar and beat where there is a score, else minutes and seconds.

    Parameters
    ----------
    alignment
    onset_beat : beats (quarter notes) of the score
    at_sec : seconds of the performance

    Examples
    --------
    >>> place(None, None, 75.25)
    'at 1:15.2'
    """
    if alignment is None or onset_beat is None:
        minutes, tenths = divmod(int(max(at_sec, 0.0) * 10.0), 600)
        return f"at {minutes}:{tenths / 10:04.1f}"
    return name_place(alignment.score, onset_beat)
