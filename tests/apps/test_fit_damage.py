"""`tocco pseudo-label fit-damage`: anchors from a small pool, the same for the same seed."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from pseudo_example import write_manifest
from tocco.apps.cli.main import app
from tocco.apps.commands.fit_damage import measure_pool_performance
from tocco.data.records import read_labels
from tocco.pseudo_labels.damage.anchors import load_anchors


def fit(labels: Path, output: Path, *options: object, code: int = 0) -> str:
    arguments = ["pseudo-label", "fit-damage", labels, "-o", output, "--share", 1.0, *options]
    result = CliRunner().invoke(app, [str(one) for one in arguments])
    assert result.exit_code == code, result.output
    return result.output + str(result.exception or "")


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_manifest(tmp_path_factory.mktemp("pool"), n_pieces=2, n_takes=4)


def test_the_anchors_of_a_small_pool(pool: Path, tmp_path: Path) -> None:
    said = fit(pool, tmp_path / "anchors.json", "--takes", 4, "--seed", 2)
    fitted = load_anchors(tmp_path / "anchors.json")
    assert (fitted.pool.n_performances, fitted.pool.seed, fitted.pool.pieces) == (8, 2, ("piece0", "piece1"))
    assert "anchors.json: 8 windows of 2 pieces" in said
    assert f"random_levels: keys {fitted.keys['random_levels'].good:.4g} to " in said
    assert fitted.keys["random_levels"].good == pytest.approx(3.5, abs=1.5)
    assert fitted.keys["slowness"].good == pytest.approx(0.5, rel=0.5)
    assert fitted.keys["lost_time"].n_bad >= 8


def test_too_few_performances_are_refused(pool: Path, tmp_path: Path) -> None:
    said = fit(pool, tmp_path / "anchors.json", "--takes", 1, code=1)
    assert "2 undamaged" in said
    assert not (tmp_path / "anchors.json").exists()


def test_the_same_seed_measures_the_same(pool: Path) -> None:
    record = read_labels(pool)[0]
    first, again, other = (measure_pool_performance(record, seed).windows for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_a_score_of_other_music_is_left_out_with_its_reason(pool: Path, tmp_path: Path) -> None:
    broken = tmp_path / "other.musicxml"
    broken.write_text("<score-partwise/>")
    record = read_labels(pool)[0].model_copy(update={"score_path": broken})
    found = measure_pool_performance(record, 0)
    assert found.windows == ()
    assert "other.musicxml" in found.refusal
