import numpy as np

from tocco.music.matching.assign import settle_repeated_keys

WRITTEN_PITCH = np.array([60, 62, 60, 64])
DUE_SEC = np.array([0.0, 1.0, 2.0, 3.0])


def settle(match: list[list[int]], onset: list[float], left_over: list[list[int]]) -> list[list[int]]:
    return settle_repeated_keys(
        np.array(match), DUE_SEC, WRITTEN_PITCH, np.array(onset), np.array(left_over).reshape(-1, 2)
    ).tolist()


def test_the_nearer_stroke_takes_the_note() -> None:
    # A wrong 60 at 1 s took the 60 that was due at 2 s; the right one at 2.02 s was left over.
    match = [[0, 0], [2, 1], [3, 3]]
    assert settle(match, [0.0, 1.0, 2.02, 3.0], [[2, 60]]) == [[0, 0], [2, 2], [3, 3]]


def test_a_stroke_that_is_not_clearly_nearer_takes_nothing() -> None:
    match = [[0, 0], [2, 1], [3, 3]]
    assert settle(match, [0.0, 2.1, 1.94, 3.0], [[2, 60]]) == match


def test_another_key_takes_nothing() -> None:
    match = [[0, 0], [2, 1], [3, 3]]
    assert settle(match, [0.0, 1.0, 2.02, 3.0], [[2, 61]]) == match


def test_without_left_over_strokes_nothing_moves() -> None:
    match = [[0, 0], [1, 1]]
    assert settle(match, [0.0, 1.0], []) == match
