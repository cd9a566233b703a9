"""`tocco statistics fit-perception`: from rated excerpts to a bundle with perception."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from network_alone import write_network_alone
from tocco.apps.cli.main import app
from tocco.data.records import read_labels
from tocco.data.splits import fold_indices
from tocco.evaluation.cross_validation.perception import (
    COMBINED,
    COPY_WEIGHT,
    KERNEL,
    N_FORESTS,
    PERCEPTION,
    TREES,
    WITHHELD,
    points_off,
)
from tocco.evaluation.cross_validation.rated_excerpts import (
    NAMES,
    SCORE_FREE,
    SHORTFALL_MEASURES,
    RatedExcerpts,
    measure_rated_excerpts,
)
from tocco.evaluation.cross_validation.result import CrossValidationResult
from tocco.inference.bundle import NETWORK, Bundle, load_bundle
from tocco.inference.combination import held, total_deductions
from tocco.inference.shortfalls import Shortfalls
from tocco.models import boosted_trees
from tocco.models.blend import Blend
from tocco.models.boosted_trees import BoostedTrees
from tocco.models.damage_invariant_ridge import DamageInvariantRidge
from tocco.models.registry import load_predictor


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("perception")


@pytest.fixture(scope="module")
def labels(tiny_labels: Path) -> Path:
    """The made-up performances with a rating of every dimension, beside their own label file."""
    rng = np.random.default_rng(4)
    rows = [json.loads(line) for line in tiny_labels.read_text().splitlines()]
    for row in rows:
        row["labels"] = {name: round(float(rng.uniform(35.0, 65.0)), 2) for name in NAMES}
        row["label_sd"] = {}
    path = tiny_labels.with_name("nine_dimensions.jsonl")
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def said(home: Path, labels: Path) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boosted_trees, "N_TREES", 8)
        arguments = ("--labels", labels, "-o", home / "bundle", "--results", home / "results")
        command = [
            "statistics",
            "fit-perception",
            write_network_alone(home / "network"),
            *arguments,
            "--cache",
            home / "cache",
            "--version",
            "9.1",
        ]
        result = CliRunner().invoke(app, [str(part) for part in command], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def bundle(said: str, home: Path) -> Bundle:
    return load_bundle(home / "bundle")


@pytest.fixture(scope="module")
def excerpts(said: str, home: Path, labels: Path) -> RatedExcerpts:
    return measure_rated_excerpts(read_labels(labels), home / "cache")


def test_the_bundle_rates_nine_dimensions_by_perception(bundle: Bundle, said: str, home: Path) -> None:
    assert said.splitlines()[-1] == f"{home / 'bundle'}: sha256 {bundle.sha256}"
    assert isinstance(bundle.whole, Blend)
    assert bundle.whole.names == NAMES
    assert bundle.whole_share == 1.0
    weights = {one.name: one.weight for one in bundle.config.predictors}
    assert weights[NETWORK] == 0.0
    assert weights[KERNEL] == weights[TREES] == 1.0


def test_each_member_knows_performances_with_and_without_a_score(home: Path, bundle: Bundle) -> None:
    kernel, trees = (load_predictor(home / "bundle" / "predictors" / name) for name in (KERNEL, TREES))
    for member, kind in ((kernel, DamageInvariantRidge), (trees, BoostedTrees)):
        assert isinstance(member.with_score, kind)  # type: ignore[attr-defined]
        assert member.without_score.statistics == SCORE_FREE  # type: ignore[attr-defined]


def test_what_people_see_is_perception_less_the_deductions(home: Path, excerpts: RatedExcerpts) -> None:
    result = CrossValidationResult.load(home / "results" / "predictions")
    for suffix, condition in zip(("", WITHHELD), excerpts.both, strict=True):
        perception, combined = result.predictions[PERCEPTION + suffix], result.predictions[COMBINED + suffix]
        inside = (perception > 10.0) & (perception < 90.0)  # where it is held as it is
        expected = held(perception - points_off(condition))
        np.testing.assert_allclose(combined[inside], expected[inside], atol=1e-6)
        assert inside.any()


def test_points_off_are_those_of_the_shortfalls(excerpts: RatedExcerpts) -> None:
    condition = excerpts.with_score
    row = dict(zip(SHORTFALL_MEASURES, condition.shortfall[0], strict=True))
    known = Shortfalls({name: value for name, value in row.items() if np.isfinite(value)}, {})
    np.testing.assert_allclose(points_off(condition)[0], total_deductions(NAMES, known))


def test_damaged_copies_are_those_of_the_chosen_excerpts(excerpts: RatedExcerpts, labels: Path) -> None:
    train, _ = fold_indices(read_labels(labels), "cv4_cluster")[0]
    part = excerpts.with_score.only(train)
    assert len(part.clean) == len(train)
    assert set(part.damaged.original) <= set(range(len(train)))
    assert len(part.damaged.statistics) == len(part.damaged.original)


def test_the_intervals_are_those_of_what_people_see(home: Path, bundle: Bundle) -> None:
    own = load_bundle(home / "network").calibration
    assert bundle.calibration.windows == own.window_intervals
    assert set(bundle.calibration.intervals.dimensions) == set(own.intervals.dimensions)
    for name in NAMES:
        assert bundle.calibration.intervals.dimensions[name].n < 983
    table = (home / "results" / "cross_validation.md").read_text(encoding="utf-8")
    assert "perception less deductions" in table.lower()
    card = (home / "bundle" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert card.startswith("# tocco-compact 9.1\n")
    assert bundle.config.version == "9.1"
    assert "## Perception and deductions" in card
    assert "doubled_notes, drag, inverted_dynamics, early_pedal, muddy_voicing" in card


def test_the_settings() -> None:
    assert (N_FORESTS, COPY_WEIGHT) == (2, 0.5)
