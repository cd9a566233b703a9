"""Note accuracy: the share of notes that are right, counted against the score."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tocco.errors import InputError
from tocco.music.alignment import Alignment
from tocco.units import BoolArray, FloatArray, IntArray

_LEVEL = 0.9

_ORNAMENT_SIGNS = frozenset(
    {
        "trill-mark",
        "turn",
        "delayed-turn",
        "inverted-turn",
        "delayed-inverted-turn",
        "vertical-turn",
        "inverted-vertical-turn",
        "shake",
        "wavy-line",
        "mordent",
        "inverted-mordent",
        "schleifer",
        "haydn",
    }
)
"""Signs that stand for the written note and its neighbours, by their MusicXML names."""

_NEIGHBOUR_SEMITONES = 2
_TREMOLO_SIGN = "tremolo"
_ORNAMENT_LEAD_BEAT = 0.25
"""An ornament may begin a little before the beat."""


@dataclass(frozen=True)
class NoteAccuracy:
    """How many notes were right, with what that says about the player.

    Attributes
    ----------
    value : 0..100, percent of note events that are right; NaN where there is none to judge
    interval_90 : (low, high), 0..100
        Where the player's long-run accuracy lies with a probability of 90 %, given so many notes.
    n_match, n_wrong, n_missing, n_extra
        A wrong note is one event: its missing and its extra half are not counted again.
    reason
        Why there is no value; "" where there is one.
    """

    value: float
    interval_90: tuple[float, float]
    n_match: int
    n_wrong: int
    n_missing: int
    n_extra: int
    reason: str = ""

    @property
    def n_events(self) -> int:
        """Notes judged: right, wrong, missing and extra."""
        return self.n_match + self.n_wrong + self.n_missing + self.n_extra


def rate_note_accuracy(alignment: Alignment, span_sec: tuple[float, float] | None = None) -> NoteAccuracy:
    """Percent of note events that are right: matches among matches, wrong, missing and extra notes.

    An extra note that realises a written ornament is no mistake and no event. It counts as such where a
    sign for a trill, turn or mordent stands over a note of the score, the extra note is at most two
    semitones from it (for a tremolo sign: equal to a note of its beat), and it falls from a quarter of
    a beat before the note to the note's end. Anything else that was added is a mistake. A grace note
    that was left out is a missing note like any other.

    Parameters
    ----------
    alignment
    span_sec : (start, end) on the clock of the performance, or None for all of it
        A note counts where it was played, or where it was due; the end is excluded.

    Returns
    -------
    The rating with its 90 % interval.
    """
    _check_performance(alignment)
    single_deletion = np.setdiff1d(alignment.deletion, alignment.substitution[:, 0])
    single_insertion = np.setdiff1d(alignment.insertion, alignment.substitution[:, 1])
    single_insertion = single_insertion[~_realises_ornament(alignment, single_insertion)]
    n_match = _count_played(alignment, alignment.match[:, 1], span_sec)
    n_wrong = _count_played(alignment, alignment.substitution[:, 1], span_sec)
    n_extra = _count_played(alignment, single_insertion, span_sec)
    n_missing = _count_due(alignment, single_deletion, span_sec)
    n_events = n_match + n_wrong + n_missing + n_extra
    if n_events == 0:
        reason = "no note was played or due in this span"
        return NoteAccuracy(math.nan, (0.0, 100.0), 0, 0, 0, 0, reason)
    return NoteAccuracy(
        100.0 * n_match / n_events,
        jeffreys_interval(n_match, n_events),
        n_match,
        n_wrong,
        n_missing,
        n_extra,
    )


def jeffreys_interval(n_right: int, n_events: int, level: float = _LEVEL) -> tuple[float, float]:
    """Interval of a proportion in percent, after Jeffreys.

    The central part of a Beta(1/2 + right, 1/2 + not right) distribution, closed at 0 where nothing was
    right and at 100 where everything was (Brown, Cai & DasGupta 2001, "Interval Estimation for a
    Binomial Proportion", Statistical Science 16, section 4.3). It takes notes as independent; mistakes
    that come in clusters make the true interval wider.

    Parameters
    ----------
    n_right, n_events : 0 <= n_right <= n_events, n_events >= 1
    level : 0..1

    Examples
    --------
    >>> [round(bound, 1) for bound in jeffreys_interval(98, 100)]
    [94.6, 99.4]
    """
    from scipy.stats import beta

    tail = (1.0 - level) / 2.0
    shape = (n_right + 0.5, n_events - n_right + 0.5)
    low = 0.0 if n_right == 0 else float(beta.ppf(tail, *shape))
    high = 1.0 if n_right == n_events else float(beta.ppf(1.0 - tail, *shape))
    return 100.0 * low, 100.0 * high


def _check_performance(alignment: Alignment) -> None:
    if len(alignment.performance_pitch) != len(alignment.performance_beat):
        raise InputError(
            "alignment",
            "does not carry the performance that it aligns",
            next_step="make it with align_performance_to_score",
        )


def _count_played(alignment: Alignment, note: IntArray, span_sec: tuple[float, float] | None) -> int:
    """Performed notes that begin within the span."""
    return _count_within(alignment.performance_onset_sec[note], span_sec)


def _count_due(alignment: Alignment, note: IntArray, span_sec: tuple[float, float] | None) -> int:
    """Written notes that were due within the span."""
    return _count_within(alignment.sec_at(alignment.score.onset_beat[note]), span_sec)


def _count_within(time_sec: FloatArray, span_sec: tuple[float, float] | None) -> int:
    if span_sec is None:
        return len(time_sec)
    return int(((time_sec >= span_sec[0]) & (time_sec < span_sec[1])).sum())


def _realises_ornament(alignment: Alignment, insertion: IntArray) -> BoolArray:
    """Which extra notes are the written-out form of an ornament sign."""
    score = alignment.score
    realises = np.zeros(len(insertion), dtype=bool)
    position = alignment.performance_beat[insertion]
    for note, names in enumerate(score.articulation):
        signs = set(names.split(","))
        reach = _NEIGHBOUR_SEMITONES if signs & _ORNAMENT_SIGNS else 0
        if not reach and _TREMOLO_SIGN not in signs:
            continue
        start = score.onset_beat[note]
        end = start + score.duration_beat[note]
        in_time = (position >= start - _ORNAMENT_LEAD_BEAT) & (position < end)
        realises |= in_time & (np.abs(alignment.performance_pitch[insertion] - score.pitch[note]) <= reach)
    return realises
