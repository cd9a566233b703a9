"""Where the music suggests more and less: the course of level that line, harmony, motion and signs ask for.

A rating of shaping needs something to hold the playing against. Pianists differ, and agree on much: high
is loud, and so are deep notes and doubled octaves; a dense or dissonant passage is louder than a plain one,
and a fast stretch of one's own playing than a slow one; accents and signs are played, most of all where one
is new; and who puts the soft pedal down means to be soft.
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
from tocco.pseudo_labels.observed.onsets import Together
from tocco.pseudo_labels.observed.voices import near, near_onsets
from tocco.units import BoolArray, FloatArray, IntArray

MINUTE_SEC: Final = 30.0
"""Level is heard against the last and the next half minute."""

MARKED_LEVELS: Final = {
    "ppp": -3.5, "pp": -2.5, "p": -1.5, "mp": -0.5, "mf": 0.5, "f": 1.5, "ff": 2.5, "fff": 3.5,
}  # fmt: skip
"""Steps from the middle, one to a sign."""

STRESS_SIGNS: Final = ("sf", "sff", "sfz", "sfp", "fz", "fp", "rf", "rfz")

_ROUGHNESS: Final = {1: 1.0, 2: 0.4, 6: 1.0}
"""Roughness of two pitch classes that are so many semitones apart, or so many short of an octave."""

MIDDLE_C: Final = 60
CHANGE_SEC: Final = 2.0
"""A sign is new so long after it, and is led up to so long before."""

_PITCHES = 256
"""More than any pitch and an octave."""
_OCTAVE = 12
_SAME_PLACE_BEAT = 0.05
_CHORD_SEC = 0.45
_SEEN_AFTER_SEC = 0.02


def general_level(evidence: Evidence) -> FloatArray:
    """How loud the playing is around each onset, no matter which voices take part.

    Highest, lowest and inner notes are each measured against their own mean over the performance, so
    that neither voicing nor a change of texture is a crescendo.

    Returns
    -------
    (G,) velocity above the mean, of the onsets of `together`
    """
    return near_onsets(evidence.together, evidence.velocity[evidence.together.note])


def against_minute(evidence: Evidence, value: FloatArray) -> FloatArray:
    """(G,) a value of each onset less its mean over the minute around."""
    return value - around(np.maximum.accumulate(evidence.together.onset_sec), value, MINUTE_SEC)


def suggested_course(evidence: Evidence) -> FloatArray:
    """How the level would run if it followed the music: with line, motion, harmony and signs.

    A sum of hints (`read_hints`), each smoothed like the level and against the minute around, times what
    pianists make of it on average (`norms.CourseNorms`). "High loud" and "harmonic charge" are rules of
    old (Friberg 1991), and so is "the faster, the louder" (Todd 1992). A player may shape otherwise with good
    reason, for a while.

    Returns
    -------
    (G,) velocity, of the onsets of `together`; above 0 is louder than the minute around
    """
    velocity = reference_norms().course.velocity.model_dump()
    course = np.zeros(len(evidence.together.onset_sec))
    for name, hint in read_hints(evidence).items():
        course += velocity[name] * hint
    return course


def read_hints(evidence: Evidence) -> dict[str, FloatArray]:
    """What line, motion, harmony and signs say of the level, onset by onset.

    Returns
    -------
    (G,) each, smoothed and against the minute around
        "top": semitones of the upper line. "depth": semitones below middle C, mean of the notes. "doubling":
        share of the notes that are struck an octave higher as well. "motion": logarithm of onsets a beat
        (a second without a score). "dissonance": 0..1, minor and major seconds and tritones, octaves
        aside, among what is struck within a second. "soft_pedal": 0 up to 1 down; not of a transcription,
        since it cannot be heard apart from soft playing. With a page also
        "tempo": logarithm of beats a second, as played, within threefold of the whole; "mark": steps between
        signs, no sign counting as their mean; "mark_change": steps by which the sign two seconds later is
        above that of two seconds before, on the line between onsets; "hairpin": 0 to 1 along a crescendo, 0
        to -1 along a diminuendo; "stress": share of onsets with an accent or a sign such as sf.
    """
    together, struck, written = evidence.together, evidence.playing.struck, evidence.written
    if not len(together.size):
        return {}
    time_sec = np.maximum.accumulate(together.onset_sec)
    at = time_sec if written is None else written.onset_beat
    wait = np.maximum(np.diff(at, append=at[-1] + 1.0), 0.03)
    pitch = struck.pitch[together.note].astype(np.int64)
    hints = {
        "top": struck.pitch[together.top].astype(float),
        "depth": _mean_of_onsets(together, np.maximum(MIDDLE_C - pitch, 0)),
        "doubling": _mean_of_onsets(together, _is_doubled(together.onset_of, pitch)),
        "motion": -np.log(wait),
        "dissonance": _dissonance(evidence, time_sec),
    }
    if not evidence.is_transcribed:
        hints["soft_pedal"] = evidence.performance.soft.at(time_sec + _SEEN_AFTER_SEC) / 127.0
    if written is not None and evidence.score is not None:
        hints |= _of_the_page(evidence.score, written, time_sec)
    return {name: against_minute(evidence, near(time_sec, hint)) for name, hint in hints.items()}


def _of_the_page(score: Score, written: Written, time_sec: FloatArray) -> dict[str, FloatArray]:
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


def _mean_of_onsets(together: Together, value: FloatArray | IntArray | BoolArray) -> FloatArray:
    """(G,) mean of a value over the notes of each onset."""
    return np.bincount(together.onset_of, value, len(together.size)) / together.size


def _is_doubled(onset_of: IntArray, pitch: IntArray) -> BoolArray:
    """(K,) which notes are struck an octave higher as well, at the same onset."""
    place = onset_of * _PITCHES + pitch
    return np.isin(place + _OCTAVE, place)


def _dissonance(evidence: Evidence, time_sec: FloatArray) -> FloatArray:
    """(G,) 0..1: roughness of the pitch classes struck within about a second."""
    together = evidence.together
    pitch_class = evidence.playing.struck.pitch[together.note].astype(np.int64) % 12
    struck = np.zeros((12, len(time_sec)))
    np.add.at(struck, (pitch_class, together.onset_of), 1.0)
    chord = near(time_sec, struck / together.size, _CHORD_SEC)
    # Half an octave away is half an octave away from either side: each such pair is met twice.
    share = {step: w / (2.0 if 2 * step == PITCH_CLASSES else 1.0) for step, w in _ROUGHNESS.items()}
    return np.sum(
        [w * (chord * np.roll(chord, step, axis=0)).sum(axis=0) for step, w in share.items()], axis=0
    )


def stressed_onsets(score: Score, written: Written) -> FloatArray:
    """(G,) 1 where a note of the onset bears an accent, or the onset a sign such as sf."""
    accented = np.bincount(written.onset_of, accented_notes(score, written)) > 0.0
    return (accented | signed_onsets(score, written)).astype(float)


def accented_notes(score: Score, written: Written) -> BoolArray:
    """(K,) which of the matched notes bear an accent."""
    return np.array(["accent" in score.articulation[note] for note in written.note], dtype=bool)


def signed_onsets(score: Score, written: Written) -> BoolArray:
    """(G,) at which written onsets a sign such as sf stands."""
    signs = np.array(
        [m.onset_beat for m in score.marks if m.kind == "dynamics" and m.text.strip() in STRESS_SIGNS]
    )
    if not len(signs):
        return np.zeros(len(written.onset_beat), dtype=bool)
    return np.abs(written.onset_beat[:, None] - signs).min(axis=1) < _SAME_PLACE_BEAT


def _marked_steps(marks: tuple[Mark, ...], beat: FloatArray) -> FloatArray:
    """(G,) steps above the mean of the levels marked; 0 before the first sign."""
    asked = marked_level(marks, beat)
    known = np.isfinite(asked)
    return np.where(known, asked - asked[known].mean(), 0.0) if known.any() else np.zeros(len(beat))


def marked_level(marks: tuple[Mark, ...], beat: FloatArray) -> FloatArray:
    """The level that holds at each beat, after the last sign from ppp to fff.

    Returns
    -------
    (G,) steps from the middle between mp and mf; NaN before the first sign
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
