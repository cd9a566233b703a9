from pathlib import Path

import numpy as np
import pytest

from benchmark_example import as_predictions, label_file, predictions_of, records
from tocco.errors import InputError
from tocco.evaluation.benchmark import Benchmark, ratings
from tocco.evaluation.benchmark.figures import (
    EVERYONE,
    HUMANS,
    NO_LISTENING,
    PartFigures,
    evaluate_protocol,
    metric_index,
    no_listening,
)
from tocco.evaluation.benchmark.predictions import Prediction, predicted_table
from tocco.metrics import mae, pair_accuracy, pearson_r, r2, spearman_rho

DRAWS = 200


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory: pytest.TempPathFactory) -> Benchmark:
    return ratings(label_file(tmp_path_factory.mktemp("labels")))


def evaluated(
    benchmark: Benchmark, protocol: str, *, with_sd: bool = False, **changed: object
) -> PartFigures:
    folds = benchmark.folds(protocol)
    said = predictions_of(folds, benchmark, with_sd=with_sd)
    table = predicted_table(as_predictions(said), benchmark.records, protocol, folds)
    return evaluate_protocol(benchmark.records, protocol, folds, table, draws=DRAWS, seed=0).parts[0]


def test_the_figures_are_those_of_the_pooled_predictions(benchmark: Benchmark) -> None:
    folds = benchmark.folds("clusters")
    said = predictions_of(folds, benchmark)
    table = predicted_table(as_predictions(said), benchmark.records, "clusters", folds)
    whole, humans = evaluate_protocol(benchmark.records, "clusters", folds, table, draws=DRAWS, seed=0).parts
    assert (whole.part, whole.n_excerpts, whole.n_clusters) == (EVERYONE, 60, 6)
    assert (humans.part, humans.n_excerpts) == (HUMANS, 48)
    assert list(whole.families) == ["19 descriptors", "9 dimensions"]
    name = "timbre_shallow_rich"
    d = whole.names.index(name)
    label = np.array([record.labels[name] for record in benchmark.records])
    est = np.array([said[segment].rating[name] for segment in benchmark.segment_ids])
    human = np.array([not record.is_score_rendering for record in benchmark.records])
    passage = np.array([record.passage_id for record in benchmark.records])
    expected = {
        "pearson_r": pearson_r(label, est),
        "r2": r2(label, est),
        "mae": mae(label, est),
        "pair_accuracy": pair_accuracy(label, est),
        "pair_accuracy_within": pair_accuracy(label[human], est[human], groups=passage[human]),
    }
    for metric, value in expected.items():
        assert whole.of_name.value[0, metric_index(metric), d] == pytest.approx(value), metric
    assert whole.rank_correlation[d] == pytest.approx(spearman_rho(label, est))
    assert humans.of_name.value[0, metric_index("r2"), d] == pytest.approx(r2(label[human], est[human]))


def test_family_means_are_of_their_members(benchmark: Benchmark) -> None:
    part = evaluated(benchmark, "clusters")
    for f, mask in enumerate(part.families.values()):
        np.testing.assert_allclose(part.of_family.value[..., f], part.of_name.value[..., mask].mean(axis=-1))
        np.testing.assert_allclose(
            part.gain.value[..., f], part.of_family.value[:1, :, f] - part.of_family.value[..., f]
        )
    at = (0, metric_index("r2"))
    assert (part.of_family.low[at] < part.of_family.value[at]).all()
    assert (part.of_family.value[at] < part.of_family.high[at]).all()
    # The same draws: a system differs from itself in none of them.
    assert not part.gain.low[0].any()
    assert not part.gain.high[0].any()


def test_without_listening_one_knows_what_training_and_test_share(benchmark: Benchmark) -> None:
    r2_of = {}
    for protocol in ("clusters", "performer", "both"):
        part = evaluated(benchmark, protocol)
        at = (slice(None), metric_index("r2"), 0)
        r2_of[protocol] = dict(zip(part.systems, part.of_family.value[at], strict=True))
    assert r2_of["clusters"]["passage mean"] == r2_of["clusters"]["constant"]
    assert r2_of["clusters"]["pianist mean"] > r2_of["clusters"]["constant"] + 0.2
    assert r2_of["performer"]["pianist mean"] == pytest.approx(r2_of["performer"]["constant"])
    assert r2_of["performer"]["passage mean"] > r2_of["performer"]["constant"] + 0.2
    for system in NO_LISTENING:
        assert r2_of["both"][system] == pytest.approx(r2_of["both"]["constant"])
        assert r2_of["both"][system] < 0.0


