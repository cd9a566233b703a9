"""How the pedals are used: depth, rate, and the moment of each change; no score needed.

Integrals over time are exact: a pedal is a staircase, so each step counts for as long as it lasts.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from tocco.music.performance import PedalCurve
from tocco.music.statistics.catalogue import Matter
from tocco.music.statistics.playing import PEDAL_DOWN, Playing, pedal_crossings
from tocco.music.statistics.summaries import MISSING, fraction, mean, median, sd
from tocco.units import BoolArray, FloatArray

SOFT_PEDAL_DOWN: Final = 30
"""The una corda shifts early in its travel, so that less than half counts as down."""
FULL_TRAVEL: Final = 127.0

_SUSTAIN = Matter("sustaining pedal", needs_score=False)
_CHANGE = Matter("pedal changes", needs_score=False)
_SOFT = Matter("soft pedal", needs_score=False)

PEDAL: Final = (
    *_SUSTAIN.one("pedal_down_fraction", "fraction", "time with the pedal down (64 of 127 and more)"),
    *_SUSTAIN.one("pedal_depth_mean", "pedal", "depth over time, 0 to 127"),
    *_SUSTAIN.one("pedal_depth_sd", "pedal", "spread of the depth over time, 0 to 127"),
    *_SUSTAIN.one("pedal_touched_fraction", "fraction", "time with the pedal off its rest (above 10)"),
    *_SUSTAIN.one("pedal_half_fraction", "fraction", "time between rest and floor (15 to 100): half pedal"),
    *_SUSTAIN.one("pedal_floor_fraction", "fraction", "time at the floor (110 and more)"),
    *_SUSTAIN.one("pedal_travel_rate", "1/s", "whole pedal travels a second, up or down"),
    *_SUSTAIN.one("pedal_at_onset_fraction", "fraction", "notes struck with the pedal down"),
    *_SUSTAIN.one("pedal_depth_at_onset", "pedal", "depth at the onsets, 0 to 127"),
    *_SUSTAIN.one("pedal_depth_at_onset_sd", "pedal", "spread of the depth at the onsets, 0 to 127"),
    *_CHANGE.one("pedal_press_rate", "1/s", "presses a second"),
    *_CHANGE.one("pedal_press_length_sec", "s", "time down for each press"),
    *_CHANGE.one("pedal_press_distance_sec", "s", "from each press to the nearest onset"),
    *_CHANGE.one("pedal_press_lag_sec", "s", "press after the onset before it, median: late is syncopated"),
    *_CHANGE.one("pedal_release_lag_sec", "s", "release after the onset before it, median"),
    *_CHANGE.one("pedal_release_distance_sec", "s", "from each release to the nearest onset"),
    *_CHANGE.one("pedal_gap_sec", "s", "from a release to the next press, median: how long it is clean"),
    *_CHANGE.one("pedal_clean_change_fraction", "fraction", "releases within 200 ms after an onset"),
    *_CHANGE.one("pedal_onsets_per_press", "ratio", "onsets for each press: blur where it is large"),
    *_SOFT.one("soft_down_fraction", "fraction", "time with the soft pedal down (30 of 127 and more)"),
    *_SOFT.one("soft_depth_mean", "pedal", "depth of the soft pedal over time, 0 to 127"),
    *_SOFT.one("soft_travel_rate", "1/s", "whole travels of the soft pedal a second"),
)


def measure_pedal(playing: Playing) -> dict[str, float]:
    """Measure both pedals."""
    return {**_sustain(playing), **_changes(playing), **_soft(playing)}


def staircase(curve: PedalCurve, span_sec: float) -> tuple[FloatArray, FloatArray]:
    """Steps of a pedal within a span, and how long each lasts.

    Returns
    -------
    (K,) 0..127, (K,) seconds
        K is at least 1; the durations sum to the span.
    """
    inside = (curve.time_sec > 0.0) & (curve.time_sec < span_sec)
    edge_sec = np.concatenate([[0.0], curve.time_sec[inside], [span_sec]])
    value = np.concatenate([curve.at(np.zeros(1)), curve.value[inside]])
    return value, np.diff(edge_sec)


def _share(which: BoolArray, lasts_sec: FloatArray) -> float:
    """Share of the time for which something holds."""
    total = float(lasts_sec.sum())
    return float(lasts_sec[which].sum() / total) if total > 0 else MISSING


def _average(value: FloatArray, lasts_sec: FloatArray) -> float:
    """Mean over time."""
    total = float(lasts_sec.sum())
    return float(value @ lasts_sec / total) if total > 0 else MISSING


def _travel_rate(value: FloatArray, span_sec: float) -> float:
    """Whole travels a second."""
    return float(np.abs(np.diff(value)).sum() / FULL_TRAVEL / span_sec) if span_sec > 0 else MISSING


def _sustain(playing: Playing) -> dict[str, float]:
    value, lasts_sec = staircase(playing.sustain, playing.span_sec)
    depth_mean = _average(value, lasts_sec)
    at_onset = playing.sustain.at(playing.struck.onset_sec)
    return {
        "pedal_down_fraction": _share(value >= PEDAL_DOWN, lasts_sec),
        "pedal_depth_mean": depth_mean,
        "pedal_depth_sd": float(np.sqrt(_average((value - depth_mean) ** 2, lasts_sec))),
        "pedal_touched_fraction": _share(value > 10, lasts_sec),
        "pedal_half_fraction": _share((value > 15) & (value < 100), lasts_sec),
        "pedal_floor_fraction": _share(value >= 110, lasts_sec),
        "pedal_travel_rate": _travel_rate(value, playing.span_sec),
        "pedal_at_onset_fraction": fraction(at_onset >= PEDAL_DOWN),
        "pedal_depth_at_onset": mean(at_onset),
        "pedal_depth_at_onset_sd": sd(at_onset),
    }


def _since_onset(time_sec: FloatArray, onset_sec: FloatArray) -> FloatArray:
    """(K,) seconds from the last onset before each time."""
    return time_sec - onset_sec[np.maximum(np.searchsorted(onset_sec, time_sec, side="right") - 1, 0)]


def _nearest_onset(time_sec: FloatArray, onset_sec: FloatArray) -> FloatArray:
    """(K,) seconds between each time and the nearest onset."""
    after = np.minimum(np.searchsorted(onset_sec, time_sec), len(onset_sec) - 1)
    before = np.maximum(after - 1, 0)
    return np.minimum(np.abs(onset_sec[after] - time_sec), np.abs(time_sec - onset_sec[before]))


def _changes(playing: Playing) -> dict[str, float]:
    span, onset = playing.span_sec, playing.chord_onset_sec
    value, lasts_sec = staircase(playing.sustain, span)
    pressed, released = (
        crossing[(crossing > 0) & (crossing < span)] for crossing in pedal_crossings(playing.sustain)
    )
    after = np.searchsorted(pressed, released, side="right")
    gap = pressed[after[after < len(pressed)]] - released[after < len(pressed)]
    lag = _since_onset(released, onset)
    down_sec = float(lasts_sec[value >= PEDAL_DOWN].sum())
    presses = len(pressed)
    return {
        "pedal_press_rate": presses / span if span > 0 else MISSING,
        "pedal_press_length_sec": down_sec / presses if presses else MISSING,
        "pedal_press_distance_sec": mean(_nearest_onset(pressed, onset)),
        "pedal_press_lag_sec": median(_since_onset(pressed, onset)),
        "pedal_release_lag_sec": median(lag),
        "pedal_release_distance_sec": mean(_nearest_onset(released, onset)),
        "pedal_gap_sec": median(gap),
        "pedal_clean_change_fraction": fraction(lag <= 0.2),
        "pedal_onsets_per_press": len(onset) / presses if presses else MISSING,
    }


def _soft(playing: Playing) -> dict[str, float]:
    value, lasts_sec = staircase(playing.soft, playing.span_sec)
    return {
        "soft_down_fraction": _share(value >= SOFT_PEDAL_DOWN, lasts_sec),
        "soft_depth_mean": _average(value, lasts_sec),
        "soft_travel_rate": _travel_rate(value, playing.span_sec),
    }
