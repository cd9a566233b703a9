"""Which notes the music brings out: the accents that pitch, motion, metre, values and signs suggest.

The short-time counterpart of `level_course`: a course runs over seconds, an accent is one note against those
around it. Who plays every note alike does not follow what is written; who follows it is not the more even for
that, since unevenness asks nothing of the page.
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
from tocco.pseudo_labels.norms.touch import signs_over
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.observed.voices import single_out
from tocco.units import BoolArray, FloatArray

_SHORTEST_VALUE_BEAT: Final = 0.05
_SHORTEST_WAIT: Final = 0.03
"""Beats, or seconds without a score."""


@dataclass(frozen=True, eq=False)
class Accents:
    """Which notes of `together` stand out, and which are to.

    Attributes
    ----------
    played : (K,) velocity: each note above its voice and above what is near
    suggested : (K,) velocity: what pitch, motion, metre, values and signs suggest of that
    is_asked : (K,) the page asks for an accent: above the note, or by a sign such as sf
    asked_out : (G,) velocity: mean of `played` over such notes of an onset; NaN for none
    """

    played: FloatArray
    suggested: FloatArray
    is_asked: BoolArray
    asked_out: FloatArray


def read_accents(evidence: Evidence) -> Accents:
    """Measure the accents of a whole performance, note by note."""
    together, score, written = evidence.together, evidence.score, evidence.written
    played = played_accents(evidence)
    is_asked = np.zeros(len(played), dtype=bool)
    if score is not None and written is not None:
        is_asked = accented_notes(score, written) | signed_onsets(score, written)[written.onset_of]
    n_asked, out = (
        np.bincount(together.onset_of, value, len(together.size)) for value in (is_asked, is_asked * played)
    )
    return Accents(
        played,
        suggested_accents(evidence),
        is_asked,
        np.where(n_asked > 0.0, out / np.maximum(n_asked, 1.0), MISSING),
    )


def played_accents(evidence: Evidence) -> FloatArray:
    """(K,) velocity: each note of `together` above its voice and above what is near."""
    return single_out(evidence.together, evidence.velocity[evidence.together.note])


def suggested_accents(evidence: Evidence) -> FloatArray:
    """How far each note would stand out if it followed the music.

    A sum of hints (`read_accent_hints`) times what pianists make of them on average (`norms.AccentNorms`).

    Returns
    -------
    (K,) velocity, of the notes of `together`; above 0 is louder than what is near
    """
    velocity = reference_norms().accents.velocity.model_dump()
    accents = np.zeros(len(evidence.together.note))
    for name, hint in read_accent_hints(evidence).items():
        accents += velocity[name] * hint
    return accents


def read_accent_hints(evidence: Evidence) -> dict[str, FloatArray]:
    """What the music says of single notes, against their voice and what is near.

    Returns
    -------
    (K,) each, of the notes of `together`
        "pitch": semitones. "approach": how soon the note follows the onset before, minus the logarithm of
        beats (seconds without a score). With a page also
        "value": logarithm of written beats; "beat": 1 on a beat of the bar; "stress": 1 where the onset
        has an accent or a sign such as sf; "staccato", "slur": 1 under the sign; "upper_staff": 1 there.
    """
    together, struck, written = evidence.together, evidence.playing.struck, evidence.written
    if not len(together.size):
        return {}
    at = np.maximum.accumulate(together.onset_sec) if written is None else written.onset_beat
    wait = np.maximum(np.diff(at, prepend=at[0] - 1.0), _SHORTEST_WAIT)
    hints = {
        "pitch": struck.pitch[together.note].astype(float),
        "approach": -np.log(wait)[together.onset_of],
    }
    if written is not None and evidence.score is not None:
        hints |= _of_the_page(evidence.score, written)
    return {name: single_out(together, hint) for name, hint in hints.items()}


def _of_the_page(score: Score, written: Written) -> dict[str, FloatArray]:
    """(K,) each, of the matched notes, in their order: those of `together` where there is a page."""
    is_short, is_slurred = signs_over(written, score)
    return {
        "value": np.log(np.maximum(written.duration_beat, _SHORTEST_VALUE_BEAT)),
        "beat": written.is_on_beat.astype(float),
        "stress": stressed_onsets(score, written)[written.onset_of],
        "staccato": is_short.astype(float),
        "slur": is_slurred.astype(float),
        "upper_staff": (written.staff == 1).astype(float),
    }
