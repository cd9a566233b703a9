from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import numpy as np
import pytest

from tocco import metrics
from tocco.evaluation.cross_validation.calibration import cross_fitted_coverage
from tocco.evaluation.cross_validation.report import write_report

PROVENANCE = {"data": "a small set", "protocol": "four folds | of new music"}


def written(result, folder: Path, **kwargs) -> dict[str, bytes]:
    arguments = {"main": "good", "generator": np.random.default_rng(3), "n_resamples": 60} | kwargs
    write_report(result, folder, "Small", PROVENANCE, **arguments)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def files(small_result, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return written(small_result, tmp_path_factory.mktemp("report") / "new" / "folder")


def rows_of(files: dict[str, bytes]) -> dict[tuple[str, ...], dict[str, str]]:
    rows = list(csv.DictReader(files["cross_validation.csv"].decode().splitlines()))
    keyed = {(r["part"], r["system"], r["target"], r["metric"]): r for r in rows}
    assert len(keyed) == len(rows)
    return keyed


def test_files_and_their_kinds(files):
    assert list(files) == [
        "cross_validation.csv",
        "cross_validation.md",
        "cross_validation_r2.png",
        "cross_validation_reliability.png",
        "cross_validation_scatter.png",
    ]
    for name, content in files.items():
        assert (content[:8] == b"\x89PNG\r\n\x1a\n") == name.endswith(".png")


def test_the_same_result_gives_the_same_bytes(small_result, files, tmp_path: Path):
    assert written(small_result, tmp_path / "again") == files


def test_csv_holds_the_plain_metrics(small_result, files):
    rows = rows_of(files)
    y, p = small_result.labels[:, 2], small_result.predictions["good"][:, 2]
    human = ~small_result.is_score
    target = "timing_stable_unstable"
    everyone = rows["all performances", "good", target, "r2"]
    assert float(everyone["value"]) == pytest.approx(metrics.r2(y, p), abs=1e-6)
    assert everyone["n"] == "120"
    humans = rows["human performances", "good", target, "pair_accuracy"]
    assert float(humans["value"]) == pytest.approx(metrics.pair_accuracy(y[human], p[human]), abs=1e-6)
    assert not any(key[2] == "note_accuracy" for key in rows)

    mean = rows["all performances", "good", "mean of 2 descriptors", "mae"]
    assert float(mean["low_95"]) < float(mean["value"]) < float(mean["high_95"])
    gain = rows["all performances", "good minus poor", "mean of 2 descriptors", "mae"]
    poor = rows["all performances", "poor", "mean of 2 descriptors", "mae"]
    assert float(gain["value"]) == pytest.approx(float(mean["value"]) - float(poor["value"]), abs=2e-6)


def test_coverage_is_cross_fitted(small_result, files):
    r = small_result
    measured = cross_fitted_coverage(
        r.names, r.labels, r.predictions["good"], r.sd["good"], r.fold, r.clusters
    )
    rows = rows_of(files)
    for d in (1, 2, 3):
        key = ("all performances", "good", r.names[d])
        assert float(rows[*key, "coverage_90"]["value"]) == pytest.approx(measured.coverage[d], abs=1e-6)
        assert float(rows[*key, "interval_width_90"]["value"]) == pytest.approx(measured.width[d], abs=1e-5)
    human = ~r.is_score
    inside = (measured.low <= r.labels) & (r.labels <= measured.high)
    value = rows["human performances", "good", "pedal_clean_blurred", "coverage_90"]["value"]
    assert float(value) == pytest.approx(inside[human, 3].mean(), abs=1e-6)


def test_markdown_tables_are_whole(small_result, files):
    text = files["cross_validation.md"].decode()
    lines = text.splitlines()
    assert lines[0] == "# Small"
    assert "- protocol: four folds | of new music" in lines
    assert "120 performances (96 human), 12 clusters, 4 folds. Main system: good." in lines
    for heading in ("## All performances (120)", "## Human performances (96)", "Mean of 2 descriptors:"):
        assert heading in lines
    tables = [block for block in text.split("\n\n") if block.startswith("|")]
    assert len(tables) == 8  # two means and the gains of either part, and its targets
    for table in tables:
        assert len({line.count("|") for line in table.splitlines()}) == 1
    phrasing = next(line for line in lines if line.startswith("| phrasing |"))
    y, p = small_result.labels[:, 1], small_result.predictions["good"][:, 1]
    assert (
        f"| 102 | {metrics.pearson_r(y, p):.3f} | {metrics.r2(y, p):.3f} | {metrics.mae(y, p):.2f} |"
        in phrasing
    )


def test_without_an_sd_there_is_no_word_of_coverage(small_result, tmp_path: Path):
    files = written(dataclasses.replace(small_result, sd={}), tmp_path)
    assert "cross_validation_reliability.png" not in files
    assert b"coverage" not in files["cross_validation.csv"]
    assert b"90 % interval" not in files["cross_validation.md"]


def test_the_constant_as_main_system_gains_nothing_on_itself(small_result, tmp_path: Path):
    rows = rows_of(written(small_result, tmp_path, main="constant"))
    own = rows["all performances", "constant", "mean of 2 descriptors", "mae_skill"]
    assert float(own["value"]) == float(own["low_95"]) == float(own["high_95"]) == 0.0
    assert float(rows["all performances", "constant", "phrasing", "pearson_r"]["value"]) == 0.0
