"""Verdicts and gains of made-up experiments whose answers are known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tocco.evaluation.ablations.comparison import FULL, R2, Comparison, Experiment, Verdict, compare
from tocco.evaluation.cross_validation.result import CrossValidationResult
from tocco.metrics import mae, paired_bootstrap_difference, pearson_r, r2

EXPERIMENTS = (
    Experiment(FULL, is_pretrained=True),
    Experiment("audio_only", removes="notes", inputs="audio", is_pretrained=True),
    Experiment("midi_only", removes="audio", inputs="midi", is_pretrained=True),
    Experiment("no_pretraining", removes="pre-training"),
    Experiment("harmful", removes="a hindrance", is_pretrained=True),
    Experiment("better", adds="an improvement", is_pretrained=True),
    Experiment("worse", adds="a loss", is_pretrained=True),
    Experiment("same", adds="nothing", is_pretrained=True),
)


@pytest.fixture(scope="module")
def result(small_result: CrossValidationResult) -> CrossValidationResult:
    """Every system errs in the same places, by more or fewer points."""
    draw = np.random.default_rng(4)
    labels = small_result.labels[:, 1:]  # nothing rates the first
    error = draw.normal(0, 1, labels.shape)

    def rated(points: float) -> np.ndarray:
        return np.where(np.isnan(labels), 50.0, labels + points * error)

    points = {"audio_only": 5, "midi_only": 4, "no_pretraining": 4.5, "harmful": 2, "better": 2, "worse": 5}
    predictions = {FULL: rated(3), **{name: rated(p) for name, p in points.items()}, "same": rated(3)}
    return dataclasses.replace(
        small_result,
        names=small_result.names[1:],
        labels=labels,
        predictions={**predictions, "constant": np.full(labels.shape, 50.0)},
        sd={},
    )


@pytest.fixture(scope="module")
def found(result: CrossValidationResult) -> Comparison:
    return compare(result, EXPERIMENTS)


def test_verdicts_follow_the_interval_and_the_direction(found: Comparison) -> None:
    assert {one.name: found.verdict(one) for one in EXPERIMENTS[1:]} == {
        "audio_only": Verdict.EARNS,
        "midi_only": Verdict.EARNS,
        "no_pretraining": Verdict.EARNS,
        "harmful": Verdict.COSTS,
        "better": Verdict.WOULD_GAIN,
        "worse": Verdict.COSTS,
        "same": Verdict.NOT_SHOWN,
    }
    unclear = dataclasses.replace(EXPERIMENTS[-1], adds=None, removes="nothing")
    assert found.verdict(unclear) is Verdict.NOT_SHOWN


def test_figures_are_those_of_the_metrics(found: Comparison, result: CrossValidationResult) -> None:
    column = result.names.index("phrasing")
    known = ~np.isnan(result.labels[:, column])
    label, rated = (table[known, column] for table in (result.labels, result.predictions["midi_only"]))
    expected = [float(figure(label, rated)) for figure in (pearson_r, r2, mae)]
    at = found.targets.index("phrasing")
    assert found.systems["midi_only"].value[:, at] == pytest.approx(expected)
    assert found.n_labels[at] == known.sum()
    assert (found.n_performances, found.n_clusters) == (120, 12)


def test_means_are_over_the_dimensions_and_the_descriptors_apart(found: Comparison) -> None:
    assert found.targets == (
        *("phrasing", "timing_stable_unstable", "pedal_clean_blurred"),
        "mean of 2 descriptors",
        "mean of 1 dimensions",
    )
    assert found.targets[found.main] == "mean of 1 dimensions"
    values = found.systems[FULL].value[R2]
    assert values[found.main] == pytest.approx(values[0])
    assert values[3] == pytest.approx(values[1:3].mean())


def test_intervals_are_paired_at_95_percent(found: Comparison, result: CrossValidationResult) -> None:
    column = result.names.index("timing_stable_unstable")

    def figure(system: str, index: np.ndarray) -> float:
        return float(r2(result.labels[index, column], result.predictions[system][index, column]))

    expected = paired_bootstrap_difference(
        lambda index: figure("midi_only", index),
        lambda index: figure(FULL, index),
        result.clusters,
        np.random.default_rng(20261122),
        n=2000,
        level=0.95,
    )
    difference = found.systems["midi_only"].difference
    assert difference is not None
    at = found.targets.index("timing_stable_unstable")
    got = [float(part[R2, at]) for part in (difference.value, difference.low, difference.high)]
    assert got == pytest.approx([float(expected.value), float(expected.low), float(expected.high)])


def test_gains_are_relative_to_the_better_modality_and_to_no_pretraining(found: Comparison) -> None:
    assert found.multimodal is not None
    assert found.pretraining is not None
    assert (found.multimodal.over, found.pretraining.over) == ("midi_only", "no_pretraining")
    full = found.mean_r2(FULL)
    assert found.multimodal.value == pytest.approx(full / found.mean_r2("midi_only") - 1.0)
    assert found.pretraining.value == pytest.approx(full / found.mean_r2("no_pretraining") - 1.0)
    assert 0.0 < found.multimodal.low < found.multimodal.value < found.multimodal.high


def test_what_is_not_trained_is_not_answered(result: CrossValidationResult) -> None:
    random = [dataclasses.replace(one, is_pretrained=False) for one in EXPERIMENTS[:2]]
    kept = {name: result.predictions[name] for name in (FULL, "audio_only", "constant")}
    found = compare(dataclasses.replace(result, predictions=kept), random)
    assert (found.multimodal, found.pretraining) == (None, None)
