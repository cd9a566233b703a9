"""How long the keys are held in proportion to the rhythm: legato, staccato, overlap; no score needed."""

from __future__ import annotations

from typing import Final

import numpy as np

from tocco.music.statistics.catalogue import Matter
from tocco.music.statistics.playing import Playing
from tocco.music.statistics.summaries import five, fraction, mean, two
from tocco.units import FloatArray, IntArray

SHORTEST_IOI_SEC: Final = 0.02
"""Ratios to a shorter time say nothing about touch."""
LONGEST_RATIO: Final = 8.0

_TOUCH = Matter("articulation", needs_score=False)

ARTICULATION: Final = (
    *_TOUCH.five("key_duration_sec", "s", "time from key down to key up"),
    *_TOUCH.two("key_duration_log", "log", "logarithm of the time from key down to key up, in seconds"),
    *_TOUCH.five(
        "melody_legato",
        "ratio",
        "upper line: key held relative to the time to the next; 1 is legato (Repp 1995 calls it overlap)",
    ),
    *_TOUCH.one("melody_overlap_fraction", "fraction", "upper line: notes held into the next"),
    *_TOUCH.one("melody_staccato_fraction", "fraction", "upper line: notes held less than half their time"),
    *_TOUCH.one("bass_legato", "ratio", "lower line: key held relative to the time to the next note"),
    *_TOUCH.five(
        "held_log", "log", "all notes: logarithm of key held relative to the time to the next onset"
    ),
    *_TOUCH.one(
        "held_short_fraction", "fraction", "all notes: held less than half the time to the next onset"
    ),
    *_TOUCH.one("melody_held_above_rest", "log", "upper line held longer than the other notes"),
)


def line_ratio(playing: Playing, line: IntArray) -> FloatArray:
    """Key duration against the time to the line's next note: below 1 detached, above 1 overlapping.

    Parameters
    ----------
    playing
    line : (G,) index into struck
        One note of each chord.

    Returns
    -------
    (G - 1,) ratio, 0..5
    """
    onset, offset = playing.struck.onset_sec[line], playing.struck.offset_sec[line]
    ratio = (offset - onset)[:-1] / np.maximum(np.diff(onset), SHORTEST_IOI_SEC)
    return np.clip(ratio, 0.0, 5.0)


def measure_articulation(playing: Playing) -> dict[str, float]:
    """Measure how long keys are held."""
    struck = playing.struck
    duration = struck.offset_sec - struck.onset_sec
    legato = line_ratio(playing, playing.top)
    followed = playing.chord_of < len(playing.chord_size) - 1
    wait = np.maximum(playing.ioi_sec, SHORTEST_IOI_SEC)[playing.chord_of[followed]]
    held = np.clip(duration[followed] / wait, 0.0, LONGEST_RATIO)
    held_log = np.log(held + 0.01)
    is_top = np.zeros(len(struck), dtype=bool)
    is_top[playing.top] = True
    return {
        **five("key_duration_sec", duration),
        **two("key_duration_log", np.log(duration + 1e-3)),
        **five("melody_legato", legato),
        "melody_overlap_fraction": fraction(legato > 1.02),
        "melody_staccato_fraction": fraction(legato < 0.5),
        "bass_legato": mean(line_ratio(playing, playing.bottom)),
        **five("held_log", held_log),
        "held_short_fraction": fraction(held < 0.5),
        "melody_held_above_rest": mean(held_log[is_top[followed]]) - mean(held_log[~is_top[followed]]),
    }
