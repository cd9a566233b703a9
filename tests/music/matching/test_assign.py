import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from tocco.music.matching.assign import match_by_pitch


def _match(due, due_pitch, sec, pitch, reach=1.0):
    reach_sec = np.full(len(due), reach)
    return match_by_pitch(
        np.array(due, dtype=float),
        np.array(due_pitch),
        reach_sec,
        reach_sec,
        np.array(sec, dtype=float),
        np.array(pitch),
    )


def test_each_note_takes_the_stroke_of_its_own_key() -> None:
    found = _match([0.0, 0.0, 1.0], [60, 64, 60], [0.02, 0.05, 1.01], [64, 60, 60])
    assert found.tolist() == [[0, 1], [1, 0], [2, 2]]


def test_a_missing_repeated_note_leaves_the_others_in_place() -> None:
    found = _match([0.0, 0.5, 1.0, 1.5], [60] * 4, [0.03, 1.02, 1.49], [60] * 3)
    assert found.tolist() == [[0, 0], [2, 1], [3, 2]]


def test_nothing_matches_beyond_reach() -> None:
    assert _match([0.0], [60], [0.6], [60], reach=0.5).shape == (0, 2)


def test_reach_may_differ_before_and_after() -> None:
    late = match_by_pitch(
        np.array([1.0]),
        np.array([60]),
        np.array([0.1]),
        np.array([0.8]),
        np.array([0.5, 1.7]),
        np.array([60, 60]),
    )
    assert late.tolist() == [[0, 1]]


def test_no_notes_give_no_matches() -> None:
    assert _match([], [], [1.0], [60]).shape == (0, 2)
    assert _match([1.0], [60], [], []).shape == (0, 2)


@pytest.mark.parametrize("seed", range(20))
def test_agrees_with_the_assignment_problem(seed: int) -> None:
    # On one key, crossing two matches never brings either closer, so the best matching that keeps the
    # order is as good as the best of all.
    rng = np.random.default_rng(seed)
    due, sec = np.sort(rng.uniform(0, 6, 12)), np.sort(rng.uniform(0, 6, 14))
    found = _match(due, np.full(12, 60), sec, np.full(14, 60))
    distance = np.abs(due[:, None] - sec)
    worth = np.where(distance <= 1.0, 1.0 - 0.9 * distance**2, 0.0)
    rows, columns = linear_sum_assignment(worth, maximize=True)
    assert worth[found[:, 0], found[:, 1]].sum() == pytest.approx(worth[rows, columns].sum())
    assert (np.diff(found[:, 1]) > 0).all()
