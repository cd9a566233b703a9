"""Expected accents: how far each note should stand out, predicted from pitch, rhythm, metre and markings.

The short-term counterpart of the dynamics contour in `norms.level`, which extends over seconds: an accent is
one note relative to its neighbours. Even playing scores low here, and following the expected accents does not
improve evenness, which is measured without the score.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.music.score import Score
from tocco.music.statistics.summaries import MISSING
from tocco.music.statistics.written import Written
from tocco.pseudo_labels.norms.level import accented_notes, signed_onsets, stressed_onsets
from tocco.pseudo_labels.norms.model import reference_norms
from tocco.pseudo_labels.norms.touch import articulation_signs
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.observed.voices import local_deviation
from tocco.units import BoolArray, FloatArray

_SHORTEST_VALUE_BEAT: Final = 0.05
_SHORTEST_IOI: Final = 0.03
"""Beats, or seconds without a score."""


@dataclass(frozen=True, eq=False)
class Accents:
    """Performed and expected accents of the notes of `Evidence.onset_groups`.

    Attributes
    ----------
    played : (K,) velocity: deviation of each note from its voice and from the local mean
    expected : (K,) velocity: prediction of `played` from the score
    is_marked : (K,) the score marks an accent: on the note, or by a sign such as sf
    marked_deviation : (G,) velocity: mean of `played` over the marked notes of an onset; NaN for none
    """

    played: FloatArray
    expected: FloatArray
    is_marked: BoolArray
    marked_deviation: FloatArray


def read_accents(evidence: Evidence) -> Accents:
    """Measure performed and expected accents of a whole performance, note by note."""
    groups, score, written = evidence.onset_groups, evidence.score, evidence.written
    played = played_accents(evidence)
    is_marked = np.zeros(len(played), dtype=bool)
    if score is not None and written is not None:
        is_marked = accented_notes(score, written) | signed_onsets(score, written)[written.onset_of]
    n_marked, total = (
        np.bincount(groups.onset_of, value, len(groups.size)) for value in (is_marked, is_marked * played)
    )
    return Accents(
        played,
        expected_accents(evidence),
        is_marked,
        np.where(n_marked > 0.0, total / np.maximum(n_marked, 1.0), MISSING),
    )


def played_accents(evidence: Evidence) -> FloatArray:
    """(K,) velocity: deviation of each note of `onset_groups` from its voice and from the local mean."""
    return local_deviation(evidence.onset_groups, evidence.velocity[evidence.onset_groups.note])


def expected_accents(evidence: Evidence) -> FloatArray:
    """Expected deviation of each note: linear prediction from `accent_predictors`.

    The coefficients are those of the reference pool (`AccentNorms`).

    Returns
    -------
    (K,) velocity, of the notes of `onset_groups`; above 0 is louder than the local mean
    """
    velocity = reference_norms().accents.velocity.model_dump()
    accents = np.zeros(len(evidence.onset_groups.note))
    for name, predictor in accent_predictors(evidence).items():
        accents += velocity[name] * predictor
    return accents


def accent_predictors(evidence: Evidence) -> dict[str, FloatArray]:
    """Predictors of the accent of each note, relative to its voice and to the local mean.

    Returns
    -------
    (K,) each, of the notes of `onset_groups`
        "pitch": semitones. "approach": minus the logarithm of the inter-onset interval before the note, in
        beats (seconds without a score). With a score also
        "value": logarithm of written beats; "beat": 1 on a beat of the bar; "stress": 1 where the onset
        has an accent or a sign such as sf; "staccato", "slur": 1 under the sign; "upper_staff": 1 there.
    """
    groups, struck, written = evidence.onset_groups, evidence.playing.struck, evidence.written
    if not len(groups.size):
        return {}
    at = np.maximum.accumulate(groups.onset_sec) if written is None else written.onset_beat
    ioi = np.maximum(np.diff(at, prepend=at[0] - 1.0), _SHORTEST_IOI)
    predictors = {
        "pitch": struck.pitch[groups.note].astype(float),
        "approach": -np.log(ioi)[groups.onset_of],
    }
    if written is not None and evidence.score is not None:
        predictors |= _from_score(evidence.score, written)
    return {name: local_deviation(groups, value) for name, value in predictors.items()}


def _from_score(score: Score, written: Written) -> dict[str, FloatArray]:
    """(K,) each, of the matched notes in their order, which are those of `onset_groups` with a score."""
    is_short, is_slurred = articulation_signs(written, score)
    return {
        "value": np.log(np.maximum(written.duration_beat, _SHORTEST_VALUE_BEAT)),
        "beat": written.is_on_beat.astype(float),
        "stress": stressed_onsets(score, written)[written.onset_of],
        "staccato": is_short.astype(float),
        "slur": is_slurred.astype(float),
        "upper_staff": (written.staff == 1).astype(float),
    }
