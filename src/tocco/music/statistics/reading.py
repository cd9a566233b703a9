"""A performance read once, for everything that is measured of it."""

from __future__ import annotations

from dataclasses import dataclass

from tocco.music.alignment import Alignment
from tocco.music.performance import Performance
from tocco.music.statistics.playing import Playing, read_playing
from tocco.music.statistics.written import Written, read_written


@dataclass(frozen=True, eq=False)
class Reading:
    """What was played and what was written, note by note.

    Attributes
    ----------
    performance
    alignment : None without a score
    playing
    written : None without a score, and where too few notes match
    """

    performance: Performance
    alignment: Alignment | None
    playing: Playing
    written: Written | None


def read_performance(performance: Performance, alignment: Alignment | None = None) -> Reading:
    """Read a performance, and its score where there is one.

    Parameters
    ----------
    performance
        Whole, or a window cut from a longer one.
    alignment
        The same performance against its score.
    """
    playing = read_playing(performance)
    written = None
    if alignment is not None and len(playing.struck) > 0:
        written = read_written(playing, alignment)
    return Reading(performance, alignment, playing, written)
