from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from corpus import performance
from tocco.apps.cli.main import app
from tocco.data.records import read_labels
from tocco.errors import InputError, ToccoError
from tocco.evaluation.cross_validation import trees as learners
from tocco.evaluation.cross_validation.baselines import constant
from tocco.evaluation.cross_validation.result import CrossValidationResult
from tocco.evaluation.cross_validation.shallow_models import (
    ExcerptStatistics,
    held_out,
    measure_excerpt,
    shallow_model_result,
)
from tocco.metrics import r2
from tocco.models.statistics_models import KERNEL_ALPHA, KERNEL_WIDTH, RIDGE_ALPHA
from tocco.music.midi import save_midi
from tocco.music.statistics import STATISTICS

NAN = float("nan")
MODELS = (learners.trees, learners.ridge_statistics, learners.kernel_statistics)


@pytest.fixture(scope="module")
def planted() -> tuple[np.ndarray, np.ndarray]:
    """300 performances, 6 statistics; a rule that no straight line can follow, and one that it can."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(300, 6))
    too_much_or_too_little = 50 + 20 * np.sign(np.abs(x[:, 0]) - 0.7)
    straight = 50 + 10 * x[:, 2]
    return x, np.stack([too_much_or_too_little, straight], axis=1)


def test_trees_learn_what_no_line_can(planted):
    x, y = planted
    est = learners.trees(x[:200], y[:200], x[200:])
    assert r2(y[200:, 0], est[:, 0]) > 0.5
    assert r2(y[200:, 1], est[:, 1]) > 0.7
    line = learners.ridge_statistics(x[:200], y[:200], x[200:])
    assert r2(y[200:, 0], line[:, 0]) < 0.1


def test_ridge_is_a_line_through_standardised_statistics(planted):
    x, y = planted
    est = learners.ridge_statistics(x[:200], y[:200], x[200:])
    z = np.clip((x - x[:200].mean(0)) / x[:200].std(0), -5, 5)
    mean = y[:200].mean(0)
    # The clipped columns need not be centred any more; the intercept is not shrunk.
    centre = z[:200].mean(0)
    a = z[:200] - centre
    w = np.linalg.solve(a.T @ a + RIDGE_ALPHA * np.eye(6), a.T @ (y[:200] - mean))
    assert est == pytest.approx(mean + (z[200:] - centre) @ w)


def test_kernel_ridge_reads_its_neighbours(planted):
    x, y = planted
    est = learners.kernel_statistics(x[:200], y[:200], x[200:])
    z, mean = (x - x[:200].mean(0)) / x[:200].std(0), y[:200].mean(0)
    z = np.clip(z, -5, 5)

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        square = ((a[:, None] - b[None]) ** 2).sum(-1)
        return np.exp(-square / (2 * KERNEL_WIDTH**2 * 6))

    gram = kernel(z[:200], z[:200]) + KERNEL_ALPHA * np.eye(200)
    assert est == pytest.approx(mean + kernel(z[200:], z[:200]) @ np.linalg.solve(gram, y[:200] - mean))


@pytest.mark.parametrize("model", MODELS)
def test_missing_statistics_and_missing_labels_are_accepted(model, planted):
    x, y = (table.copy() for table in planted)
    x[::3, 3], x[:, 4] = NAN, NAN
    x[250] = NAN
    y[:150, 0] = NAN
    est = model(x[:200], np.column_stack([y[:200], np.full(200, NAN)]), x[200:])
    assert np.isfinite(est[:, :2]).all()
    assert np.isnan(est[:, 2]).all()
    # A dimension is learned from the performances that have its label, and from no others.
    alone = model(x[150:200], y[150:200, :1], x[200:])
    if model is learners.trees:
        assert np.array_equal(est[:, 0], alone[:, 0])


def test_trees_tell_by_what_is_missing(rng):
    x = rng.normal(size=(200, 3))
    missing = rng.random(200) < 0.5
    x[missing, 1] = NAN
    y = np.where(missing, 80.0, 20.0)[:, None]
    est = learners.trees(x[:150], y[:150], x[150:])
    # Only a third of the trees see the telling column.
    assert np.abs(est - y[150:]).max() < 10.0


def test_trees_repeat_themselves_to_the_last_bit(planted):
    x, y = planted
    first, second = (learners.trees(x[:200], y[:200], x[200:]) for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("model", MODELS)
def test_a_fold_never_hears_its_own_labels(model, planted):
    x, y = planted
    folds = [
        (np.flatnonzero(np.arange(300) % 3 != k), np.flatnonzero(np.arange(300) % 3 == k)) for k in (0, 1)
    ]
    before = held_out({"it": (model, x)}, y, folds)["it"]
    changed = y.copy()
    changed[1::3] = 100 - changed[1::3]
    after = held_out({"it": (model, x)}, changed, folds)["it"]
    assert np.array_equal(before[1::3], after[1::3])
    assert not np.allclose(before[0::3], after[0::3])
    assert np.isnan(before[2::3]).all()  # in no fold's test side


def test_processes_change_nothing(planted):
    x, y = planted
    folds = [(np.arange(100, 300), np.arange(100)), (np.arange(200), np.arange(200, 300))]
    systems = {"trees": (learners.trees, x), "constant": (constant, x)}
    seen: list[tuple[int, int]] = []
    one = held_out(systems, y, folds, progress=lambda done, total: seen.append((done, total)))
    two = held_out(systems, y, folds, jobs=2)
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    for name in systems:
        assert np.array_equal(one[name], two[name], equal_nan=True)


def test_an_excerpt_is_cut_by_its_seconds_and_a_foreign_score_is_refused(tiny_labels: Path):
    record = read_labels(tiny_labels)[0]
    names = [statistic.name for statistic in STATISTICS]
    whole = measure_excerpt(record)
    assert whole.statistics[names.index("note_count")] == 32
    assert whole.statistics[names.index("tempo_bpm")] == pytest.approx(120, rel=0.02)
    half = measure_excerpt(record.model_copy(update={"start_time": 0.49, "end_time": 4.49}))
    assert half.statistics[names.index("note_count")] == 16
    assert half.statistics[names.index("tempo_bpm")] == pytest.approx(120, rel=0.02)
    scoreless = measure_excerpt(record.model_copy(update={"score_path": None}))
    needs_score = np.array([statistic.needs_score for statistic in STATISTICS])
    assert np.isnan(scoreless.statistics[needs_score]).all()
    assert np.array_equal(scoreless.statistics[~needs_score], whole.statistics[~needs_score], equal_nan=True)
    assert scoreless.score_refusal == whole.score_refusal == ""
    with pytest.raises(InputError, match="starts at 99 s, after its MIDI ends"):
        measure_excerpt(record.model_copy(update={"start_time": 99.0}))
    with pytest.raises(InputError, match="has no midi_path"):
        measure_excerpt(record.model_copy(update={"midi_path": None}))


def test_score_renderings_teach_new_pianists_and_are_not_tested(tiny_labels: Path, tmp_path: Path, rng):
    records = list(read_labels(tiny_labels))
    save_midi(performance(rng, velocity=64.0, jitter_sec=0.0, key=9), tmp_path / "rendering.mid")
    rendering = {
        "is_score_rendering": True,
        "performer_id": "score",
        "midi_path": tmp_path / "rendering.mid",
    }
    records[4] = records[4].model_copy(update=rendering)
    measured = ExcerptStatistics(
        rng.normal(size=(20, len(STATISTICS))), rng.normal(size=(20, 10)), ("",) * 20
    )
    result = shallow_model_result(records, measured, "cv4_performer")
    assert np.flatnonzero(result.fold < 0).tolist() == [4]
    published = shallow_model_result(records, measured, "cv4_performer", as_published=True)
    assert (published.fold >= 0).all()
    constants = result.predictions["constant"][:, result.names.index("phrasing")]
    expected = np.mean([70.0 - 2 * n for n in range(20) if n % 3 != 1 or n == 4])
    assert constants[1] == pytest.approx(expected)
    blend = (result.predictions["trees"] + result.predictions["kernel ridge"]) / 2
    assert np.array_equal(result.predictions["blend"], blend, equal_nan=True)


def test_the_command_writes_the_report_of_an_evaluation(tiny_labels: Path, tmp_path: Path):
    arguments = ["benchmark", "trees", "--labels", tiny_labels, "-o", tmp_path / "out", "--jobs", 1]
    done = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "# Trees on statistics of whole excerpts, cv4_cluster" in done.output
    assert (tmp_path / "out/cross_validation_r2.png").stat().st_size > 1000
    with (tmp_path / "out/cross_validation.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert {row["system"] for row in rows if " minus " not in row["system"]} == {
        "trees",
        "trees, no score",
        "kernel ridge",
        "blend",
        "ridge, 10 features",
        "ridge, statistics",
        "constant",
        "passage mean",
        "pianist mean",
    }
    result = CrossValidationResult.load(tmp_path / "out/predictions")
    assert result.fold.tolist() == [record.folds["cv4_cluster"] for record in read_labels(tiny_labels)]
    # Loudness is planted: a line through the statistics hears it in music it never saw.
    loud = result.names.index("timbre_soft_loud")
    assert r2(result.labels[:, loud], result.predictions["ridge, 10 features"][:, loud]) > 0.5
    assert not result.sd


def test_an_unknown_protocol_is_refused_before_any_work(tiny_labels: Path, tmp_path: Path):
    arguments = ["benchmark", "trees", "--labels", tiny_labels, "-o", tmp_path / "out", "--protocol", "cv5"]
    with pytest.raises(ToccoError, match="cv4_cluster, cv4_performer, leave_one_work_out"):
        CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert not (tmp_path / "out").exists()
