from itertools import combinations

import numpy as np
import pytest

from matching_etude import etude, perform
from tocco.music.matching.chords import group_onsets
from tocco.music.matching.confidence import match_confidence
from tocco.music.matching.tempo_map import TempoMap, ascending_points, group_times, map_through, smoothed


def test_a_chord_stands_at_the_median_of_its_keys() -> None:
    index, sec, count = group_times(np.array([4, 2, 4, 4, 2]), np.array([1.0, 0.2, 1.4, 1.1, 0.4]))
    assert index.tolist() == [2, 4]
    np.testing.assert_allclose(sec, [0.3, 1.1])
    assert count.tolist() == [2, 3]


def test_a_chord_outweighs_stray_notes() -> None:
    assert ascending_points(np.array([1.0, 5.0, 2.0, 3.0]), np.array([1, 9, 1, 1])).tolist() == [0, 1]
    assert ascending_points(np.array([1.0, 5.0, 2.0, 3.0]), np.array([1, 1, 1, 1])).tolist() == [0, 2, 3]


@pytest.mark.parametrize("seed", range(15))
def test_the_heaviest_ascent_of_all(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sec, weight = rng.integers(0, 8, 9).astype(float), rng.integers(1, 6, 9)
    chosen = ascending_points(sec, weight)
    assert (np.diff(sec[chosen]) > 0).all()
    best = max(
        weight[list(points)].sum()
        for size in range(1, 10)
        for points in combinations(range(9), size)
        if (np.diff(sec[list(points)]) > 0).all()
    )
    assert weight[chosen].sum() == best


def test_fewer_than_two_places_give_no_clock() -> None:
    groups = group_onsets(etude(1))
    assert map_through(groups, np.zeros(0, dtype=int), np.zeros(0)) is None
    assert map_through(groups, np.array([3, 3]), np.array([1.0, 1.1])) is None


def test_confidence_falls_with_distance_and_with_doubtful_surroundings() -> None:
    written = etude()
    played, owner = perform(written)
    groups = group_onsets(written)
    match = np.column_stack([owner, np.arange(len(owner))])
    match = match[np.argsort(match[:, 0])]
    everything = np.ones(len(written), dtype=bool)
    sure = match_confidence(written, played, groups, match, everything, everything)
    np.testing.assert_allclose(sure, 1.0)
    sparse = match_confidence(written, played, groups, match[::3], everything, everything)
    assert sparse.max() < 0.8
    late = played.onset_sec.copy()
    late[match[50, 1]] += 0.4
    doubtful = match_confidence(
        written,
        type(played)(late, played.offset_sec, played.pitch, played.velocity),
        groups,
        match,
        everything,
        everything,
    )
    assert doubtful[50] < 0.5
    assert doubtful[[10, 120]].min() > 0.99


def test_smoothing_mends_a_stray_point_and_leaves_a_stop() -> None:
    beat = np.arange(40.0)
    even = beat * 0.5
    np.testing.assert_allclose(smoothed(TempoMap(beat, even)).sec, even, atol=1e-9)
    stray = even.copy()
    stray[20] += 0.15
    assert abs(smoothed(TempoMap(beat, stray)).sec[20] - even[20]) < 1e-9
    stop = even + np.where(beat >= 20, 5.0, 0.0)
    np.testing.assert_allclose(smoothed(TempoMap(beat, stop)).sec[[19, 20]], stop[[19, 20]])
    assert (np.diff(smoothed(TempoMap(beat, stray)).sec) >= 0).all()
