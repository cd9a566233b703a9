"""`tocco statistics ...` and `tocco benchmark statistics`: from unrated music to a bundle that rates."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from beat_annotated import write_annotated
from network_alone import write_network_alone
from tocco.apps.cli.main import app
from tocco.data.records import read_labels
from tocco.errors import InputError, UsageError
from tocco.evaluation.cross_validation import statistics_rating
from tocco.evaluation.cross_validation.result import CrossValidationResult
from tocco.evaluation.norm_facts import NormFacts
from tocco.inference.assessor import Assessor
from tocco.inference.bundle import example_path, load_bundle
from tocco.inference.rating import rate_whole
from tocco.models import boosted_trees
from tocco.models.norm_kernel import KernelSettings
from tocco.music.alignment import align_performance_to_score
from tocco.music.midi import load_midi
from tocco.music.score import score_readings


def tocco(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module", autouse=True)
def _few_trees():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boosted_trees, "N_TREES", 8)
        patch.setattr(boosted_trees, "N_FORESTS", 2)
        few = (KernelSettings(alpha=0.5), KernelSettings(alpha=5.0))
        chosen = statistics_rating.choose_kernel_settings
        patch.setattr(
            statistics_rating, "choose_kernel_settings", lambda *given: chosen(*given, candidates=few)
        )
        yield


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def norms(home: Path) -> Path:
    manifest = write_annotated(home / "unrated", n_pieces=3)
    pieces = home / "pieces.txt"
    pieces.write_text("Nobody_piece0\nNobody_piece2\n")
    said = tocco(
        "statistics", "fit-norms", manifest, "-o", home / "norms", "--pieces", pieces, "--windows", 3
    )
    assert "12 windows of 4 performances of 2 pieces" in said
    return home / "norms"


@pytest.fixture(scope="module")
def evaluation(home: Path, norms: Path, tiny_labels: Path) -> Path:
    out = home / "evaluation"
    said = tocco("benchmark", "statistics", "--labels", tiny_labels, "--norms", norms, "-o", out)
    assert "# Statistics of whole excerpts against norms, cv4_cluster" in said
    assert "trees + norm kernel minus each other system" in said
    assert "12 windows of 4 performances of 2 pieces, seed 0" in said
    return out


@pytest.fixture(scope="module")
def bundle(home: Path, norms: Path, evaluation: Path, tiny_labels: Path) -> Path:
    common = ("--labels", tiny_labels, "--norms", norms, "--evaluation", evaluation)
    network = write_network_alone(home / "network")
    said = tocco("statistics", "fit", network, *common, "-o", home / "bundle")
    assert f"{home / 'bundle'}: sha256 " in said
    return home / "bundle"


def test_norms_say_what_they_were_fitted_to(norms: Path) -> None:
    facts = NormFacts.load(norms)
    assert facts.pieces == ("Nobody_piece0", "Nobody_piece2")
    assert facts.corpora == {"made up": 4}
    assert (facts.n_performances, facts.n_windows, facts.windows_per_performance) == (4, 12, 3)
    assert len(list((norms / "windows").iterdir())) == 4
    (norms.parent / "other").mkdir()
    (norms.parent / "other/provenance.json").write_text(json.dumps({"seed": 1}))
    with pytest.raises(InputError, match="fit the norms again with `tocco statistics fit-norms`"):
        NormFacts.load(norms.parent / "other")


def test_an_unknown_piece_is_named(home: Path, norms: Path) -> None:
    pieces = home / "wrong.txt"
    pieces.write_text("Nobody_piece9\n")
    manifest = home / "unrated/performances.jsonl"
    arguments = ["statistics", "fit-norms", manifest, "-o", home / "no", "--pieces", pieces]
    with pytest.raises(InputError, match="Nobody_piece9"):
        CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)


def test_an_unknown_protocol_is_refused(home: Path, norms: Path, tiny_labels: Path) -> None:
    arguments = ["benchmark", "statistics", "--labels", tiny_labels, "--norms", norms, "-o", home / "no"]
    with pytest.raises(UsageError, match="cv4_cluster, cv4_performer"):
        CliRunner().invoke(app, [str(a) for a in [*arguments, "--protocol", "cv5"]], catch_exceptions=False)


def test_the_evaluation_keeps_every_held_out_rating(evaluation: Path, tiny_labels: Path) -> None:
    result = CrossValidationResult.load(evaluation / "predictions")
    assert result.segment_ids.tolist() == [record.segment_id for record in read_labels(tiny_labels)]
    assert {"trees", "norm kernel", "trees + norm kernel", "trees + norm kernel, no score"} <= set(
        result.predictions
    )
    assert (evaluation / "cross_validation.csv").is_file()


def test_the_bundle_rates_by_the_whole_and_the_network_shapes_the_curve(bundle: Path) -> None:
    loaded = load_bundle(bundle)
    assert loaded.whole_share == 1.0
    assert loaded.whole is not None
    files = [example_path() / f"minuet.{suffix}" for suffix in ("flac", "mid", "musicxml")]
    said, before = Assessor(loaded).assess(*files), Assessor().assess(*files)
    performance = load_midi(files[1])
    alignment = align_performance_to_score(performance, score_readings(files[2]))
    whole = rate_whole(loaded.whole, performance, alignment)
    expected = float(whole.rating[0, loaded.whole.names.index("phrasing")])
    assert said.ratings["phrasing"].perception == pytest.approx(np.clip(expected, 0, 100), abs=0.5)
    assert "musicality" not in loaded.whole.names
    shapes = [np.array(a.curve.value["phrasing"], dtype=float) for a in (said, before)]
    inside = (shapes[0] > 0) & (shapes[0] < 100)
    moved = (shapes[0] - shapes[1])[inside]
    assert moved == pytest.approx(np.full(inside.sum(), moved[0]), abs=0.02)
    assert loaded.calibration.window_intervals == load_bundle().calibration.window_intervals


def test_an_interval_without_a_score_is_another(bundle: Path) -> None:
    loaded = load_bundle(bundle)
    assert loaded.whole is not None
    files = [example_path() / f"minuet.{suffix}" for suffix in ("mid", "musicxml")]
    performance = load_midi(files[0])
    alignment = align_performance_to_score(performance, score_readings(files[1]))
    sd = [rate_whole(loaded.whole, performance, given).sd for given in (alignment, None)]
    assert not np.allclose(sd[0], sd[1])


def test_the_bundle_says_where_its_predictors_come_from(bundle: Path) -> None:
    loaded = load_bundle(bundle)
    about = loaded.config.training["whole_performance"]
    assert about["norms"]["pieces"] == ["Nobody_piece0", "Nobody_piece2"]
    assert about["n_records"] == 20
    assert {one.name: one.weight for one in loaded.config.predictors} == {
        "network": 0.0,
        "trees": 1.0,
        "norm_kernel": 1.0,
    }
    card = (bundle / "MODEL_CARD.md").read_text()
    assert card.count("## Rating of the whole performance") == 1
    assert "12 excerpts of 4 unrated performances of 2 pieces" in card
    assert "CC BY-NC-SA 4.0" in card
    assert "trees + norm kernel" in card


def test_a_bundle_is_fitted_anew_in_its_place(
    bundle: Path, norms: Path, evaluation: Path, tiny_labels: Path
) -> None:
    before = {path.name: path.read_bytes() for path in bundle.rglob("*") if path.is_file()}
    common = ("--labels", tiny_labels, "--norms", norms, "--evaluation", evaluation)
    tocco("statistics", "fit", bundle, *common, "-o", bundle)
    after = {path.name: path.read_bytes() for path in bundle.rglob("*") if path.is_file()}
    assert after == before