def test_baselines_learn_from_the_training_part_alone(benchmark: Benchmark) -> None:
    folds = benchmark.folds("both")
    labels = benchmark.labels(["phrasing"])
    found = no_listening(benchmark.records, labels, folds)
    for fold in folds:
        np.testing.assert_allclose(found["constant"][fold.test, 0], labels[fold.train, 0].mean())
    never = [i for i, record in enumerate(benchmark.records) if record.is_score_rendering]
    assert np.isnan(found["constant"][never]).all()


def test_nothing_is_learned_of_an_unknown_pianist(tmp_path: Path) -> None:
    unknown = [record.model_copy(update={"performer_id": None}) for record in records(tmp_path)]
    benchmark = Benchmark("x", "X", tuple(unknown))
    found = no_listening(unknown, benchmark.labels(["phrasing"]), benchmark.folds("clusters"))
    np.testing.assert_array_equal(found["pianist mean"], found["constant"])


def test_a_missing_prediction_counts_as_the_constant(benchmark: Benchmark) -> None:
    folds = benchmark.folds("clusters")
    said = {n: p for n, p in predictions_of(folds, benchmark).items() if n.endswith("pianist0")}
    table = predicted_table(as_predictions(said), benchmark.records, "clusters", folds, allow_missing=True)
    part = evaluate_protocol(benchmark.records, "clusters", folds, table, draws=20, seed=0).parts[0]
    labels = benchmark.labels(["phrasing"])
    filled = no_listening(benchmark.records, labels, folds)["constant"][:, 0].copy()
    d = table.names.index("phrasing")
    given = np.isfinite(table.rating[:, d])
    assert given.sum() == 12
    filled[given] = table.rating[given, d]
    at = (0, metric_index("r2"), part.names.index("phrasing"))
    assert part.of_name.value[at] == pytest.approx(r2(labels[:, 0], filled))


def test_a_right_sd_covers_what_it_says(benchmark: Benchmark, rng: np.random.Generator) -> None:
    folds = benchmark.folds("clusters")
    truth = np.random.default_rng(1)
    said = {
        record.segment_id: Prediction(
            "",
            {n: float(np.clip(v + truth.normal(0.0, 5.0), 0, 100)) for n, v in record.labels.items()},
            dict.fromkeys(record.labels, 5.0),
        )
        for record in benchmark.records
    }
    table = predicted_table(as_predictions(said), benchmark.records, "clusters", folds)
    part = evaluate_protocol(benchmark.records, "clusters", folds, table, draws=20, seed=0).parts[0]
    assert part.coverage is not None
    np.testing.assert_allclose(part.coverage.coverage.mean(axis=0), [0.5, 0.8, 0.9], atol=0.03)
    np.testing.assert_allclose(part.coverage.width[:, 2], 2 * 1.645 * 5.0, atol=0.01)


def test_there_is_no_coverage_without_an_sd(benchmark: Benchmark) -> None:
    assert evaluated(benchmark, "clusters").coverage is None


def test_the_ceiling_is_that_of_the_raters(benchmark: Benchmark) -> None:
    part = evaluated(benchmark, "clusters")
    d = part.names.index("timbre_shallow_rich")
    variance = np.var([record.labels["timbre_shallow_rich"] for record in benchmark.records], ddof=1)
    assert part.ceiling.reliability[d] == pytest.approx(1.0 - 12.0**2 / 4.0 / variance)


@pytest.mark.parametrize(("n_clusters", "has_interval"), [(1, False), (4, False), (5, True)])
def test_few_clusters_give_figures_without_intervals(
    tmp_path: Path, n_clusters: int, has_interval: bool
) -> None:
    chosen = [f"cluster{n}" for n in range(n_clusters)]
    benchmark = Benchmark("x", "X", tuple(r for r in records(tmp_path) if r.cluster_id in chosen))
    part = evaluated(benchmark, "performer")
    assert part.n_clusters == n_clusters
    at = (0, metric_index("r2"))
    assert np.isfinite(part.of_family.value[at]).all()
    assert np.isfinite(part.of_family.low[at]).all() == has_interval


def test_a_target_that_training_lacks_is_refused(tmp_path: Path) -> None:
    made_up = records(tmp_path)
    only = [
        record.model_copy(update={"labels": {"phrasing": 50.0} | ({"musicality": 40.0} if n < 10 else {})})
        for n, record in enumerate(made_up)
    ]
    benchmark = Benchmark("x", "X", tuple(only))
    folds = benchmark.folds("clusters")
    said = {record.segment_id: Prediction("", {"musicality": 5.0}, {}) for record in only}
    table = predicted_table(as_predictions(said), only, "clusters", folds)
    with pytest.raises(InputError, match="is rated on musicality, and nothing in its training part is"):
        evaluate_protocol(only, "clusters", folds, table, draws=5, seed=0)
