"""Expected dynamics contour: level over time, predicted from melody, harmony, rhythm and markings.

A rating of phrasing needs a reference. Pianists differ, but agree on much: high notes are loud, and so are
low notes and octave doublings; dense or dissonant passages are louder than others, and fast passages louder
than slow ones; accents and dynamic markings are followed, most of all where a marking is new; and the soft
pedal indicates soft playing.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from tocco.music.notation import Mark
from tocco.music.score import Score
from tocco.music.statistics.resonance import PITCH_CLASSES
from tocco.music.statistics.summaries import around
from tocco.music.statistics.written import Written
from tocco.pseudo_labels.norms.model import reference_norms
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.observed.onsets import OnsetGroups
from tocco.pseudo_labels.observed.voices import smoothed, smoothed_at_onsets
from tocco.units import BoolArray, FloatArray, IntArray

MINUTE_SEC: Final = 30.0
"""Half-width: level is taken relative to the mean of the preceding and the following half minute."""

MARKED_LEVELS: Final = {
    "ppp": -3.5, "pp": -2.5, "p": -1.5, "mp": -0.5, "mf": 0.5, "f": 1.5, "ff": 2.5, "fff": 3.5,
}  # fmt: skip
"""Steps from the middle between mp and mf, one per marking."""

STRESS_SIGNS: Final = ("sf", "sff", "sfz", "sfp", "fz", "fp", "rf", "rfz")

_ROUGHNESS: Final = {1: 1.0, 2: 0.4, 6: 1.0}
"""Interval class in semitones -> roughness."""

MIDDLE_C: Final = 60
CHANGE_SEC: Final = 2.0
"""A marking counts as new for this long after it, and is anticipated for this long before."""

_PITCHES = 256
"""More than any pitch and an octave."""
_OCTAVE = 12
_SAME_PLACE_BEAT = 0.05
_CHORD_SEC = 0.45
_SEEN_AFTER_SEC = 0.02


def dynamics_contour(evidence: Evidence) -> FloatArray:
    """Dynamics contour: smoothed level around each onset, independent of which voices sound.

    Highest, lowest and inner notes are each measured relative to their own mean over the performance, so
    that neither voicing nor a change of texture appears as a crescendo.

    Returns
    -------
    (G,) velocity above the mean, of the onsets of `onset_groups`
    """
    return smoothed_at_onsets(evidence.onset_groups, evidence.velocity[evidence.onset_groups.note])


def relative_to_minute(evidence: Evidence, value: FloatArray) -> FloatArray:
    """(G,) a value of each onset relative to its mean over the surrounding minute."""
    return value - around(np.maximum.accumulate(evidence.onset_groups.onset_sec), value, MINUTE_SEC)


def expected_dynamics_contour(evidence: Evidence) -> FloatArray:
    """Expected dynamics contour: linear prediction of the level from `level_predictors`.

    Each predictor is smoothed like the level and relative to the surrounding minute; the coefficients are
    those of the reference pool (`LevelNorms`). "High loud" and "harmonic charge" are performance rules of
    Friberg (1991), "the faster, the louder" is from Todd (1992). A pianist may depart from it for a while
    with good reason.

    Returns
    -------
    (G,) velocity, of the onsets of `onset_groups`; above 0 is louder than the surrounding minute
    """
    velocity = reference_norms().level.velocity.model_dump()
    contour = np.zeros(len(evidence.onset_groups.onset_sec))
    for name, predictor in level_predictors(evidence).items():
        contour += velocity[name] * predictor
    return contour


def level_predictors(evidence: Evidence) -> dict[str, FloatArray]:
    """Predictors of the level at each onset.

    Returns
    -------
    (G,) each, smoothed and relative to the surrounding minute
        "top": pitch of the upper line, semitones. "depth": semitones below middle C, mean of the notes.
        "doubling": share of the notes that are doubled an octave higher. "motion": logarithm of onsets per
        beat (per second without a score). "dissonance": 0..1, minor and major seconds and tritones, octaves
        ignored, among the notes within a second. "soft_pedal": 0 up to 1 down; absent for transcriptions,
        where it cannot be separated from soft playing. With a score also
        "tempo": logarithm of performed beats per second, within threefold of the whole; "mark": steps
        between dynamic markings, their mean before the first; "mark_change": steps by which the marking two
        seconds later is above that two seconds earlier, interpolated between onsets; "hairpin": 0 to 1 along
        a crescendo, 0 to -1 along a diminuendo; "stress": share of onsets with an accent or a sign such as
        sf.
    """
    groups, struck, written = evidence.onset_groups, evidence.playing.struck, evidence.written
    if not len(groups.size):
        return {}
    time_sec = np.maximum.accumulate(groups.onset_sec)
    at = time_sec if written is None else written.onset_beat
    ioi = np.maximum(np.diff(at, append=at[-1] + 1.0), 0.03)
    pitch = struck.pitch[groups.note].astype(np.int64)
    predictors = {
        "top": struck.pitch[groups.top].astype(float),
        "depth": _mean_of_onsets(groups, np.maximum(MIDDLE_C - pitch, 0)),
        "doubling": _mean_of_onsets(groups, _is_doubled(groups.onset_of, pitch)),
        "motion": -np.log(ioi),
        "dissonance": _dissonance(evidence, time_sec),
    }
    if not evidence.is_transcribed:
        predictors["soft_pedal"] = evidence.performance.soft.at(time_sec + _SEEN_AFTER_SEC) / 127.0
    if written is not None and evidence.score is not None:
        predictors |= _from_score(evidence.score, written, time_sec)
    return {
        name: relative_to_minute(evidence, smoothed(time_sec, value)) for name, value in predictors.items()
    }


def _from_score(score: Score, written: Written, time_sec: FloatArray) -> dict[str, FloatArray]:
    """(G,) each, of the written onsets."""
    mark = _marked_steps(score.marks, written.onset_beat)
    soon, just = (np.interp(time_sec + step, time_sec, mark) for step in (CHANGE_SEC, -CHANGE_SEC))
    return {
        "tempo": -np.log(written.local_beat_sec),
        "mark": mark,
        "mark_change": soon - just,
        "hairpin": _hairpins(score.marks, written.onset_beat),
        "stress": stressed_onsets(score, written),
    }


def _mean_of_onsets(groups: OnsetGroups, value: FloatArray | IntArray | BoolArray) -> FloatArray:
    """(G,) mean of a value over the notes of each onset."""
    return np.bincount(groups.onset_of, value, len(groups.size)) / groups.size


def _is_doubled(onset_of: IntArray, pitch: IntArray) -> BoolArray:
    """(K,) which notes are doubled an octave higher at the same onset."""
    place = onset_of * _PITCHES + pitch
    return np.isin(place + _OCTAVE, place)


def _dissonance(evidence: Evidence, time_sec: FloatArray) -> FloatArray:
    """(G,) 0..1: roughness of the pitch classes played within about a second."""
    groups = evidence.onset_groups
    pitch_class = evidence.playing.struck.pitch[groups.note].astype(np.int64) % 12
    struck = np.zeros((12, len(time_sec)))
    np.add.at(struck, (pitch_class, groups.onset_of), 1.0)
    chord = smoothed(time_sec, struck / groups.size, _CHORD_SEC)
    # The tritone is its own inversion, so each such pair is counted twice.
    share = {step: w / (2.0 if 2 * step == PITCH_CLASSES else 1.0) for step, w in _ROUGHNESS.items()}
    return np.sum(
        [w * (chord * np.roll(chord, step, axis=0)).sum(axis=0) for step, w in share.items()], axis=0
    )


def stressed_onsets(score: Score, written: Written) -> FloatArray:
    """(G,) 1 where a note of the onset has an accent, or the onset a sign such as sf."""
    accented = np.bincount(written.onset_of, accented_notes(score, written)) > 0.0
    return (accented | signed_onsets(score, written)).astype(float)


def accented_notes(score: Score, written: Written) -> BoolArray:
    """(K,) which of the matched notes have an accent."""
    return np.array(["accent" in score.articulation[note] for note in written.note], dtype=bool)


def signed_onsets(score: Score, written: Written) -> BoolArray:
    """(G,) which written onsets have a sign such as sf."""
    signs = np.array(
        [m.onset_beat for m in score.marks if m.kind == "dynamics" and m.text.strip() in STRESS_SIGNS]
    )
    if not len(signs):
        return np.zeros(len(written.onset_beat), dtype=bool)
    return np.abs(written.onset_beat[:, None] - signs).min(axis=1) < _SAME_PLACE_BEAT


def _marked_steps(marks: tuple[Mark, ...], beat: FloatArray) -> FloatArray:
    """(G,) steps above the mean of the marked levels; 0 before the first marking."""
    level = marked_level(marks, beat)
    known = np.isfinite(level)
    return np.where(known, level - level[known].mean(), 0.0) if known.any() else np.zeros(len(beat))


def marked_level(marks: tuple[Mark, ...], beat: FloatArray) -> FloatArray:
    """Marked level at each beat, by the last marking from ppp to fff.

    Returns
    -------
    (G,) steps from the middle between mp and mf; NaN before the first marking
    """
    signs = [(m.onset_beat, MARKED_LEVELS[m.text.strip()]) for m in marks
             if m.kind == "dynamics" and m.text.strip() in MARKED_LEVELS]  # fmt: skip
    if not signs:
        return np.full(len(beat), np.nan)
    at, step = (np.array(column) for column in zip(*sorted(signs), strict=True))
    holds = np.searchsorted(at, beat + 1e-6, side="right") - 1
    return np.where(holds >= 0, step[np.maximum(holds, 0)], np.nan)


def _hairpins(marks: tuple[Mark, ...], beat: FloatArray) -> FloatArray:
    """(G,) 0 to 1 along each crescendo, 0 to -1 along each diminuendo."""
    along = np.zeros(len(beat))
    for mark in marks:
        if mark.kind in ("crescendo", "diminuendo") and mark.end_beat > mark.onset_beat:
            share = (beat - mark.onset_beat) / (mark.end_beat - mark.onset_beat)
            sign = 1.0 if mark.kind == "crescendo" else -1.0
            along += np.where((share >= 0.0) & (share <= 1.0), sign * share, 0.0)
    return np.clip(along, -1.0, 1.0)
