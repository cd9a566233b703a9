"""Planted mistakes, found and not found, by hand-made alignments with known answers."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from pseudo_example import piece, played
from tocco.evaluation.pseudo_labels.planted_errors import (
    SAME_KEY_SEC,
    Detection,
    detect,
    detect_restarts,
    marks_of,
    planted_marks,
    precision_recall,
)
from tocco.music.alignment import Alignment, align_performance_to_score
from tocco.music.corruption import Corruption, corrupt
from tocco.music.corruption.record import NoteEdit
from tocco.music.midi import save_midi
from tocco.music.performance import Performance
from tocco.music.score import Score, load_score
from tocco.music.time_map import TimeMap
from tocco.units import FloatArray, IntArray


@pytest.fixture(scope="module")
def take(tmp_path_factory: pytest.TempPathFactory) -> tuple[Performance, Score, Alignment]:
    path = tmp_path_factory.mktemp("score") / "score.mid"
    save_midi(piece(0), path)
    score = load_score(path)
    performance = played(piece(0), 1)
    return performance, score, align_performance_to_score(performance, score)


def test_a_clean_take_has_no_marks(take: tuple[Performance, Score, Alignment]) -> None:
    performance, _, alignment = take
    assert marks_of(performance, alignment) == set()


@pytest.mark.parametrize(
    ("kind", "marks_each"),
    [("wrong_notes", 2), ("missing_notes", 1), ("extra_notes", 1), ("doubled_notes", 1)],
)
def test_planted_mistakes_are_marked_and_found(
    kind: str, marks_each: int, take: tuple[Performance, Score, Alignment]
) -> None:
    performance, score, alignment = take
    worse = corrupt(performance, kind, 0.03, np.random.default_rng(3), alignment=alignment)
    planted = planted_marks(alignment, worse)
    assert len(planted) == marks_each * round(0.03 * len(performance))
    found = align_performance_to_score(worse.performance, score)
    detection = detect(performance, alignment, worse, found)
    assert detection.n_planted == len(planted)
    assert detection.n_found >= 0.9 * detection.n_planted
    assert detection.n_true >= 0.9 * detection.n_claimed


def test_what_was_there_before_counts_neither_way(take: tuple[Performance, Score, Alignment]) -> None:
    performance, score, _ = take
    own = corrupt(performance, "missing_notes", 0.05, np.random.default_rng(0)).performance
    alignment = align_performance_to_score(own, score)
    n_own = len(marks_of(own, alignment))
    assert n_own >= 10
    worse = corrupt(own, "wrong_notes", 0.03, np.random.default_rng(3), alignment=alignment)
    detection = detect(own, alignment, worse, align_performance_to_score(worse.performance, score))
    assert detection.n_claimed < n_own + detection.n_planted
    assert detection.n_true >= 0.9 * detection.n_claimed


_NOTE_FIELDS = ("onset_sec", "offset_sec", "pitch", "velocity")


def _same_key_pairs(pitch: IntArray, due_sec: FloatArray) -> tuple[tuple[int, int], tuple[int, int]]:
    """Two written notes of one key close to each other, and two that are not."""
    pairs = [(a, b) for a, b in combinations(range(len(pitch)), 2) if pitch[a] == pitch[b]]
    near = next(pair for pair in pairs if due_sec[pair[1]] - due_sec[pair[0]] < 0.9 * SAME_KEY_SEC)
    far = next(pair for pair in pairs if due_sec[pair[1]] - due_sec[pair[0]] > 3.0 * SAME_KEY_SEC)
    return near, far


def _missed(found: Alignment, notes: list[int]) -> Alignment:
    """An alignment of which these written notes alone are missing."""
    gone = np.array(notes, dtype=int)
    return replace(
        found,
        match=found.match[~np.isin(found.match[:, 0], gone)],
        deletion=gone,
        insertion=np.zeros(0, dtype=int),
        substitution=np.zeros((0, 2), dtype=int),
    )


def _without_stroke(performance: Performance, note: int) -> Corruption:
    """The performance of which one note did not speak."""
    kept = np.delete(np.arange(len(performance)), note)
    new_of_old = np.full(len(performance), -1)
    new_of_old[kept] = np.arange(len(kept))
    sec = float(performance.onset_sec[note])
    return Corruption(
        name="missing_notes",
        severity=0.0,
        unit="share",
        target="note_accuracy",
        performance=replace(
            performance,
            **{name: getattr(performance, name)[kept] for name in _NOTE_FIELDS},
        ),
        new_of_old=new_of_old,
        edits=(NoteEdit("missing", note, -1, sec, sec, ""),),
        spans=(),
        time_map=TimeMap(np.array([0.0]), np.array([0.0])),
    )


def test_either_of_two_repetitions_may_be_called_missing(
    take: tuple[Performance, Score, Alignment],
) -> None:
    performance, _, alignment = take
    played_of = dict(alignment.match.tolist())
    due_sec, pitch = alignment.sec_at(alignment.score.onset_beat), alignment.score.pitch
    near, far = _same_key_pairs(pitch, due_sec)
    for (one, other), is_same in ((near, True), (far, False)):
        worse = _without_stroke(performance, played_of[one])
        clean = align_performance_to_score(worse.performance, alignment.score)
        detection = detect(performance, alignment, worse, _missed(clean, [other]), by_key=True)
        assert (detection.n_planted, detection.n_claimed) == (1, 1)
        assert (detection.n_true, detection.n_found) == (is_same, is_same)
        exact = detect(performance, alignment, worse, _missed(clean, [other]))
        assert (exact.n_claimed, exact.n_true, exact.n_found) == (1, 0, 0)
        # One planted mistake stands for one claim.
        both = detect(performance, alignment, worse, _missed(clean, [one, other]), by_key=True)
        assert (both.n_claimed, both.n_true, both.n_found) == (2, 1, 1)


def test_a_mark_of_before_may_move_to_the_repetition(take: tuple[Performance, Score, Alignment]) -> None:
    performance, _, alignment = take
    played_of = dict(alignment.match.tolist())
    (one, other), _ = _same_key_pairs(alignment.score.pitch, alignment.sec_at(alignment.score.onset_beat))
    planted = next(note for note in played_of if alignment.score.pitch[note] != alignment.score.pitch[one])
    worse = _without_stroke(performance, played_of[planted])
    clean = align_performance_to_score(worse.performance, alignment.score)
    before, after = _missed(alignment, [one]), _missed(clean, sorted([other, planted]))
    detection = detect(performance, before, worse, after, by_key=True)
    assert (detection.n_planted, detection.n_claimed, detection.n_true) == (1, 1, 1)
    exact = detect(performance, before, worse, after)
    assert (exact.n_planted, exact.n_claimed, exact.n_true) == (1, 2, 1)


def test_an_alignment_that_sees_nothing_finds_nothing(take: tuple[Performance, Score, Alignment]) -> None:
    performance, _, alignment = take
    worse = corrupt(performance, "missing_notes", 0.03, np.random.default_rng(3), alignment=alignment)
    blind = align_performance_to_score(worse.performance, alignment.score)
    everything = np.union1d(blind.deletion, blind.unplayed)
    blind = replace(
        blind,
        deletion=np.zeros(0, dtype=int),
        substitution=np.zeros((0, 2), dtype=int),
        unplayed=everything,
    )
    detection = detect(performance, alignment, worse, blind)
    assert (detection.n_found, detection.n_claimed) == (0, 0)
    assert detection.n_planted == round(0.03 * len(performance))


def test_restarts_are_found_as_restarts(take: tuple[Performance, Score, Alignment]) -> None:
    performance, score, alignment = take
    worse = corrupt(performance, "restarts", 6.0, np.random.default_rng(2), alignment=alignment)
    found = align_performance_to_score(worse.performance, score)
    detection = detect_restarts(performance, alignment, worse, found)
    assert detection.n_planted == len(worse.spans) >= 2
    assert detection.n_found == detection.n_planted
    none = detect_restarts(performance, alignment, worse, replace(found, retries=()))
    assert none.n_found == 0
    assert none.n_claimed > 0


def test_precision_and_recall_are_those_of_all_marks() -> None:
    one = Detection(kind="wrong_notes", by_key=False, n_planted=10, n_found=9, n_claimed=9, n_true=9)
    other = Detection(kind="wrong_notes", by_key=False, n_planted=30, n_found=30, n_claimed=31, n_true=30)
    assert precision_recall([one, other]) == (39 / 40, 39 / 40)
    assert all(np.isnan(precision_recall([])))
