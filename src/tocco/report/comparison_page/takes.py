"""Takes as they are drawn beside each other: what each did in every common bar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tocco.inference.assessment import Assessment
from tocco.inference.comparison import Comparison
from tocco.report.page.heat import column_means
from tocco.report.page.material import Notes, Sound
from tocco.units import FloatArray


@dataclass(frozen=True, eq=False)
class ShownTake:
    """A take with what is shown and heard of it.

    Attributes
    ----------
    name
    assessment
    notes : None where its MIDI was not given
    sound : None where no recording was given
    """

    name: str
    assessment: Assessment
    notes: Notes | None = None
    sound: Sound | None = None

    @property
    def can_play(self) -> bool:
        """Whether there is anything to hear."""
        return self.notes is not None or self.sound is not None


@dataclass(frozen=True, eq=False)
class BarValues:
    """What one take did in each of the common bars; NaN in a bar that it did not play.

    Attributes
    ----------
    start_sec : (B,)
    rating : dimension -> (B,) mean of the curve
    tempo : (B,) quarter notes a minute
    level : (B,) mean velocity
    errors : (B,) wrong and missing notes
    """

    start_sec: FloatArray
    rating: Mapping[str, FloatArray]
    tempo: FloatArray
    level: FloatArray
    errors: FloatArray


def bar_values(comparison: Comparison, takes: Sequence[ShownTake]) -> list[BarValues]:
    """Of every take, in the order of the comparison."""
    return [_values(comparison, take, place) for place, take in enumerate(takes)]


def _values(comparison: Comparison, take: ShownTake, place: int) -> BarValues:
    start = np.array([_or_nan(bar.start_sec[place]) for bar in comparison.bars], dtype=float)
    played = np.flatnonzero(np.isfinite(start))
    played = played[np.argsort(start[played], kind="stable")]
    edges = np.append(start[played], _end(take.assessment, start[played]))
    curve = take.assessment.curve.value
    return BarValues(
        start_sec=start,
        rating={
            name: _placed(column_means(take.assessment, name, edges), played, len(start))
            for name, values in curve.items()
            if any(value is not None for value in values)
        },
        tempo=_placed(_tempo(take.assessment, start[played]), played, len(start)),
        level=_placed(_level(take.notes, edges), played, len(start)),
        errors=_placed(_errors(take.assessment, edges), played, len(start)),
    )


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value


def _placed(values: FloatArray, played: np.ndarray, n: int) -> FloatArray:
    found = np.full(n, np.nan)
    found[played] = values
    return found


def _end(assessment: Assessment, starts: FloatArray) -> float:
    """End of the last bar: of the curve, but later than the bar begins."""
    last = float(starts[-1]) if len(starts) else 0.0
    return max(assessment.curve.end_sec[-1] if assessment.curve.end_sec else 0.0, last + 0.1)


def _tempo(assessment: Assessment, starts: FloatArray) -> FloatArray:
    of_start = {round(sec, 3): bpm for _, sec, bpm in assessment.tempo}
    return np.array([of_start.get(round(float(sec), 3), np.nan) for sec in starts], dtype=float)


def _level(notes: Notes | None, edges: FloatArray) -> FloatArray:
    n = len(edges) - 1
    if notes is None:
        return np.full(n, np.nan)
    bar = np.searchsorted(edges, notes.onset_sec + 1e-6, side="right") - 1
    inside = (bar >= 0) & (bar < n)
    count = np.bincount(bar[inside], minlength=n)
    total = np.bincount(bar[inside], weights=notes.velocity[inside], minlength=n)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _errors(assessment: Assessment, edges: FloatArray) -> FloatArray:
    report = assessment.alignment
    if report is None:
        return np.full(len(edges) - 1, np.nan)
    time = np.array([note.time_sec for note in (*report.substitution, *report.deletion)])
    bar = np.searchsorted(edges, time + 1e-6, side="right") - 1
    n = len(edges) - 1
    return np.bincount(np.clip(bar, 0, max(n - 1, 0)), minlength=n).astype(float) if n else np.zeros(0)
