"""Hide notes of a performance so that nothing that is shown depends on what they were.

The measured features of a note speak of its neighbours (the loudness of its chord, the time to the next
one), so that hiding a note's own entries is not enough. Hidden notes are therefore taken out of the
performance and of its alignment before anything is measured; what is shown of them is their bar and their
beat. Among the notes of a beat the hidden ones stand last, since the order of tokens would tell their pitch.
What remains: the alignment itself was found with all notes.

The source of this module, and of all that it imports, is part of the key of the cached questions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from tocco.audio.processing import segment_bounds
from tocco.data.preparation import REGULAR_BEAT_SEC, cut_windows
from tocco.data.records import LabelRecord
from tocco.data.sources import read_performance
from tocco.errors import InputError
from tocco.models.midi_encoder import BAR, BEAT, MASK, PITCH, POSITION, PREDICTED_COLUMNS, TYPE
from tocco.music.alignment import Alignment
from tocco.music.note_features import NOTE_FEATURES, note_features
from tocco.music.octuple import FIRST_VALUE, BeatGrid, OctupleTokens, encode_octuple_midi
from tocco.music.performance import Performance
from tocco.units import BoolArray, FloatArray, IntArray

_ASKED: Final = [TYPE, *PREDICTED_COLUMNS.values()]
_FEWEST_ANCHORS: Final = 2
_SAME_BEAT: Final = 1e-6
_FEWEST_NOTES: Final = 8
"""A window with fewer struck notes asks nothing."""


@dataclass(frozen=True)
class Hiding:
    """How notes are hidden.

    Attributes
    ----------
    window_sec : seconds; windows do not overlap
    score_dropout : share of the questions that are asked without the score
    share : of the struck notes of a window that are hidden
    spans : length of the runs, one question of every window for each
    seed
    """

    window_sec: float
    score_dropout: float
    share: float
    spans: tuple[int, ...]
    seed: int


@dataclass(frozen=True, eq=False)
class Question:
    """The notes of a window, some of them hidden.

    Attributes
    ----------
    shown : (L, 8) Octuple; a hidden note is of type MASK and shows bar, beat and instrument
    note_features : (L, F) in the order of `NOTE_FEATURES`; NaN where missing or hidden
    answer : (L, 8) Octuple, none hidden
    """

    shown: IntArray
    note_features: FloatArray
    answer: IntArray


def choose_notes(may_hide: BoolArray, share: float, span: int, generator: np.random.Generator) -> BoolArray:
    """Draw notes to hide: runs of neighbours until a share of all is reached.

    Parameters
    ----------
    may_hide : (N,) in order of time
    share : 0..1
        Of the notes that may be hidden; at least one is, where there is any.
    span : notes, >= 1
        Length of a run; 1 draws every note by itself.

    Returns
    -------
    (N,) True = hide
    """
    hidden = np.zeros(len(may_hide), dtype=bool)
    place = np.flatnonzero(may_hide)
    if len(place):
        cuts = np.arange(generator.integers(span) + 1 if span > 1 else 1, len(place), span)
        runs = np.split(place, cuts)
        drawn = np.concatenate([runs[i] for i in generator.permutation(len(runs))])
        hidden[drawn[: max(1, round(share * len(place)))]] = True
    return hidden


def ask(performance: Performance, alignment: Alignment | None, hidden: BoolArray) -> Question:
    """Hide notes of a window.

    Parameters
    ----------
    performance
    alignment : None to ask without the score
    hidden : (N,) True = hide

    Raises
    ------
    ValueError
        Without any shown note there is nothing to guess from.
    """
    if hidden.all():
        raise ValueError(f"all {len(hidden)} notes are hidden")
    rest = performance.only(~hidden)
    rest_alignment = None if alignment is None else without_notes(alignment, hidden, performance.duration_sec)
    answer = _rows(encode(performance, alignment))
    shown = answer.copy()
    shown[~hidden] = _rows(encode(rest, rest_alignment))
    shown[np.ix_(hidden, np.array(_ASKED))] = MASK
    features = np.full((len(hidden), len(NOTE_FEATURES)), np.nan, dtype=np.float32)
    features[~hidden] = note_features(rest, rest_alignment)
    order = np.lexsort((answer[:, PITCH], answer[:, POSITION], hidden, answer[:, BEAT], answer[:, BAR]))
    first_bar = answer[:, BAR].min() - FIRST_VALUE
    for token in (shown, answer):
        token[:, BAR] -= first_bar
    return Question(shown[order], features[order], answer[order])


def encode(performance: Performance, alignment: Alignment | None) -> OctupleTokens:
    """Tokens on the score's beats, or on a regular grid without an alignment; as `symbolic_inputs`."""
    if alignment is None:
        grid = BeatGrid.regular(REGULAR_BEAT_SEC, performance.duration_sec)
        return encode_octuple_midi(performance, grid)
    grid = BeatGrid.from_alignment(alignment)
    return encode_octuple_midi(performance, grid, onset_beat=alignment.performance_beat)


