"""Time between onsets, and how exactly the keys of a chord fall together; no score needed."""

from __future__ import annotations

from typing import Final

import numpy as np

from tocco.music.statistics.catalogue import Matter
from tocco.music.statistics.playing import Playing
from tocco.music.statistics.summaries import (
    MISSING,
    autocorrelation,
    five,
    group_sum,
    mean,
    sd,
    step,
    two,
)
from tocco.units import FloatArray, IntArray

_RHYTHM = Matter("rhythm", needs_score=False)
_TOGETHER = Matter("togetherness", needs_score=False)

TIMING: Final = (
    *_RHYTHM.five("ioi_sec", "s", "time from one onset to the next"),
    *_RHYTHM.two("ioi_log", "log", "logarithm of the time from one onset to the next, in seconds"),
    *_RHYTHM.one("ioi_cv", "ratio", "spread of the times between onsets against their mean"),
    *_RHYTHM.one(
        "ioi_npvi",
        "ratio",
        "normalised pairwise variability of the times between onsets, x 100 (Grabe and Low 2002)",
    ),
    *_RHYTHM.one("ioi_log_step", "log", "change from one time between onsets to the next"),
    *_RHYTHM.one("ioi_log_autocorrelation", "correlation", "similarity of successive times between onsets"),
    *_RHYTHM.one("ioi_unevenness", "log", "times between onsets against the median of 5 around them, spread"),
    *_RHYTHM.one("ioi_drift", "log", "median of 5 times between onsets against the median of 17, spread"),
    *_RHYTHM.one(
        "ioi_even_run_unevenness",
        "log",
        "change between neighbouring times that are meant alike (within a factor 1.35), mean size",
    ),
    *_RHYTHM.one("ioi_longest", "log", "longest time between onsets against the median one"),
    *_TOGETHER.five("chord_spread_ms", "ms", "from the first to the last key of a chord"),
    *_TOGETHER.one("chord_spread_wide_fraction", "fraction", "chords spread over more than 30 ms"),
    *_TOGETHER.one(
        "melody_lead_ms", "ms", "highest key of a chord before the mean of the others (Goebl 2001)"
    ),
    *_TOGETHER.one("melody_lead_sd_ms", "ms", "spread of the melody lead over chords"),
)


def measure_timing(playing: Playing) -> dict[str, float]:
    """Measure the rhythm of onsets and the togetherness of chords."""
    return {**_rhythm(playing.ioi_sec), **_togetherness(playing)}


def _rhythm(ioi_sec: FloatArray) -> dict[str, float]:
    from scipy.ndimage import median_filter

    log_ioi = np.log(ioi_sec + 1e-3)
    pairs = np.abs(np.diff(ioi_sec)) / ((ioi_sec[1:] + ioi_sec[:-1]) / 2.0)
    change = np.abs(np.diff(log_ioi))
    near = median_filter(log_ioi, 5, mode="nearest") if len(ioi_sec) >= 5 else np.zeros(0)
    far = median_filter(log_ioi, 17, mode="nearest") if len(ioi_sec) >= 17 else np.zeros(0)
    return {
        **five("ioi_sec", ioi_sec),
        **two("ioi_log", log_ioi),
        "ioi_cv": sd(ioi_sec) / mean(ioi_sec),
        "ioi_npvi": 100.0 * mean(pairs),
        "ioi_log_step": step(log_ioi),
        "ioi_log_autocorrelation": autocorrelation(log_ioi),
        "ioi_unevenness": sd(log_ioi - near) if len(near) else MISSING,
        "ioi_drift": sd(near - far) if len(far) else MISSING,
        "ioi_even_run_unevenness": mean(change[change < np.log(1.35)]),
        "ioi_longest": float(log_ioi.max() - np.median(log_ioi)) if len(log_ioi) > 2 else MISSING,
    }


def chord_spread_sec(playing: Playing) -> FloatArray:
    """Time between the first and the last key of every chord.

    A small spread is togetherness; a large one is an arpeggio.

    Returns
    -------
    (G,) seconds, >= 0
        Zero for a chord of one note.
    """
    last = np.cumsum(playing.chord_size) - 1
    return playing.struck.onset_sec[last] - playing.chord_onset_sec


def lead_sec(playing: Playing, leader: IntArray) -> FloatArray:
    """How far one note of each chord comes before the mean of the others.

    Parameters
    ----------
    playing
    leader : (G,) index into struck
        For instance the highest note of each chord.

    Returns
    -------
    (C,) seconds, for the chords of at least two notes
    """
    several = playing.chord_size > 1
    own = playing.struck.onset_sec[leader][several]
    total = group_sum(playing.struck.onset_sec, playing.chord_of, len(several))[several]
    return (total - own) / (playing.chord_size[several] - 1) - own


def _togetherness(playing: Playing) -> dict[str, float]:
    several = playing.chord_size > 1
    spread_ms = 1000.0 * chord_spread_sec(playing)[several]
    lead_ms = 1000.0 * lead_sec(playing, playing.top)
    return {
        **five("chord_spread_ms", spread_ms),
        "chord_spread_wide_fraction": float((spread_ms > 30.0).mean()) if len(spread_ms) else MISSING,
        "melody_lead_ms": mean(lead_ms),
        "melody_lead_sd_ms": sd(lead_ms),
    }
