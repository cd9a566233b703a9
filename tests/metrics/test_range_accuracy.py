from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocco import metrics

NAN = math.nan

rows = st.lists(
    st.tuples(st.lists(st.integers(0, 20), min_size=0, max_size=6), st.integers(0, 20)),
    min_size=1,
    max_size=12,
)


def naive_quartile(values, share):
    """Linear interpolation between order statistics, written out (type 7 of Hyndman & Fan)."""
    values = sorted(values)
    place = share * (len(values) - 1)
    below = math.floor(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (place - below) * (values[above] - values[below])


def padded(drawn):
    width = max(1, *(len(raters) for raters, _ in drawn), 1)
    table = np.full((len(drawn), width), NAN)
    for row, (raters, _) in zip(table, drawn, strict=True):
        row[: len(raters)] = raters
    return table, np.array([est for _, est in drawn], dtype=float)


@given(rows, st.sampled_from([0.0, 1.0, 5.0]))
def test_range_accuracy_equals_the_naive_count(drawn, alpha):
    table, est = padded(drawn)
    inside = [
        naive_quartile(raters, 0.25) - alpha <= value <= naive_quartile(raters, 0.75) + alpha
        for raters, value in drawn
        if len(raters) > 1
    ]
    found = metrics.attempt(metrics.range_accuracy, table, est, alpha)
    if inside:
        assert found == pytest.approx(np.mean(inside))
    else:
        assert isinstance(found, metrics.Undefined)


@given(rows, st.sampled_from([0.5, 1.0, 2.0]))
def test_sd_range_accuracy_equals_the_naive_count(drawn, k):
    import statistics

    table, est = padded(drawn)
    inside = [
        abs(value - statistics.fmean(raters)) <= k * statistics.pstdev(raters) + 1e-9
        for raters, value in drawn
        if len(raters) > 1
    ]
    # Ties at an end are a matter of rounding: moved by less than any difference of these integers.
    found = metrics.attempt(metrics.sd_range_accuracy, table, est, k + 1e-9)
    if inside:
        assert found == pytest.approx(np.mean(inside), abs=1.0 / len(inside) if k != 1 else 0.5)
    else:
        assert isinstance(found, metrics.Undefined)


def test_known_answers():
    ratings = [[40.0, 50.0, 60.0, NAN], [40.0, 50.0, 60.0, 70.0]]  # quartiles 45..55 and 47.5..62.5
    assert metrics.range_accuracy(ratings, [45.0, 62.5]) == 1.0
    assert metrics.range_accuracy(ratings, [44.9, 62.6]) == 0.0
    assert metrics.range_accuracy(ratings, [40.0, 67.5], alpha=5) == 1.0
    assert metrics.range_accuracy(ratings, [39.9, 67.6], alpha=5) == 0.0
    assert metrics.range_accuracy(ratings, [35.0, 72.6], alpha=10) == 0.5
    sd = math.sqrt(200 / 3)
    assert metrics.sd_range_accuracy(ratings[:1], [50 + 0.99 * sd]) == 1.0
    assert metrics.sd_range_accuracy(ratings[:1], [50 + 1.01 * sd]) == 0.0
    assert metrics.sd_range_accuracy(ratings[:1], [50 + 1.99 * sd], k=2) == 1.0
    assert metrics.sd_range_accuracy(ratings[:1], [50 + 2.01 * sd], k=2) == 0.0


def test_one_rater_is_no_range():
    assert metrics.range_accuracy([[50.0, NAN], [40.0, 60.0]], [0.0, 50.0]) == 1.0  # the first is ignored
    for metric in (metrics.range_accuracy, metrics.sd_range_accuracy):
        assert str(metrics.attempt(metric, [[50.0, NAN]], [50.0])) == "no performance has two raters"
        assert str(metrics.attempt(metric, [[NAN, NAN]], [50.0])) == "no label"
    found = metrics.attempt(metrics.range_accuracy_of_raters, [[40.0, 60.0, NAN]])
    assert str(found) == "no performance has three raters"


def test_raters_against_each_other():
    # 10 lies outside 25..35 of 20, 40; 20 inside 17.5..32.5 of 10, 40; 40 outside 12.5..17.5 of 10, 20
    # (written as the quartiles of the two others)
    assert metrics.range_accuracy_of_raters([[10.0, 20.0, 40.0]]) == pytest.approx(1 / 3)
    assert metrics.range_accuracy_of_raters([[10.0, 20.0, 40.0]], alpha=15) == pytest.approx(2 / 3)
    four = [10.0, 20.0, 40.0, 41.0]
    inside = [
        naive_quartile(four[:i] + four[i + 1 :], 0.25) <= x <= naive_quartile(four[:i] + four[i + 1 :], 0.75)
        for i, x in enumerate(four)
    ]
    both = (1 + sum(inside)) / 7  # every rating counts once, not every performance
    assert metrics.range_accuracy_of_raters([[10.0, 20.0, 40.0, NAN], four]) == pytest.approx(both)


def test_table_of_raters_from_rows():
    table = metrics.rater_table(["a", "b", "c"], ["b", "a", "b", "z", "b"], [10.0, 20.0, 30.0, 99.0, NAN])
    assert np.array_equal(table, [[20.0, NAN], [10.0, 30.0], [NAN, NAN]], equal_nan=True)
    with pytest.raises(ValueError, match="items repeat"):
        metrics.rater_table(["a", "a"], ["a"], [1.0])
    with pytest.raises(ValueError, match=r"item has shape \(1,\), rating has \(2,\)"):
        metrics.rater_table(["a"], ["a"], [1.0, 2.0])


def test_refusals():
    with pytest.raises(ValueError, match="alpha is -1"):
        metrics.range_accuracy([[1.0, 2.0]], [1.0], -1)
    with pytest.raises(ValueError, match="alpha is -1"):
        metrics.range_accuracy_of_raters([[1.0, 2.0, 3.0]], -1)
    with pytest.raises(ValueError, match="k is 0"):
        metrics.sd_range_accuracy([[1.0, 2.0]], [1.0], 0)
    with pytest.raises(ValueError, match="est is nan at index 0, which has 2 raters"):
        metrics.range_accuracy([[1.0, 2.0]], [NAN])
    with pytest.raises(ValueError, match=r"ratings have shape \(2,\)"):
        metrics.range_accuracy([1.0, 2.0], [1.0, 2.0])
    with pytest.raises(ValueError, match=r"est has shape \(2,\), must be \(1,\)"):
        metrics.range_accuracy([[1.0, 2.0]], [1.0, 2.0])
    with pytest.raises(ValueError, match="infinite"):
        metrics.range_accuracy([[1.0, math.inf]], [1.0])
