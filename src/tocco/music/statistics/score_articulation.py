"""Held durations against written ones, by voice and value; and pedalling against beats and bars."""

from __future__ import annotations

from typing import Final

import numpy as np

from tocco.music.alignment import Alignment
from tocco.music.statistics.catalogue import Matter
from tocco.music.statistics.playing import Playing, pedal_crossings
from tocco.music.statistics.summaries import MISSING, correlation, five, fraction, mean
from tocco.music.statistics.written import Written
from tocco.units import FloatArray

SHORTEST_WRITTEN_BEAT: Final = 0.05
SHORT_VALUE_BEAT: Final = 0.5
NEAR_DOWNBEAT_BEAT: Final = 0.5

_HELD = Matter("held and written duration", needs_score=True)
_PEDAL = Matter("pedal against metre", needs_score=True)

SCORE_ARTICULATION: Final = (
    *_HELD.five("articulation", "log", "key held relative to the written duration at the tempo around it"),
    *_HELD.one("articulation_short_fraction", "fraction", "notes held less than 60 % of what is written"),
    *_HELD.one("articulation_long_fraction", "fraction", "notes held over 110 % of what is written"),
    *_HELD.five("sounding_articulation", "log", "note sounding, pedal included, against what is written"),
    *_HELD.one("upper_articulation", "log", "key held relative to written, upper staff"),
    *_HELD.one("lower_articulation", "log", "key held relative to written, lower staff"),
    *_HELD.one("top_articulation", "log", "key held relative to written, highest notes"),
    *_HELD.one("inner_articulation", "log", "key held relative to written, all but the highest notes"),
    *_HELD.one("short_value_articulation", "log", "key held relative to written, up to a quaver"),
    *_HELD.one("long_value_articulation", "log", "key held relative to written, beyond a quaver"),
    *_HELD.one("articulation_loudness", "correlation", "the louder, the longer held for what is written"),
    *_PEDAL.one("pedal_presses_a_bar", "ratio", "pedal presses a bar"),
    *_PEDAL.one(
        "pedal_release_downbeat_fraction", "fraction", "pedal releases within half a beat of a downbeat"
    ),
)


def articulation_log(written: Written, length_sec: FloatArray) -> FloatArray:
    """How long each note lasts against what is written, at the tempo around it.

    Parameters
    ----------
    written
    length_sec : (K,) seconds
        Key or sounding duration of the matched notes.

    Returns
    -------
    (K,) logarithm of the ratio: 0 as written, below detached, above overlapping
    """
    due = np.maximum(written.duration_beat, SHORTEST_WRITTEN_BEAT) * written.local_beat_sec[written.onset_of]
    return np.log((length_sec + 0.005) / due)


def measure_score_articulation(playing: Playing, alignment: Alignment, written: Written) -> dict[str, float]:
    """Measure articulation relative to the score and pedalling against the metre."""
    struck = playing.struck
    held = articulation_log(written, (struck.offset_sec - struck.onset_sec)[written.played])
    sounding = articulation_log(written, (struck.end_sec - struck.onset_sec)[written.played])
    upper, lower = held[written.staff == 1], held[written.staff == 2]
    short = written.duration_beat <= SHORT_VALUE_BEAT
    return {
        **five("articulation", held),
        "articulation_short_fraction": fraction(held < np.log(0.6)),
        "articulation_long_fraction": fraction(held > np.log(1.1)),
        **five("sounding_articulation", sounding),
        "upper_articulation": mean(upper),
        "lower_articulation": mean(lower),
        "top_articulation": mean(held[written.is_top]),
        "inner_articulation": mean(held[~written.is_top]),
        "short_value_articulation": mean(held[short]),
        "long_value_articulation": mean(held[~short]),
        "articulation_loudness": correlation(held, struck.velocity[written.played]),
        **_pedal(playing, alignment, written),
    }


def _pedal(playing: Playing, alignment: Alignment, written: Written) -> dict[str, float]:
    first, last = written.onset_sec[0], written.onset_sec[-1]
    pressed, released = (
        crossing[(crossing >= first) & (crossing <= last)] for crossing in pedal_crossings(playing.sustain)
    )
    start = alignment.score.bar_onset_beat
    n_bars = int(((start > written.onset_beat[0]) & (start <= written.onset_beat[-1])).sum())
    # The map from seconds to beats needs seconds in ascending order.
    rising = np.maximum.accumulate(written.onset_sec)
    place = np.interp(released, rising, written.onset_beat)
    following = np.minimum(np.searchsorted(start, place), len(start) - 1)
    apart = np.minimum(np.abs(start[following] - place), np.abs(place - start[np.maximum(following - 1, 0)]))
    return {
        "pedal_presses_a_bar": len(pressed) / n_bars if n_bars else MISSING,
        "pedal_release_downbeat_fraction": fraction(apart <= NEAR_DOWNBEAT_BEAT),
    }
