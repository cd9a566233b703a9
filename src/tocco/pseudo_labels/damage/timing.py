"""Damage to the time of the music: time lost in stops, unsteady onsets, slow play."""

from __future__ import annotations

from typing import Final

import numpy as np

from tocco.pseudo_labels.damage.beat_line import BeatLine, read_beat_line, weighted_median
from tocco.pseudo_labels.damage.reading import Reading
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.units import FloatArray

PULSE_REACH_SEC: Final = 4.0
"""The local pulse is that of the seconds before an interval, or of those after it, whichever is slower."""

FEWEST_PULSE_INTERVALS: Final = 2

UNIT_OF_MUSIC_SEC: Final = 0.5
"""Losses are averaged over half seconds of music: a stop counts alike among few and among many notes."""

UNHEARD_SEC: Final = 0.05
"""A delay this small is an agogic accent or noise, and no hesitation."""

SMOOTHING_ONSETS: Final = 4
"""The tempo line follows the parabola through this many onsets on either side. Rubato bends that little from
onset to onset; what is left is unevenness. Straight lines, and wider ones by beats or seconds, separated
jitter and uneven runs less well from the play of professionals."""

FEWEST_LINE_ONSETS: Final = 6
DEVIATION_PERCENTILE: Final = 90.0

_LEAST_WEIGHT: Final = 0.02


def measure_lost_time(evidence: Evidence) -> Reading | str:
    """Seconds lost against the local pulse, root mean square over the music."""
    line = evidence.once(read_beat_line)
    if line is None:
        return evidence.why_unwritten()
    lost, music_sec = lost_seconds(line)
    share = np.sum(lost**2) * UNIT_OF_MUSIC_SEC / music_sec
    return Reading(float(np.sqrt(share)), line.sec[:-1][~line.is_free], lost)


def measure_worst_stop(evidence: Evidence) -> Reading | str:
    """Seconds lost in the worst stops.

    The fourth root of the mean fourth power: a single stop of a whole take decides it, yet more music alone
    does not make it larger, as it would a maximum.
    """
    line = evidence.once(read_beat_line)
    if line is None:
        return evidence.why_unwritten()
    lost, music_sec = lost_seconds(line)
    share = np.sum(lost**4) * UNIT_OF_MUSIC_SEC / music_sec
    return Reading(float(share**0.25), line.sec[:-1][~line.is_free], lost)


def lost_seconds(line: BeatLine) -> tuple[FloatArray, float]:
    """Time lost in each interval that is not free, and the seconds that these take at the local pulse.

    Parameters
    ----------
    line

    Returns
    -------
    (I,) seconds, >= 0, and seconds > 0
    """
    due = line.interval_beat * np.exp(local_pulse(line))
    strict = ~line.is_free
    return np.maximum(line.interval_sec - due - UNHEARD_SEC, 0.0)[strict], float(due[strict].sum())


def local_pulse(line: BeatLine) -> FloatArray:
    """The slower of the tempi before and after each interval.

    A ritardando that leads into a slower tempo, and a phrase that opens slowly, lose no time by it.

    Returns
    -------
    (G - 1,) logarithm of seconds for a beat
    """
    tempo, weight, sec = line.log_beat_sec, line.interval_beat, line.sec
    n = len(tempo)
    first = np.searchsorted(sec[1:], sec[:-1] - PULSE_REACH_SEC, side="right")
    last = np.searchsorted(sec[:-1], sec[1:] + PULSE_REACH_SEC, side="left")
    pulse = np.empty(n)
    for k in range(n):
        before = slice(max(min(first[k], k - FEWEST_PULSE_INTERVALS), 0), k)
        after = slice(k + 1, min(max(last[k], k + 1 + FEWEST_PULSE_INTERVALS), n))
        pulse[k] = max(
            weighted_median(tempo[side], weight[side]) for side in (before, after) if side.stop > side.start
        )
    return pulse


def measure_unsteadiness(evidence: Evidence) -> Reading | str:
    """Deviation of the onsets from a smoothed local tempo line, 90th percentile."""
    line = evidence.once(read_beat_line)
    if line is None:
        return evidence.why_unwritten()
    deviation = np.abs(tempo_line_deviation(line))
    known = np.isfinite(deviation) & line.is_strict
    if not known.any():
        return "too few onsets follow each other for a tempo line"
    value = float(np.percentile(deviation[known], DEVIATION_PERCENTILE))
    return Reading(value, line.sec[known], deviation[known])


def tempo_line_deviation(line: BeatLine) -> FloatArray:
    """Seconds by which each onset comes after the parabola through the onsets around it, its own among them.

    Returns
    -------
    (G,) seconds; NaN in a passage of fewer than six onsets
    """
    found = np.full(len(line.beat), np.nan)
    for passage in np.unique(line.passage):
        inside = np.flatnonzero(line.passage == passage)
        if len(inside) >= FEWEST_LINE_ONSETS:
            found[inside] = _parabola_deviation(line.beat[inside], line.sec[inside])
    return found


def _parabola_deviation(beat: FloatArray, sec: FloatArray) -> FloatArray:
    """(G,) seconds; least squares with weights that fall towards the farthest onset (Epanechnikov)."""
    n = len(beat)
    width = min(2 * SMOOTHING_ONSETS + 1, n)
    first = np.clip(np.arange(n) - SMOOTHING_ONSETS, 0, n - width)
    near = first[:, None] + np.arange(width)
    away = beat[near] - beat[:, None]
    share = away / np.abs(away).max(axis=1, keepdims=True)
    weight = np.clip(1.0 - share**2, _LEAST_WEIGHT, 1.0)
    powers = share[..., None] ** np.arange(3)
    weighted = powers * weight[..., None]
    late = (sec[near] - sec[:, None])[..., None]
    fitted = np.linalg.solve(powers.transpose(0, 2, 1) @ weighted, weighted.transpose(0, 2, 1) @ late)
    return -fitted[:, 0, 0]


def measure_slowness(evidence: Evidence) -> Reading | str:
    """Geometric mean of the seconds for a beat and for an onset.

    Competent pianists take longer beats where more onsets fill them: the logarithm of the tempo falls by
    about half of the logarithm of the onsets for a beat, so this mean of the two varies least over pieces.
    """
    line = evidence.once(read_beat_line)
    if line is None:
        return evidence.why_unwritten()
    onset_sec = (line.sec[-1] - line.sec[0]) / (len(line.sec) - 1)
    return Reading(float(np.sqrt(line.beat_sec * onset_sec)))
