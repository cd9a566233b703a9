from __future__ import annotations

import numpy as np
import pytest

from tocco.labelling.agreement import (
    FEWEST_SEGMENTS,
    complete_block,
    icc_1_1,
    icc_2_k,
    krippendorff_alpha,
)

SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)
"""Six targets by four judges: Shrout and Fleiss, Psychological Bulletin 86, 1979, table 2."""


def test_the_published_example_is_met() -> None:
    """Values: Shrout and Fleiss, table 4; intervals: the documentation of `ICC` in R's package psych."""
    single, mean = icc_1_1(SHROUT_FLEISS), icc_2_k(SHROUT_FLEISS)
    assert (round(single.value, 2), round(single.low, 3), round(single.high, 2)) == (0.17, -0.133, 0.72)
    assert (round(mean.value, 2), round(mean.low, 3), round(mean.high, 2)) == (0.62, 0.071, 0.93)


def test_mean_squares_of_an_independent_analysis_of_variance_give_the_same(rng: np.random.Generator) -> None:
    pandas = pytest.importorskip("pandas")
    formula = pytest.importorskip("statsmodels.formula.api")
    anova = pytest.importorskip("statsmodels.stats.anova")
    block = rng.normal(50.0, 9.0, (15, 1)) + rng.normal(0.0, 6.0, (15, 4)) + rng.normal(0.0, 5.0, (1, 4))
    rows = [(i, j, block[i, j]) for i in range(15) for j in range(4)]
    frame = pandas.DataFrame(rows, columns=["target", "rater", "rating"])
    one_way = anova.anova_lm(formula.ols("rating ~ C(target)", frame).fit())
    two_way = anova.anova_lm(formula.ols("rating ~ C(target) + C(rater)", frame).fit())
    between, within = one_way["mean_sq"]
    rows_, columns, rest = two_way["mean_sq"]
    assert icc_1_1(block).value == pytest.approx((between - within) / (between + 3 * within), abs=1e-9)
    assert icc_2_k(block).value == pytest.approx((rows_ - rest) / (rows_ + (columns - rest) / 15), abs=1e-9)


def test_the_reliability_of_a_simulation_is_found(rng: np.random.Generator) -> None:
    """Variance of segments 100, of raters 25, of errors 75. The raters are the same for every segment, so the
    mean square between segments is 5 * 100 + 75 and that within them 75 + 25."""
    n, k = 4000, 5
    raters = np.array([-5.0, -5.0, 0.0, 5.0, 5.0])
    block = rng.normal(0.0, 10.0, (n, 1)) + rng.normal(0.0, np.sqrt(75.0), (n, k)) + raters
    assert icc_1_1(block).value == pytest.approx((575.0 - 100.0) / (575.0 + 4 * 100.0), abs=0.02)
    assert icc_2_k(block).value == pytest.approx(100.0 / 120.0, abs=0.01)


def test_perfect_and_constant_raters() -> None:
    same = np.tile(np.arange(6.0)[:, None], 3)
    assert icc_1_1(same).value == icc_2_k(same).value == krippendorff_alpha(same).value == 1.0
    assert np.isnan(icc_1_1(np.ones((6, 3))).value)
    assert np.isnan(icc_2_k(np.ones((6, 3))).value)
    assert np.isnan(krippendorff_alpha(np.ones((6, 3))).value)


def test_too_few_segments_give_no_figure() -> None:
    assert FEWEST_SEGMENTS == 5
    assert np.isnan(icc_1_1(SHROUT_FLEISS[:4]).value)
    assert np.isnan(icc_2_k(SHROUT_FLEISS[:4]).value)
    assert np.isfinite(icc_1_1(SHROUT_FLEISS[:5]).value)
    assert np.isnan(krippendorff_alpha(np.array([[1.0, np.nan], [np.nan, 2.0]])).value)


def test_alpha_equals_the_independent_implementation_with_gaps(rng: np.random.Generator) -> None:
    krippendorff = pytest.importorskip("krippendorff")
    for share in (0.0, 0.3, 0.6):
        matrix = np.round(rng.normal(55.0, 12.0, (30, 1)) + rng.normal(0.0, 9.0, (30, 4)))
        matrix[rng.uniform(size=matrix.shape) < share] = np.nan
        expected = krippendorff.alpha(matrix.T, level_of_measurement="interval")
        found = krippendorff_alpha(matrix)
        assert found.value == pytest.approx(expected, abs=1e-12)
        assert found.low < found.value < found.high


def test_the_interval_of_alpha_is_about_as_wide_as_alpha_varies(rng: np.random.Generator) -> None:
    def sample() -> np.ndarray:
        return rng.normal(0.0, 8.0, (40, 1)) + rng.normal(0.0, 8.0, (40, 3))

    spread = np.std([krippendorff_alpha(sample(), draws=1).value for _ in range(200)])
    one = krippendorff_alpha(sample())
    assert 0.6 < (one.high - one.low) / (2 * 1.96 * spread) < 1.6


def test_the_block_without_gaps_has_most_ratings() -> None:
    nan = np.nan
    matrix = np.array([[1, 2, 3], [4, 5, nan], [6, 7, nan], [8, 9, nan], [nan, nan, 10]], float)
    np.testing.assert_array_equal(complete_block(matrix), [[1, 2], [4, 5], [6, 7], [8, 9]])
    matrix[1:3, 2] = 0.0
    assert complete_block(matrix).shape == (3, 3)
    assert complete_block(np.array([[1.0, nan], [nan, 2.0]])).size == 0
    few = np.full((10, 6), nan)
    few[:4], few[:, :2] = 1.0, 1.0
    assert complete_block(few).shape == (10, 2)  # four segments by six raters give no correlation
    many = np.full((6, 14), nan)
    many[:, :3] = 1.0
    assert complete_block(many).shape == (6, 3)
