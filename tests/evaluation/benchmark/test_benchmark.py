import csv
import io
from pathlib import Path

import numpy as np
import pytest

from benchmark_example import as_predictions, label_file, predictions_of, records, write_predictions
from tocco.data.corpora.percepiano import PUBLISHED_FOLDS
from tocco.data.records import write_labels
from tocco.errors import InputError
from tocco.evaluation.benchmark import Benchmark, percepiano, ratings
from tocco.evaluation.benchmark.benchmark import joined
from tocco.evaluation.benchmark.figures import metric_index
from tocco.evaluation.benchmark.other_predictions import predictions_of_result
from tocco.evaluation.benchmark.predictions import predictions_csv
from tocco.evaluation.cross_validation.result import CrossValidationResult

NAMES = ("phrasing", "musicality")


@pytest.fixture
def benchmark(tmp_path: Path) -> Benchmark:
    return ratings(label_file(tmp_path))


def test_a_label_file_is_a_benchmark_under_its_source(benchmark: Benchmark) -> None:
    assert (benchmark.name, benchmark.title) == ("made-up", "Made up")
    assert benchmark.protocols == ("clusters", "performer", "both", "work")
    assert benchmark.published == ()
    with pytest.raises(InputError, match="the published split is not known"):
        benchmark.folds("published")
    with pytest.raises(InputError, match="protocol: is 'random'"):
        benchmark.folds("random")


def test_percepiano_has_its_published_split_and_figures(tmp_path: Path) -> None:
    path = label_file(tmp_path)
    assert percepiano(path).protocols == ("clusters", "performer", "both", "work")
    part = {"0": "0", "1": "1", "2": "test", "3": "train_only", "e": "train_only"}
    lines = [f"{r.segment_id},{part[r.segment_id[-1]]},0" for r in records(tmp_path)]
    (tmp_path / PUBLISHED_FOLDS).write_text("\n".join(["segment_id,performer,passage", *lines]))
    benchmark = percepiano(path)
    assert benchmark.protocols == ("clusters", "performer", "both", "work", "published")
    assert [fold.name for fold in benchmark.folds("published")] == ["0", "1", "test"]
    assert len(benchmark.published) == 6


def test_the_table_of_folds_is_what_models_train_on(benchmark: Benchmark) -> None:
    rows = list(csv.DictReader(io.StringIO(benchmark.folds_csv())))
    assert [row["segment_id"] for row in rows] == list(benchmark.segment_ids)
    for protocol in benchmark.protocols:
        for fold in benchmark.folds(protocol):
            tested = [i for i, row in enumerate(rows) if row[protocol] == fold.name]
            np.testing.assert_array_equal(tested, fold.test)
    scores = [row for row in rows if row["is_score_rendering"] == "yes"]
    assert len(scores) == 12
    assert {(row["performer"], row["both"]) for row in scores} == {("", "")}


