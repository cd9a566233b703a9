"""What a teacher asks of an alignment: which notes are mistakes, and how the tempo runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tocco.music.alignment import Alignment
from tocco.units import FloatArray, IntArray

_CURVE_STEP_BEAT = 0.25
_MIN_WINDOW_BEAT = 2.0
"""Below two quarter notes a tempo says more of single notes than of the beat."""

_SAME_BEAT = 1e-6


@dataclass(frozen=True, eq=False)
class SortedNotes:
    """Every note of an alignment under one heading.

    Attributes
    ----------
    right, wrong : (K, 2), (Q, 2) index into the score, index into the performance
    missing : (M,) index into the score, wrong notes not counted
    extra : (E,) index into the performance: added, and neither of the next two
    ornamental : (O,) index into the performance: added notes that adorn a written one
    given_up : (G,) index into the performance: notes of tries that were played again
    """

    right: IntArray
    wrong: IntArray
    missing: IntArray
    extra: IntArray
    ornamental: IntArray
    given_up: IntArray


def sort_notes(alignment: Alignment) -> SortedNotes:
    """Tell mistakes from ornaments and from tries that were given up."""
    wrong = alignment.substitution.reshape(-1, 2)
    added = np.setdiff1d(alignment.insertion, wrong[:, 1])
    tried = [np.arange(retry.first_note, retry.last_note + 1) for retry in alignment.retries]
    given_up = np.intersect1d(added, np.concatenate([_nothing(), *tried]))
    adorning = [np.array(ornament.played, dtype=np.int64) for ornament in alignment.ornaments]
    ornamental = np.setdiff1d(np.intersect1d(added, np.concatenate([_nothing(), *adorning])), given_up)
    return SortedNotes(
        right=alignment.match,
        wrong=wrong,
        missing=np.setdiff1d(alignment.deletion, wrong[:, 0]),
        extra=np.setdiff1d(added, np.concatenate([given_up, ornamental])),
        ornamental=ornamental,
        given_up=given_up,
    )


def _nothing() -> IntArray:
    return np.zeros(0, dtype=np.int64)


def played_bars(alignment: Alignment) -> tuple[int, int]:
    """Index of the first and the last bar in which a note was matched; (0, -1) where none was."""
    if len(alignment.match) == 0:
        return 0, -1
    bars = alignment.score.bar[alignment.match[:, 0]]
    return int(bars.min()), int(bars.max())


def unbroken_stretches(alignment: Alignment) -> list[tuple[float, float]]:
    """Stretches of the score, in beats, that were played without a restart or a skip in between."""
    first, last = float(alignment.anchor_beat[0]), float(alignment.anchor_beat[-1])
    breaks = [(retry.start_beat, retry.start_beat) for retry in alignment.retries]
    breaks += [(skip.start_beat, skip.end_beat) for skip in alignment.skips]
    stretches, start = [], first
    for leave, enter in sorted(breaks):
        before = alignment.anchor_beat[alignment.anchor_beat < leave - _SAME_BEAT]
        after = alignment.anchor_beat[alignment.anchor_beat >= enter - _SAME_BEAT]
        if len(before) and before[-1] > start:
            stretches.append((start, float(before[-1])))
        start = float(after[0]) if len(after) else last
    if last > start:
        stretches.append((start, last))
    return stretches


def tempo_curve(alignment: Alignment) -> list[tuple[FloatArray, FloatArray]]:
    """How the tempo runs, over about a bar at a time.

    Returns
    -------
    For each unbroken stretch: beats, and quarter notes a minute around each of them. The window is a
    bar of median length; at the ends of a stretch the half of it that is inside counts.
    """
    window = max(float(np.median(alignment.score.bar_beats)), _MIN_WINDOW_BEAT)
    strokes = []
    for start, end in unbroken_stretches(alignment):
        beat = np.append(np.arange(start, end, _CURVE_STEP_BEAT), end)
        early, late = np.maximum(beat - window / 2, start), np.minimum(beat + window / 2, end)
        took_sec = alignment.sec_at(late) - alignment.sec_at(early)
        strokes.append((beat, 60.0 * (late - early) / took_sec))
    return strokes


def bar_tempos(alignment: Alignment) -> list[tuple[int, float]]:
    """Index of every bar that was played through, and its quarter notes a minute."""
    score = alignment.score
    found = []
    for start, end in unbroken_stretches(alignment):
        inside = (score.bar_onset_beat >= start - _SAME_BEAT) & (
            score.bar_onset_beat + score.bar_beats <= end + _SAME_BEAT
        )
        for bar in np.flatnonzero(inside):
            edges = score.bar_onset_beat[bar] + np.array([0.0, score.bar_beats[bar]])
            found.append((int(bar), 60.0 * float(score.bar_beats[bar] / np.diff(alignment.sec_at(edges))[0])))
    return found
