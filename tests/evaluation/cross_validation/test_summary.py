from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tocco import metrics
from tocco.evaluation.cross_validation.summary import (
    EVERYONE,
    HUMANS,
    METRICS,
    ClusterScores,
    default_families,
    summarise_part,
)


def scores_of(result, system, columns=(1, 2, 3)):
    columns = list(columns)
    return ClusterScores(
        result.labels[:, columns],
        result.predictions[system][:, columns],
        result.predictions["constant"][:, columns],
        result.clusters,
        result.passages,
        ~result.is_score,
    )


def reference(result, system, index, copies, d):
    """The seven metrics by the plain functions, on performances written out one by one."""
    y, p, c = (
        t[index, d] for t in (result.labels, result.predictions[system], result.predictions["constant"])
    )
    human = ~result.is_score[index]
    passage = np.char.add(result.passages[index], copies.astype(str))
    return [
        metrics.pearson_r(y, p),
        metrics.r2(y, p),
        metrics.mae(y, p),
        metrics.rmse(y, p),
        metrics.mae_skill(y, p, c),
        metrics.pair_accuracy(y, p),
        metrics.pair_accuracy(y[human], p[human], passage[human]),
    ]


@pytest.mark.parametrize("system", ["good", "poor", "constant"])
@pytest.mark.parametrize("drawn", [range(12), [3, 3, 3, 0, 7, 7, 11], [5, 5]])
def test_any_draw_equals_the_plain_metrics(small_result, system, drawn):
    clusters = np.unique(small_result.clusters)
    blocks = [np.flatnonzero(small_result.clusters == clusters[c]) for c in drawn]
    index = np.concatenate(blocks)
    copies = np.repeat(np.arange(len(blocks)), [len(b) for b in blocks])
    got = scores_of(small_result, system).at(index)
    assert got.shape == (len(METRICS), 3)
    for column, d in enumerate((1, 2, 3)):
        expected = reference(small_result, system, index, copies, d)
        assert got[:, column] == pytest.approx(expected, abs=1e-9)


def test_a_draw_without_labels_is_undefined(small_result):
    labels = small_result.labels.copy()
    labels[small_result.clusters != "c05", 1] = np.nan
    sparse = dataclasses.replace(small_result, labels=labels)
    got = scores_of(sparse, "good").at(np.flatnonzero(small_result.clusters == "c02"))
    assert np.isnan(got[:, 0]).all()
    assert np.isfinite(got[:, 1:]).all()


def test_labels_that_are_alike_have_no_correlation(small_result):
    labels = np.where(np.isnan(small_result.labels), np.nan, 33.3)
    flat = dataclasses.replace(small_result, labels=labels)
    got = scores_of(flat, "good").at(np.arange(120))
    assert np.isnan(got[[0, 1, 5, 6]]).all()
    assert np.isfinite(got[[2, 3, 4]]).all()


def test_a_passage_in_two_clusters_is_refused(small_result):
    passages = small_result.passages.copy()
    passages[11] = "p00"
    with pytest.raises(ValueError, match="in more than one cluster"):
        scores_of(dataclasses.replace(small_result, passages=passages), "good")


def test_families_are_titled_by_their_members():
    families = default_families(("phrasing", "timing_stable_unstable", "musicality", "other"))
    assert {title: mask.tolist() for title, mask in families.items()} == {
        "1 descriptors": [False, True, False, False],
        "2 dimensions": [True, False, True, False],
    }


def test_summary_of_everyone_and_of_humans(small_result):
    part = summarise_part(small_result, EVERYONE, "good", np.random.default_rng(1), 200)
    assert part.names == ("phrasing", "timing_stable_unstable", "pedal_clean_blurred")
    assert part.labels.tolist() == [102, 120, 120]
    assert (part.n_performances, part.n_clusters) == (120, 12)
    assert list(part.families) == ["2 descriptors", "1 dimensions"]
    mean = part.means["2 descriptors", "good"]
    assert mean.value == pytest.approx(part.scores["good"][:, 1:].mean(axis=1))
    assert (mean.low <= mean.value).all()
    assert (mean.value <= mean.high).all()
    assert ("2 descriptors", "good") not in part.gains
    gain = part.gains["2 descriptors", "poor"]
    assert gain.value == pytest.approx(mean.value - part.means["2 descriptors", "poor"].value)
    assert gain.low[METRICS.index("r2")] > 0
    assert gain.high[METRICS.index("mae")] < 0

    humans = summarise_part(small_result, HUMANS, "good", np.random.default_rng(1), 50)
    human = ~small_result.is_score
    assert humans.n_performances == 96
    expected = metrics.r2(small_result.labels[human, 2], small_result.predictions["good"][human, 2])
    assert humans.scores["good"][METRICS.index("r2"), 1] == pytest.approx(expected)
    within = METRICS.index("pair_accuracy_within")
    assert humans.scores["good"][within] == pytest.approx(part.scores["good"][within])


def test_performances_that_took_no_part_are_left_out(small_result):
    apart = dataclasses.replace(small_result, fold=np.where(small_result.fold == 3, -1, small_result.fold))
    part = summarise_part(apart, EVERYONE, "good", np.random.default_rng(1), 5)
    rest = small_result.fold != 3
    assert part.n_performances == rest.sum() == 90
    expected = metrics.mae(small_result.labels[rest, 1], small_result.predictions["good"][rest, 1])
    assert part.scores["good"][METRICS.index("mae"), 0] == pytest.approx(expected)


def test_refusals(small_result):
    generator = np.random.default_rng(1)
    with pytest.raises(ValueError, match="no system 'best': there are"):
        summarise_part(small_result, EVERYONE, "best", generator)
    with pytest.raises(ValueError, match="part is 'pianists'"):
        summarise_part(small_result, "pianists", "good", generator)
    bare = dataclasses.replace(small_result, labels=np.full((120, 4), np.nan))
    with pytest.raises(ValueError, match="there is no label"):
        summarise_part(bare, EVERYONE, "good", generator)
    alone = dataclasses.replace(small_result, predictions={"good": small_result.predictions["good"]})
    with pytest.raises(ValueError, match="no system 'constant'"):
        summarise_part(alone, EVERYONE, "good", generator)
