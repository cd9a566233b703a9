"""Ratings that are computed by rule from MIDI and score, under the names that rubrics give them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.inference.assessment import Rating
from tocco.music.alignment import Alignment
from tocco.pseudo_labels.raters.note_accuracy import rate_note_accuracy
from tocco.units import FloatArray


@dataclass(frozen=True)
class Rule:
    """How one dimension is computed.

    Attributes
    ----------
    rate : alignment -> the rating of the whole performance
    rate_windows : alignment, (K, 2) seconds -> (K,) rating of each window; NaN where there is none
    """

    rate: Callable[[Alignment], Rating]
    rate_windows: Callable[[Alignment, FloatArray], FloatArray]


def note_accuracy(alignment: Alignment) -> Rating:
    """Share of the notes that are right; its sigma is that of the interval, read as a normal one."""
    accuracy = rate_note_accuracy(alignment)
    low, high = accuracy.interval_90
    return Rating(
        value=accuracy.value, sigma=(high - low) / (2 * 1.645), interval_90=(low, high), source="rule"
    )


def note_accuracy_of_windows(alignment: Alignment, bounds_sec: FloatArray) -> FloatArray:
    """(K,) note accuracy of each window by itself; NaN where nothing is written or played."""
    windows = [rate_note_accuracy(alignment, span_sec=(float(a), float(b))) for a, b in bounds_sec]
    return np.array([window.value for window in windows])


RULES: Final[Mapping[str, Rule]] = {"note_accuracy": Rule(note_accuracy, note_accuracy_of_windows)}
"""By the name that `Dimension.rule` uses."""
