"""The best set of intervals, against every set that there is."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
import torch

from tocco.audio.transcription.transkun.intervals import best_intervals


def brute_force(ahead: np.ndarray, alone: np.ndarray) -> float:
    """The greatest total weight of intervals of one key that share no more than an end with a beginning."""
    n = len(alone)
    best = 0.0
    spans = [(b, e) for b in range(n) for e in range(b + 1, n)]
    for count in range(n):
        for chosen in combinations(spans, count):
            if all(one[1] <= other[0] for one, other in pairwise(chosen)):
                weight = sum(ahead[b, e] * (e - b) for b, e in chosen)
                inside = {t for b, e in chosen for t in range(b + 1, e)}
                singles = sum(max(alone[t], 0.0) for t in range(n) if t not in inside)
                best = max(best, weight + singles)
    return best


@pytest.mark.parametrize("seed", range(6))
def test_no_other_set_weighs_more(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ahead, alone = rng.normal(-0.3, 1.0, (3, 6, 6)), rng.normal(-0.5, 1.0, (3, 6))
    found = best_intervals(torch.from_numpy(ahead), torch.from_numpy(alone))
    for key in range(3):
        of_key = found.key == key
        assert found.weight[of_key].sum() == pytest.approx(brute_force(ahead[key], alone[key]))


def test_intervals_are_ordered_and_say_their_frames() -> None:
    ahead, alone = torch.full((2, 8, 8), -1.0), torch.full((2, 8), -1.0)
    ahead[1, 1, 3], ahead[1, 3, 6], alone[0, 5] = 2.0, 0.5, 0.25
    found = best_intervals(ahead, alone)
    assert list(zip(found.key, found.begin, found.end, strict=True)) == [(0, 5, 5), (1, 1, 3), (1, 3, 6)]
    assert found.weight.tolist() == pytest.approx([0.25, 4.0, 1.5])


def test_silence_has_none() -> None:
    assert len(best_intervals(torch.full((4, 5, 5), -0.1), torch.full((4, 5), -0.1))) == 0
