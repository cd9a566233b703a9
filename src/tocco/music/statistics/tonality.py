"""Key, mode and intervals: what is heard as major or minor, consonant or tense; no score needed."""

from __future__ import annotations

from typing import Final

import numpy as np

from tocco.music.statistics.catalogue import Matter
from tocco.music.statistics.playing import Playing
from tocco.music.statistics.summaries import FLAT, MISSING, group_sum, mean, sd
from tocco.units import FloatArray

MAJOR_PROFILE: Final = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
MINOR_PROFILE: Final = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])
"""How well each degree fits after a key has been heard: Krumhansl and Kessler 1982."""
MAJOR_SCALE: Final = np.array([0, 2, 4, 5, 7, 9, 11])
MINOR_SCALE: Final = np.array([0, 2, 3, 5, 7, 8, 10])
WINDOW_SEC: Final = 4.0
CONTEXT_NOTES: Final = 24
"""A dense second says nothing more about intervals by comparing each note with all the others."""

_MODE = Matter("mode", needs_score=False)
_INTERVAL = Matter("intervals", needs_score=False)

TONALITY: Final = (
    *_MODE.one("major_above_minor", "correlation", "fit of the best major less that of the best minor key"),
    *_MODE.one("major_fit", "correlation", "fit of the pitch classes to the best major key"),
    *_MODE.one("minor_fit", "correlation", "fit of the pitch classes to the best minor key"),
    *_MODE.one("key_clarity", "correlation", "fit of the pitch classes to the best key"),
    *_MODE.one("pitch_class_entropy", "log", "evenness of the pitch classes, weighted by duration"),
    *_MODE.one("diatonic_fraction", "fraction", "time on degrees of the best key's scale"),
    *_MODE.one("local_mode_mean", "correlation", "major less minor in windows of four seconds"),
    *_MODE.one("local_mode_sd", "correlation", "how much the mode changes between windows"),
    *_INTERVAL.one("interval_class_1", "fraction", "minor seconds, major sevenths among sounding pairs"),
    *_INTERVAL.one("interval_class_2", "fraction", "major seconds, minor sevenths among sounding pairs"),
    *_INTERVAL.one("interval_class_3", "fraction", "minor thirds, major sixths among sounding pairs"),
    *_INTERVAL.one("interval_class_4", "fraction", "major thirds, minor sixths among sounding pairs"),
    *_INTERVAL.one("interval_class_5", "fraction", "fourths and fifths among sounding pairs"),
    *_INTERVAL.one("interval_class_6", "fraction", "tritones among sounding pairs"),
)


def key_fit(weight: FloatArray, profile: FloatArray) -> FloatArray:
    """Correlation of pitch-class weights with a key profile, for all twelve tonics.

    Parameters
    ----------
    weight : (W, 12) >= 0
    profile : (12,)

    Returns
    -------
    (W, 12) -1..1
        NaN for weights that do not vary.
    """
    shape = (profile - profile.mean()) / np.sqrt(((profile - profile.mean()) ** 2).sum())
    degree = np.arange(12)
    keys = shape[(degree[:, None] - degree) % 12]
    centred = weight - weight.mean(axis=1, keepdims=True)
    norm = np.sqrt((centred**2).sum(axis=1, keepdims=True))
    return np.where(norm > FLAT, (centred @ keys) / np.where(norm > FLAT, norm, 1.0), MISSING)


def measure_tonality(playing: Playing) -> dict[str, float]:
    """Measure key, mode and intervals."""
    return {**_mode(playing), **_local_mode(playing), **_intervals(playing)}


def _mode(playing: Playing) -> dict[str, float]:
    duration = playing.struck.offset_sec - playing.struck.onset_sec
    weight = group_sum(duration, playing.struck.pitch.astype(int) % 12, 12)
    share = weight / weight.sum()
    major, minor = key_fit(weight[None], MAJOR_PROFILE)[0], key_fit(weight[None], MINOR_PROFILE)[0]
    best_major, best_minor = float(major.max()), float(minor.max())
    scale = MAJOR_SCALE + major.argmax() if best_major >= best_minor else MINOR_SCALE + minor.argmax()
    present = share[share > 0]
    return {
        "major_above_minor": best_major - best_minor,
        "major_fit": best_major,
        "minor_fit": best_minor,
        "key_clarity": max(best_major, best_minor),
        "pitch_class_entropy": float(-(present * np.log(present)).sum()),
        "diatonic_fraction": float(share[scale % 12].sum()),
    }


def _local_mode(playing: Playing) -> dict[str, float]:
    """Mode in windows of four seconds that hold at least three pitch classes."""
    window = (playing.struck.onset_sec / WINDOW_SEC).astype(int)
    duration = playing.struck.offset_sec - playing.struck.onset_sec
    place = window * 12 + playing.struck.pitch.astype(int) % 12
    weight = group_sum(duration, place, (int(window.max()) + 1) * 12).reshape(-1, 12)
    weight = weight[(weight > 0).sum(axis=1) >= 3]
    major, minor = key_fit(weight, MAJOR_PROFILE), key_fit(weight, MINOR_PROFILE)
    kept = np.isfinite(major).all(axis=1)
    best_major, best_minor = major[kept].max(axis=1, initial=-1.0), minor[kept].max(axis=1, initial=-1.0)
    return {
        "local_mode_mean": mean(best_major - best_minor),
        "local_mode_sd": sd(best_major - best_minor),
    }


def _intervals(playing: Playing) -> dict[str, float]:
    """Intervals between each note and those just before it that are still sounding."""
    struck = playing.struck
    count = np.zeros(12)
    for back in range(1, min(CONTEXT_NOTES, len(struck) - 1) + 1):
        overlap = struck.end_sec[:-back] > struck.onset_sec[back:]
        apart = np.abs(struck.pitch[back:] - struck.pitch[:-back])[overlap].astype(int) % 12
        count += np.bincount(apart, minlength=12)
    total = count.sum()
    if total == 0:
        return dict.fromkeys((f"interval_class_{k}" for k in range(1, 7)), MISSING)
    share = (count + count[-np.arange(12)]) / total
    share[6] /= 2.0
    return {f"interval_class_{k}": float(share[k]) for k in range(1, 7)}