def without_notes(alignment: Alignment, hidden: BoolArray, duration_sec: float) -> Alignment | None:
    """An alignment as if some notes were not known; None if too little is left to tell the time of beats.

    Anchors of the time map that rest on a hidden note go too, for all notes of that written onset.
    """
    kept = ~_near(alignment.anchor_beat, alignment.performance_beat[hidden])
    if np.count_nonzero(kept) < _FEWEST_ANCHORS:
        return None
    rest = replace(alignment, anchor_beat=alignment.anchor_beat[kept], anchor_sec=alignment.anchor_sec[kept])
    return rest.window(0.0, duration_sec, np.flatnonzero(~hidden))


def may_hide(performance: Performance) -> BoolArray:
    """(N,) notes that are struck inside the window; those held over its start have no onset to ask for."""
    return performance.struck_inside


def _near(values: FloatArray, points: FloatArray) -> BoolArray:
    """(G,) whether any of the points is at the value."""
    point = np.concatenate(([-np.inf], np.sort(points), [np.inf]))
    after = np.searchsorted(point, values)
    return np.minimum(point[after] - values, values - point[after - 1]) < _SAME_BEAT


def _rows(tokens: OctupleTokens) -> IntArray:
    """(N, 8) one row a note in the order of the performance, bars as the grid counts them."""
    rows = np.empty_like(tokens.token)
    rows[tokens.note_index] = tokens.token
    rows[:, BAR] += tokens.first_bar
    return rows


def question_arrays(record: LabelRecord, hiding: Hiding) -> dict[str, np.ndarray]:
    """All questions of a performance, one after the other, in the order window, span.

    Returns
    -------
    dict
        `shown`, `answer` (R, 8), `note_features` (R, F), and `bounds` (Q, 2), the rows of each question.

    Raises
    ------
    InputError
        It has no MIDI or no window with enough notes, or a file cannot be used.
    """
    questions = list(_questions(record, hiding))
    if not questions:
        raise InputError(record.segment_id, f"has no window of {_FEWEST_NOTES} notes to hide some of")
    ends = np.cumsum([len(question.shown) for question in questions])
    return {
        "shown": np.concatenate([question.shown for question in questions]).astype(np.int32),
        "answer": np.concatenate([question.answer for question in questions]).astype(np.int32),
        "note_features": np.concatenate([question.note_features for question in questions]),
        "bounds": np.stack([np.concatenate(([0], ends[:-1])), ends], axis=1),
    }


def _questions(record: LabelRecord, hiding: Hiding) -> Iterator[Question]:
    if record.midi_path is None:
        raise InputError(record.segment_id, "has no midi_path", next_step="leave the record out")
    read = read_performance(
        record.midi_path, record.score_path, origin=record.origin, refuse_other_score=False
    )
    end = read.performance.duration_sec if record.end_time is None else record.end_time
    bounds = segment_bounds(end - record.start_time, hiding.window_sec, 0.0) + record.start_time
    name = int.from_bytes(record.segment_id.encode(), "little")
    generator = np.random.default_rng([hiding.seed, name])
    for window, alignment in cut_windows(read.performance, read.alignment, bounds):
        if np.count_nonzero(may_hide(window)) < _FEWEST_NOTES:
            continue
        for span in hiding.spans:
            hidden = choose_notes(may_hide(window), hiding.share, span, generator)
            with_score = generator.random() >= hiding.score_dropout
            yield ask(window, alignment if with_score else None, hidden)
