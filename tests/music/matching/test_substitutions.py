import numpy as np

from tocco.music.matching.substitutions import pair_wrong_notes


def _pair(due: list[tuple[float, int]], played: list[tuple[float, int]]) -> list[list[int]]:
    """Pairs of a missing and an added note; missing ones are numbered from 10, added ones from 20."""
    due_sec, due_pitch = (np.array(column) for column in zip(*due, strict=True))
    sec, pitch = (np.array(column) for column in zip(*played, strict=True))
    return pair_wrong_notes(
        np.arange(len(due)) + 10, due_sec, due_pitch, np.arange(len(played)) + 20, sec, pitch
    ).tolist()


def test_a_neighbouring_key_in_time_is_one_wrong_note() -> None:
    assert _pair([(1.0, 60)], [(1.05, 61)]) == [[10, 20]]


def test_an_octave_off_is_one_wrong_note() -> None:
    assert _pair([(1.0, 60)], [(1.0, 72)]) == [[10, 20]]


def test_far_in_time_or_pitch_are_two_mistakes() -> None:
    assert _pair([(1.0, 60)], [(1.5, 61)]) == []
    assert _pair([(1.0, 60)], [(1.0, 69)]) == []
    assert _pair([(1.0, 60)], [(1.1, 60)]) == []


def test_the_closest_pairing_of_all() -> None:
    # 62 is nearer to 61 than 60 is, but then 60 would be left with 65.
    assert _pair([(1.0, 60), (1.0, 63)], [(1.0, 61), (1.0, 65)]) == [[10, 20], [11, 21]]


def test_as_many_pairs_as_possible() -> None:
    assert len(_pair([(1.0, 60), (1.2, 62), (5.0, 70)], [(1.1, 61), (1.1, 63), (5.1, 71), (9.0, 50)])) == 3
