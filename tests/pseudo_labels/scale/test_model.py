"""The reference scale: what it is fitted to comes back as the percentiles that it promises."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from origins import ORIGIN
from rater_etude import pedal_with_the_bass, play, study_score
from tocco.errors import InputError
from tocco.pseudo_labels.fitting.scale import MeasuredSegment, fit_scale, weighted_percentiles
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.pseudo_label import Component, PseudoLabel
from tocco.pseudo_labels.rate import rate_performance, rate_span
from tocco.pseudo_labels.raters.registry import RATERS
from tocco.pseudo_labels.scale.difficulty import DIFFICULTY_COVARIATES, difficulty_covariates
from tocco.pseudo_labels.scale.files import load_scale, reference_scale
from tocco.pseudo_labels.scale.model import (
    RATING_AT,
    DimensionScale,
    Pool,
    ReferenceScale,
    combined,
    rating_of,
    standing_of,
)
from tocco.schema import laid_out
from tocco.units import FloatArray

N = 800
POOL = Pool(
    corpora={"made up": 4},
    n_performances=4,
    n_segments=N,
    n_rendered=4,
    segment_sec=10.0,
    overlap=0.5,
    seed=0,
    pieces=("a", "b", "c", "d"),
    labels_sha256="0",
    content_sha256="0",
)


def made_up(rng: np.random.Generator, harder: float = 0.0) -> list[MeasuredSegment]:
    """Segments whose components are log-normal around the covariates that are put on them."""
    segments = []
    for n in range(N):
        covariates = rng.normal(0.0, 1.0, len(DIFFICULTY_COVARIATES))
        labels = {}
        for name, rater in RATERS.items():
            components = {
                kind.name: Component(float(np.exp(rng.normal() + harder * covariates[0])), kind.unit, "")
                for kind in rater.scaled
            }
            labels[name] = PseudoLabel(name, None, components, (), 1.0, {})
        segments.append(MeasuredSegment("abcd"[n % 4], "pqr"[n % 3], labels, covariates))
    return segments


@pytest.fixture(scope="module")
def segments() -> list[MeasuredSegment]:
    return made_up(np.random.default_rng(5), harder=0.5)


@pytest.fixture(scope="module")
def scale(segments: list[MeasuredSegment]) -> ReferenceScale:
    return fit_scale(segments, POOL)


def ratings(scale: ReferenceScale, segments: list[MeasuredSegment], name: str) -> FloatArray:
    rated = [scale.rated(segment.labels[name], segment.covariates).rating for segment in segments]
    return np.array(rated, dtype=float)


@pytest.mark.parametrize("dimension", list(RATERS))
def test_the_percentiles_of_the_pool_get_their_ratings(
    dimension: str, scale: ReferenceScale, segments: list[MeasuredSegment]
) -> None:
    got = np.percentile(ratings(scale, segments, dimension), list(RATING_AT))
    np.testing.assert_allclose(got, list(RATING_AT.values()), atol=1.5)


def test_the_knots_are_those_of_a_normal_distribution_of_fifteen_points() -> None:
    expected = 50.0 + 15.3 * norm.ppf(np.array(list(RATING_AT)) / 100.0)
    np.testing.assert_allclose(list(RATING_AT.values()), expected, atol=1.0)


def test_what_the_music_asks_for_is_taken_out(scale: ReferenceScale, segments: list[MeasuredSegment]) -> None:
    rate = np.array([segment.covariates[0] for segment in segments])
    raw = [segment.labels["rhythmic_precision"].components["onset_deviation"].value for segment in segments]
    assert np.corrcoef(np.log(raw), rate)[0, 1] > 0.3
    for name in RATERS:
        assert abs(np.corrcoef(ratings(scale, segments, name), rate)[0, 1]) < 0.1


def test_more_of_what_is_bad_always_lowers_the_rating(
    scale: ReferenceScale, segments: list[MeasuredSegment]
) -> None:
    for name, rater in RATERS.items():
        for kind in rater.scaled:
            label = segments[0].labels[name]
            found = []
            for value in (0.1, 0.5, 1.0, 5.0, 50.0):
                components = {**label.components, kind.name: Component(value, kind.unit, "")}
                rating = scale.rated(replace(label, components=components), segments[0].covariates).rating
                assert rating is not None
                found.append(rating)
            steps = np.diff(found) if kind.better == "more" else -np.diff(found)
            assert np.all(steps > 0.0), kind.name


def test_a_missing_component_leaves_the_width_of_the_scale(
    scale: ReferenceScale, segments: list[MeasuredSegment]
) -> None:
    found = []
    for segment in segments:
        label = segment.labels["rhythmic_precision"]
        kept = {n: c for n, c in label.components.items() if n != "run_unevenness"}
        found.append(scale.rated(replace(label, components=kept), segment.covariates).rating)
    part = np.array(found, dtype=float)
    full = ratings(scale, segments, "rhythmic_precision")
    assert np.std(part) == pytest.approx(np.std(full), rel=0.1)
    assert np.median(part) == pytest.approx(np.median(full), abs=2.0)


def test_too_little_evidence_is_no_rating(scale: ReferenceScale, segments: list[MeasuredSegment]) -> None:
    label = segments[0].labels["rhythmic_precision"]
    part = {"chord_asynchrony": label.components["chord_asynchrony"]}
    rated = scale.rated(replace(label, components=part), segments[0].covariates)
    assert rated.rating is None
    assert rated.confidence == 0.0
    assert rated.missing["rhythmic_precision"] == "only 5 % of its components by weight could be measured"
    few = scale.rated(label, np.full(len(DIFFICULTY_COVARIATES), np.nan))
    assert few.missing["rhythmic_precision"] == "fewer than five onsets in this span"


LINE = DimensionScale(
    components={},
    correlation=(),
    knots=(-2.0, 0.0, 2.0),
    ratings=(20.0, 50.0, 80.0),
    centre=0.1,
    between_players=0.2,
    between_pieces=0.6,
)


@given(st.floats(-30.0, 30.0), st.floats(0.001, 10.0))
def test_the_scale_rises_everywhere_and_never_leaves_0_to_100(at: float, step: float) -> None:
    low, high = rating_of(at, LINE), rating_of(at + step, LINE)
    assert 0.0 <= low <= high <= 100.0
    if abs(at) < 15.0 and abs(at + step) < 15.0:
        assert 0.0 < low < high < 100.0


@given(st.floats(-9.0, 9.0))
def test_the_place_of_a_rating_is_where_it_was_read(at: float) -> None:
    assert standing_of(rating_of(at, LINE), LINE) == pytest.approx(at, abs=1e-6)


def test_a_rating_at_an_end_of_the_scale_has_a_place() -> None:
    low, high = standing_of(0.0, LINE), standing_of(100.0, LINE)
    assert np.isfinite([low, high]).all()
    assert (rating_of(low, LINE), rating_of(high, LINE)) == pytest.approx((0.0, 100.0), abs=1e-9)


def test_the_scale_goes_on_with_the_same_slope() -> None:
    assert rating_of(2.0, LINE) == pytest.approx(80.0)
    inside, outside = rating_of(1.999, LINE), rating_of(2.001, LINE)
    assert (outside - 80.0) / (80.0 - inside) == pytest.approx(1.0, abs=1e-3)


def test_a_weighted_sum_has_unit_spread(rng: np.random.Generator) -> None:
    correlation = np.array([[1.0, 0.6], [0.6, 1.0]])
    draws = rng.multivariate_normal([0.0, 0.0], correlation, 20_000)
    made = [combined(row, np.array([0.3, 0.7]), correlation) for row in draws]
    assert np.std(made) == pytest.approx(1.0, abs=0.02)


def test_weighted_percentiles_count_weights() -> None:
    x, w = np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.0, 8.0])
    assert weighted_percentiles(x, w, (60.0,))[0] == pytest.approx(3.0)
    assert weighted_percentiles(x, np.ones(3), (50.0,))[0] == pytest.approx(2.0)


def test_a_scale_survives_its_file(
    scale: ReferenceScale, segments: list[MeasuredSegment], tmp_path: Path
) -> None:
    """The file has its keys in alphabetical order, the correlations have not."""
    path = tmp_path / "scale.json"
    path.write_text(laid_out(scale.model_dump()))
    again = load_scale(path)
    assert again == scale
    for name in RATERS:
        assert ratings(again, segments[:20], name).tolist() == ratings(scale, segments[:20], name).tolist()


def test_related_components_count_less_together(segments: list[MeasuredSegment]) -> None:
    """Of three components two say the same: the scale knows which two, from its file as well."""
    rng = np.random.default_rng(8)
    twins = []
    for segment in segments:
        label = segment.labels["dynamics_control"]
        same = Component(float(rng.normal()), "", "")
        components = {**label.components, "shaping": same, "marked_levels": same}
        labels = {**segment.labels, "dynamics_control": replace(label, components=components)}
        twins.append(replace(segment, labels=labels))
    fitted = fit_scale(twins, POOL)
    names = [kind.name for kind in RATERS["dynamics_control"].scaled]
    found = np.array(fitted.dimensions["dynamics_control"].correlation)
    assert found[names.index("shaping"), names.index("marked_levels")] > 0.9
    assert abs(found[names.index("shaping"), names.index("level_range")]) < 0.15


def test_a_pool_that_is_too_small_is_refused(segments: list[MeasuredSegment]) -> None:
    with pytest.raises(InputError, match="has 20 segments"):
        fit_scale(segments[:20], POOL)


def test_demand_is_what_is_written() -> None:
    """Quavers at 100 a minute: 3.33 onsets a second, alternately three notes and one."""
    covariates = dict(
        zip(
            DIFFICULTY_COVARIATES,
            difficulty_covariates(Evidence(*play(study_score())), (1.0, 31.0)),
            strict=True,
        )
    )
    assert covariates["onset_rate"] == pytest.approx(np.log(1 / 0.3), abs=1e-6)
    assert covariates["chord_size"] == pytest.approx(np.log(3.0) / 2.0, abs=0.01)
    assert covariates["onset_rate_squared"] == pytest.approx(np.log(1 / 0.9) ** 2, abs=1e-6)


def test_the_scale_that_ships_rates_a_study_and_hears_it_spoilt(rng: np.random.Generator) -> None:
    score = study_score()
    level = 70.0 + 0.4 * (score.pitch - 60) + rng.normal(0.0, 3.0, len(score))
    sustain = pedal_with_the_bass()
    late = rng.normal(0.0, 1.0, 128)[np.round(2 * score.onset_beat).astype(int)]
    calm = Evidence(*play(score, velocity=level, late_sec=0.008 * late, sustain=sustain))
    rough = Evidence(*play(score, velocity=level, late_sec=0.05 * late, sustain=sustain))
    first, second = rate_span(calm, (5.0, 15.0)), rate_span(rough, (5.0, 15.0))
    assert list(first) == list(RATERS)
    before, after = first["rhythmic_precision"].rating, second["rhythmic_precision"].rating
    assert before is not None
    assert after is not None
    assert after < before - 30.0
    # Jitter moves which onsets lie within seconds of each other, and so levels and covariates, by a hair.
    assert first["dynamics_control"].rating == pytest.approx(second["dynamics_control"].rating, abs=1.0)


def test_spans_of_one_piece_are_rated_apart(rng: np.random.Generator) -> None:
    score = study_score()
    late = np.where(score.onset_beat < 32.0, 0.005, 0.04) * rng.normal(0.0, 1.0, len(score))
    given = Evidence(*play(score, late_sec=late))
    first, last = (
        rate_span(given, span)["rhythmic_precision"].rating for span in ((1.0, 11.0), (25.0, 35.0))
    )
    assert first is not None
    assert last is not None
    assert first > last + 20.0
    whole = rate_performance(given)["rhythmic_precision"].rating
    assert whole is not None
    assert last < whole < first


def test_what_was_heard_is_rated_on_its_own_scale(rng: np.random.Generator) -> None:
    """The scale that ships is taken by what the evidence is, and what is given is taken as given."""
    played, alignment = play(study_score(), velocity=70.0 + rng.normal(0.0, 6.0, len(study_score())))
    for is_transcribed in (False, True):
        evidence = Evidence(replace(played, origin=ORIGIN[is_transcribed]), alignment)
        own, other = (reference_scale(ORIGIN[heard]) for heard in (is_transcribed, not is_transcribed))
        for rate in (lambda scale, e=evidence: rate_span(e, (5.0, 15.0), scale=scale),
                     lambda scale, e=evidence: rate_performance(e, scale=scale)):  # fmt: skip
            found = rate(None)["dynamics_control"].rating
            assert found is not None
            assert found == rate(own)["dynamics_control"].rating
            assert found != rate(other)["dynamics_control"].rating
