from __future__ import annotations

import csv
import dataclasses

import numpy as np
import pytest
from typer.testing import CliRunner

from tocco.apps.cli.main import app
from tocco.evaluation.interval_calibration.compare import ALL, CoverageRow
from tocco.evaluation.interval_calibration.report import conclusion, verdicts


def row(method, level, coverage, *, low, high, split="new music", score=30.0, dimension=ALL):
    return CoverageRow(split, "", dimension, method, level, 100, 20, coverage, low, high, 20.0, score)


def table(path):
    with path.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


HOLDS = row("conformal", 0.9, 0.89, low=0.86, high=0.92)
FAILS = row("as predicted", 0.9, 0.7, low=0.6, high=0.8)


def test_the_conclusion_names_what_holds_and_what_does_not():
    assert conclusion([HOLDS, FAILS]) == (
        "conformal holds the level at 90 %. Coverages within chance of the others: as predicted 0 of 1."
    )
    better = row("isotonic", 0.9, 0.9, low=0.88, high=0.93, score=25.0)
    assert conclusion([HOLDS, better]).startswith(
        "isotonic and conformal hold the level at 90 %; isotonic has the best mean interval score (25.0)"
    )
    elsewhere = dataclasses.replace(HOLDS, split="new pianist", low=0.91)
    assert conclusion([HOLDS, elsewhere]) == (
        "No method holds its level at 90 % in all 2 parts; the nearest is conformal: 1 of 2 coverages are "
        "within chance of their level."
    )


def test_ends_of_the_interval_count_as_within():
    assert dataclasses.replace(HOLDS, low=0.9).holds
    assert dataclasses.replace(HOLDS, high=0.9).holds
    assert not dataclasses.replace(HOLDS, low=0.901).holds


def test_verdicts_pool_dimensions_only_once():
    single = dataclasses.replace(HOLDS, dimension="phrasing", low=None, high=None, width=99.0)
    (found,) = verdicts([HOLDS, single])
    assert (found.held, found.n, found.width) == (1, 1, 20.0)


def test_the_command_writes_what_it_says(make, tmp_path):
    parts = [
        make(120, 12, split=split, given=given, seed=seed)
        for seed, (split, given) in enumerate([("music", "with score"), ("pianists", "with score")])
    ]
    both = dataclasses.replace(
        parts[0], **{name: np.concatenate([getattr(p, name) for p in parts]) for name in vars(parts[0])}
    )
    both.save(tmp_path / "mine.csv")
    arguments = ["benchmark", "calibration", "--predictions", str(tmp_path / "mine.csv"), "-o"]
    done = CliRunner().invoke(app, [*arguments, str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    page = (tmp_path / "out" / "calibration.md").read_text(encoding="utf-8")
    assert done.output.splitlines()[0] == page.splitlines()[2]
    assert "as predicted 0 of 6" in page or "No method holds" in page
    rows = table(tmp_path / "out" / "coverage.csv")
    assert len(rows) == 2 * 9 * 3 * 2
    pooled = [r for r in rows if (r["dimension"], r["method"], r["level"]) == (ALL, "as predicted", "0.9")]
    assert [float(r["coverage"]) < 0.75 for r in pooled] == [True, True]
    shown = f"{100 * float(pooled[0]['coverage']):.1f} ["
    assert "| music | with score | as predicted |" in page
    assert shown in page
    distributions = table(tmp_path / "out" / "distributions.csv")
    assert len(distributions) == 2 * 2
    assert float(distributions[0]["mean_squared_z"]) == pytest.approx(4.0, rel=0.4)
    assert (tmp_path / "out" / "reliability.png").read_bytes()[1:4] == b"PNG"
    again = CliRunner().invoke(app, [*arguments, str(tmp_path / "again")])
    assert again.exit_code == 0
    for name in ("coverage.csv", "distributions.csv"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