def test_the_hash_of_labels_depends_on_ratings_and_folds_alone(tmp_path: Path) -> None:
    made_up = records(tmp_path)
    first = Benchmark("a", "A", tuple(made_up)).labels_sha256
    moved = [r.model_copy(update={"midi_path": None, "audio_path": tmp_path / "x.flac"}) for r in made_up]
    assert Benchmark("b", "B", tuple(moved)).labels_sha256 == first
    other = [made_up[0].model_copy(update={"labels": made_up[0].labels | {"phrasing": 1.0}}), *made_up[1:]]
    assert Benchmark("a", "A", tuple(other)).labels_sha256 != first
    folded = [r.model_copy(update={"folds": {"cv4_cluster": n // 20}}) for n, r in enumerate(made_up)]
    assert Benchmark("a", "A", tuple(folded)).labels_sha256 != first


def test_predictions_of_several_protocols_are_evaluated_each_under_its_own(
    benchmark: Benchmark, tmp_path: Path
) -> None:
    said = {
        protocol: predictions_of(benchmark.folds(protocol), benchmark, seed)
        for seed, protocol in enumerate(("work", "clusters"))
    }
    result = benchmark.evaluate(write_predictions(tmp_path / "mine.csv", said), draws=20)
    assert [figures.protocol for figures in result.protocols] == ["clusters", "work"]
    alone = benchmark.evaluate(as_predictions(said["work"], "work"), draws=20)
    np.testing.assert_allclose(
        alone.protocols[0].parts[0].of_family.value, result.protocols[1].parts[0].of_family.value, atol=1e-5
    )


def test_without_a_protocol_predictions_are_of_one(benchmark: Benchmark) -> None:
    said = as_predictions(predictions_of(benchmark.folds("clusters"), benchmark))
    assert [f.protocol for f in benchmark.evaluate(said, draws=5).protocols] == ["clusters"]
    with pytest.raises(InputError, match="have no column protocol, and count in one protocol"):
        benchmark.evaluate(said, ["clusters", "work"], draws=5)


def test_a_system_that_learned_nothing_counts_in_every_protocol(benchmark: Benchmark) -> None:
    said = predictions_of(benchmark.folds("clusters"), benchmark)
    unfolded = as_predictions({n: type(p)("", p.rating, {}) for n, p in said.items()})
    result = benchmark.evaluate(unfolded, is_untrained=True, draws=5)
    assert [f.protocol for f in result.protocols] == list(benchmark.protocols)
    values = [f.parts[0].of_family.value[0, metric_index("r2"), 0] for f in result.protocols]
    assert values[0] == values[3]  # the same excerpts, whichever fold they are in


def test_a_baseline_as_a_system_has_the_figures_of_the_baseline(benchmark: Benchmark) -> None:
    result = benchmark.evaluate(benchmark.baseline("pianist mean"), ["clusters"], draws=5)
    part = result.protocols[0].parts[0]
    at = part.systems.index("pianist mean")
    np.testing.assert_allclose(part.of_family.value[0], part.of_family.value[at], atol=1e-4)
    assert result.protocols[0].predicted.is_fold_stated
    with pytest.raises(InputError, match="is 'luck' \\(allowed: constant, passage mean, pianist mean\\)"):
        benchmark.baseline("luck")


def saved_result(benchmark: Benchmark, path: Path, protocol: str) -> np.ndarray:
    """A cross-validation with its records in another order; returns the predictions as of the benchmark."""
    folds = benchmark.folds(protocol)
    labels = benchmark.labels(NAMES)
    fold = np.full(len(labels), -1)
    for k, one in enumerate(folds):
        fold[one.test] = k
    est = np.clip(labels + 3.0, 0.0, 100.0)
    order = np.arange(len(labels))[::-1]
    about = [benchmark.records[i] for i in order]
    CrossValidationResult(
        names=NAMES,
        segment_ids=np.array([r.segment_id for r in about]),
        clusters=np.array([r.cluster_id for r in about]),
        passages=np.array([r.passage_id for r in about]),
        performers=np.array([r.performer_id for r in about]),
        is_score=np.array([r.is_score_rendering for r in about]),
        fold=fold[order],
        labels=labels[order],
        predictions={"mine": est[order]},
        sd={"mine": np.full(est.shape, 4.0)},
    ).save(path)
    return est


def test_a_cross_validation_becomes_predictions_of_its_protocol(benchmark: Benchmark, tmp_path: Path) -> None:
    est = saved_result(benchmark, tmp_path / "predictions", "performer")
    made = predictions_of_result(tmp_path / "predictions", "mine", benchmark, "performer")
    assert len(made.of["performer"]) == 48
    first = made.of["performer"][benchmark.segment_ids[0]]
    assert first.rating["phrasing"] == pytest.approx(est[0, 0])
    assert first.sd == {"phrasing": 4.0, "musicality": 4.0}
    assert benchmark.evaluate(made, draws=5).protocols[0].predicted.is_fold_stated
    with pytest.raises(InputError, match="was not evaluated under clusters: fold 0 differs"):
        predictions_of_result(tmp_path / "predictions", "mine", benchmark, "clusters")
    with pytest.raises(InputError, match="has no system 'trees' \\(allowed: 'mine'\\)"):
        predictions_of_result(tmp_path / "predictions", "trees", benchmark, "performer")


def test_predictions_of_several_files_are_joined(benchmark: Benchmark, tmp_path: Path) -> None:
    parts = [benchmark.baseline("constant"), as_predictions({}, "clusters")]
    both = joined([as_predictions(parts[0].of["work"], "work"), as_predictions(parts[0].of["both"], "both")])
    assert list(both.of) == ["work", "both"]
    assert predictions_csv(both.of).count("\n") == 1 + 60 + 48


def test_labels_of_another_source_can_be_named(tmp_path: Path) -> None:
    write_labels(records(tmp_path), tmp_path / "labels.jsonl")
    assert ratings(tmp_path / "labels.jsonl", "Students").name == "students"
