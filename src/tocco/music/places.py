"""Places of a score in words: "bar 12, beat 2.25", "bars 15–16, then 1–8 (repeat)".

A beat is a quarter note, counted from 1 at the bar line, and named to a quarter.
"""

from __future__ import annotations

import math
from itertools import pairwise

from tocco.music.score import Score

_STEPS = 4
"""Named places in a beat."""

_SAME_BEAT = 1e-3


def place_of(score: Score, onset_beat: float) -> tuple[str, float]:
    """Printed bar, and the quarter note within it counted from 1, exact to a thousandth.

    Parameters
    ----------
    score
    onset_beat : beats of the unfolded score; ahead of the first bar line counts as on it
    """
    bar = score.bar_index_at(onset_beat)
    return score.bar_name[bar], round(max(onset_beat - float(score.bar_onset_beat[bar]), 0.0) + 1.0, 3)


def bars_of(score: Score, start_beat: float, end_beat: float) -> tuple[str, str]:
    """Printed names of the first and the last bar of a span of beats."""
    return score.bar_name[score.bar_index_at(start_beat)], score.bar_name[score.bar_index_at(end_beat)]


def name_place(score: Score, onset_beat: float) -> str:
    """One note's place in words.

    Parameters
    ----------
    score
    onset_beat : beats of the unfolded score
    """
    return place_in_words(*place_of(score, onset_beat))


def place_in_words(bar: str, beat: float) -> str:
    """Bar and beat in words.

    Parameters
    ----------
    bar : printed number
    beat : quarter notes from the bar line, which is 1

    Examples
    --------
    >>> place_in_words("12", 2.333)
    'bar 12, beat 2.25'
    >>> place_in_words("12", 4.96)
    'bar 12, beat 4.75'
    """
    # A beat that has not begun is not named: the last sixteenth would else be in the next bar.
    whole = math.floor(beat + _SAME_BEAT)
    part = min(max(round((beat - whole) * _STEPS), 0), _STEPS - 1) / _STEPS
    return f"bar {bar}, beat {whole + part:g}"


def name_span(score: Score, start_beat: float, end_beat: float) -> str:
    """Bars of a span of beats in words, each stretch of the score for itself.

    Parameters
    ----------
    score
    start_beat, end_beat : beats of the unfolded score, in any order
    """
    first, last = sorted((score.bar_index_at(start_beat), score.bar_index_at(end_beat)))
    printed = score.bar_printed or tuple(range(len(score.bar_name)))
    cuts = [bar + 1 for bar in range(first, last) if printed[bar + 1] not in (printed[bar], printed[bar] + 1)]
    stretches = [
        bars_in_words(score.bar_name[begin], score.bar_name[end - 1])
        + (" (repeat)" if begin != first and printed[begin] <= printed[begin - 1] else "")
        for begin, end in pairwise([first, *cuts, last + 1])
    ]
    if len(stretches) == 1:
        return stretches[0]
    return "bars " + ", then ".join(stretch.partition(" ")[2] for stretch in stretches)


def bars_in_words(first: str, last: str) -> str:
    """One stretch of bars in words.

    Parameters
    ----------
    first, last : printed numbers

    Examples
    --------
    >>> bars_in_words("3", "3"), bars_in_words("3", "8")
    ('bar 3', 'bars 3–8')
    """
    return f"bar {first}" if first == last else f"bars {first}–{last}"
