"""Ratings that are computed by rule from MIDI and score, under the names that rubrics give them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from tocco.inference.assessment import Rating
from tocco.music.alignment import Alignment
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.raters.note_accuracy import (
    NoteAccuracy,
    jeffreys_interval,
    rate_note_accuracy,
)
from tocco.pseudo_labels.raters.note_errors import AbsentNotes, absent_notes
from tocco.units import FloatArray


@dataclass(frozen=True)
class Rule:
    """How one dimension is computed.

    Attributes
    ----------
    rate : evidence with an alignment -> the rating of the whole performance
    rate_windows : the same, (K, 2) seconds -> (K,) rating of each window; NaN where there is none
        With the (K,) sd of each window's error, which windows that share no note do not share.
    """

    rate: Callable[[Evidence], Rating]
    rate_windows: Callable[[Evidence, FloatArray], tuple[FloatArray, FloatArray]]


def note_accuracy(evidence: Evidence) -> Rating:
    """Share of the notes that are right; its sigma is that of the interval, read as a normal one.

    Of a transcription, a written note counts as missing only where it would have been heard.

    Where many notes differ from the score, the matching itself is doubtful: by the confidence of each match,
    D of them are expected to be wrong, and as many right ones to be missed. The interval then reaches from
    the low end for D fewer right notes to the high end for D more.
    """
    alignment = _alignment(evidence)
    absent = evidence.once(absent_notes)
    accuracy = rate_note_accuracy(alignment, unheard=absent.unheard)
    accuracy = replace(accuracy, interval_90=_interval_of_heard(accuracy, absent))
    if alignment.differs_much:
        accuracy = replace(accuracy, interval_90=_doubtful_interval(accuracy, alignment.confidence))
    return Rating(
        value=accuracy.value, sigma=_sigma(accuracy), interval_90=accuracy.interval_90, source="rule"
    )


def _interval_of_heard(accuracy: NoteAccuracy, absent: AbsentNotes) -> tuple[float, float]:
    """The interval; of a transcription wider, by what absent notes leave open.

    From the low end with all of them left out to the high end without those that were probably too soft.
    """
    right, events = accuracy.n_match, accuracy.n_events
    if not events:
        return accuracy.interval_90
    low, _ = jeffreys_interval(right, events + len(absent.unheard))
    _, high = jeffreys_interval(right, max(events - absent.n_doubtful, right))
    return low, high


def _doubtful_interval(accuracy: NoteAccuracy, confidence: FloatArray) -> tuple[float, float]:
    doubtful = math.ceil(float(np.sum(1.0 - confidence)))
    right, events = accuracy.n_match, accuracy.n_events
    low, _ = jeffreys_interval(max(right - doubtful, 0), events)
    _, high = jeffreys_interval(min(right + doubtful, events), events)
    return low, high


def _alignment(evidence: Evidence) -> Alignment:
    if evidence.alignment is None:
        raise ValueError("note accuracy needs an alignment")
    return evidence.alignment


def note_accuracy_of_windows(evidence: Evidence, bounds_sec: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(K,) note accuracy of each window by itself, and its sd; NaN where nothing is written or played."""
    alignment, unheard = _alignment(evidence), evidence.once(absent_notes).unheard
    windows = [rate_note_accuracy(alignment, (float(a), float(b)), unheard=unheard) for a, b in bounds_sec]
    value = np.array([window.value for window in windows])
    sigma = np.array([_sigma(window) for window in windows])
    return value, np.where(np.isfinite(value), sigma, np.nan)


def _sigma(accuracy: NoteAccuracy) -> float:
    low, high = accuracy.interval_90
    return (high - low) / (2 * 1.645)


RULES: Final[Mapping[str, Rule]] = {"note_accuracy": Rule(note_accuracy, note_accuracy_of_windows)}
"""By the name that `Dimension.rule` uses."""
