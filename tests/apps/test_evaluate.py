"""`tocco evaluate`: a checkpoint on its test part, the folds of a run, and what is refused."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy import stats
from typer.testing import CliRunner

from tocco.apps.cli.main import app
from tocco.data.records import read_labels, write_labels
from tocco.errors import InputError, MismatchError, ToccoError, UsageError

ROOT = Path(__file__).parents[2]


def tocco(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def refused(kind: type[ToccoError], *arguments: object) -> str:
    with pytest.raises(kind) as caught:
        CliRunner().invoke(app, ["evaluate", *map(str, arguments)], catch_exceptions=False)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, tiny_labels: Path) -> Iterator[Path]:
    """A run of the tiny network with training, validation and test, begun in its own folder."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        settings = ("data.val_split=0.2", "data.test_split=0.25", "training.max_epochs=2")
        config = ("--config", ROOT / "configs/tiny.yaml", "--labels", tiny_labels, "-o", home / "runs/tiny")
        tocco("train", *config, "--fold", "split", "--jobs", 1, *settings)
        yield home


@pytest.fixture(scope="module")
def results(home: Path) -> Path:
    """What the command leaves for the copy of the best checkpoint, its labels found by the run."""
    checkpoint = home / "checkpoints/tiny_best.ckpt"
    said = tocco(
        "evaluate", "--checkpoint", checkpoint, "--split", "test", "--output", home / "out", "--jobs", 1
    )
    assert "| linear, sound |" in said
    assert "## Dimensions" not in said
    return home / "out"


def test_tables_and_pictures_are_there(results: Path) -> None:
    names = {path.relative_to(results).as_posix() for path in results.rglob("*") if path.is_file()}
    assert {"metrics.md", "metrics.csv", "predictions.csv", "errors.csv", "worst_cases.md"} <= names
    assert {"scatter.png", "dimensions.png", "reliability.png"} <= names
    tested = {row["segment"] for row in rows(results / "predictions.csv")}
    assert {f"attention/{segment}.png" for segment in tested} <= names  # fewer than ten are tested
    assert {f"worst_cases/{segment}.flac" for segment in tested} <= names
    for name in names:
        if name.endswith(".png"):
            assert (results / name).read_bytes()[:4] == b"\x89PNG"
        if name.endswith(".flac"):
            info = soundfile.info(results / name)
            assert 5.0 < info.duration <= 20.0


def test_metrics_are_those_of_the_predictions(results: Path, home: Path, tiny_labels: Path) -> None:
    predictions = rows(results / "predictions.csv")
    split = {row.segment_id: row for row in read_labels(tiny_labels)}
    metrics = {(row["system"], row["dimension"], row["metric"]): row for row in rows(results / "metrics.csv")}
    by_name = {name: [row for row in predictions if row["dimension"] == name] for name in ("phrasing",)}
    label, mean = (np.array([float(row[key]) for row in by_name["phrasing"]]) for key in ("label", "mean"))
    assert len(label) >= 3
    for row in by_name["phrasing"]:
        assert float(row["label"]) == pytest.approx(split[row["segment"]].labels["phrasing"], abs=1e-3)
        assert float(row["low_90"]) <= float(row["mean"]) <= float(row["high_90"])
        assert float(row["raters_sd"]) == 8.0
        assert row["cluster"] == split[row["segment"]].cluster_id
    expected = {
        "mae": float(np.abs(label - mean).mean()),
        "pearson_r": float(stats.pearsonr(label, mean).statistic),
        "spearman_rho": float(stats.spearmanr(label, mean).statistic),
        "kendall_tau_b": float(stats.kendalltau(label, mean).statistic),
    }
    for metric, value in expected.items():
        assert float(metrics["tocco", "phrasing", metric]["value"]) == pytest.approx(value, abs=1e-3), metric
    tested = {row["segment"] for row in predictions}
    train = json.loads((home / "runs/tiny/split/split.json").read_text())["train"]
    assert not tested & set(train)
    of_training = np.mean([split[segment].labels["phrasing"] for segment in train])
    constant = float(np.abs(label - of_training).mean())
    assert float(metrics["constant", "phrasing", "mae"]["value"]) == pytest.approx(constant, abs=1e-3)
    assert metrics["constant", "phrasing", "pearson_r"]["value"] == "0.000000"


def test_what_is_left_out_has_its_reason(results: Path) -> None:
    text = (results / "metrics.md").read_text()
    assert (
        "Left out: passage mean, since no passage of the tested excerpts is in their training data." in text
    )
    assert "clusters are few**; there are no intervals" in text
    assert all(not row["low_95"] for row in rows(results / "metrics.csv"))


def test_the_same_command_gives_the_same_bytes(results: Path, home: Path) -> None:
    best = home / "runs/tiny/split/best.ckpt"
    tocco("evaluate", "--checkpoint", best, "-o", home / "again", "--jobs", 1, "--examples", 1)
    for name in ("predictions.csv", "metrics.csv", "errors.csv", "worst_cases.md", "dimensions.png"):
        assert (home / "again" / name).read_bytes() == (results / name).read_bytes(), name
    assert len(list((home / "again/attention").iterdir())) == 1


def test_a_run_is_evaluated_like_its_checkpoint_and_its_validation_part_too(
    results: Path, home: Path
) -> None:
    run = home / "runs/tiny"
    tocco("evaluate", run, "-o", home / "of_run", "--jobs", 1, "--examples", 0)
    own, other = ((folder / "predictions.csv").read_bytes() for folder in (home / "of_run", results))
    assert own == other
    tocco("evaluate", run, "--split", "validation", "-o", home / "validation", "--jobs", 1)
    tested, validated = (
        {row["segment"] for row in rows(folder / "predictions.csv")}
        for folder in (results, home / "validation")
    )
    assert validated
    assert not tested & validated


def test_a_checkpoint_that_was_copied_elsewhere_needs_its_run(home: Path, tmp_path: Path) -> None:
    away = Path(shutil.copyfile(home / "runs/tiny/split/best.ckpt", tmp_path / "best.ckpt"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        line = refused(InputError, "--checkpoint", away, "-o", tmp_path / "out")
        assert line.endswith(f"Next: name the folder of its run: tocco evaluate RUN --checkpoint {away}.")
        output = tmp_path / "out"
        tocco(
            "evaluate", home / "runs/tiny", "--checkpoint", away, "-o", output, "--jobs", 1, "--examples", 0
        )
    assert (output / "metrics.md").is_file()
    last = home / "runs/tiny/split/last.ckpt"
    away.write_bytes(last.read_bytes())
    if last.read_bytes() != (home / "runs/tiny/split/best.ckpt").read_bytes():
        line = refused(MismatchError, home / "runs/tiny", "--checkpoint", away, "-o", output)
        assert "is no copy of the best checkpoint of" in line


def test_the_wrong_labels_are_refused(home: Path, tiny_labels: Path, tmp_path: Path) -> None:
    records = read_labels(tiny_labels)
    best = home / "runs/tiny/split/best.ckpt"
    first = records[0]
    changed = first.model_copy(update={"labels": {**first.labels, "phrasing": 12.0}})
    write_labels([changed, *records[1:]], tmp_path / "changed.jsonl")
    line = refused(
        MismatchError, "--checkpoint", best, "--labels", tmp_path / "changed.jsonl", "-o", tmp_path / "out"
    )
    assert "changed.jsonl: has other ratings (sha256" in line
    write_labels(records[:5], tmp_path / "fewer.jsonl")
    line = refused(
        MismatchError, "--checkpoint", best, "--labels", tmp_path / "fewer.jsonl", "-o", tmp_path / "out"
    )
    assert "lacks 15 segments of the split" in line
    assert not (tmp_path / "out").exists()
    assert MismatchError.exit_code == 4


def test_what_is_missing_is_said_in_one_line(home: Path, tiny_labels: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    line = refused(InputError, "--checkpoint", tmp_path / "none.ckpt", "-o", out)
    assert line == f"{tmp_path}/none.ckpt: no such checkpoint. Next: name a .ckpt file of a run."
    assert "name a run" in refused(UsageError, "-o", out)
    best = home / "runs/tiny/split/best.ckpt"
    assert "--split: is folds" in refused(UsageError, "--checkpoint", best, "--split", "folds", "-o", out)
    part = tmp_path / "runs/whole/split"
    shutil.copytree(home / "runs/tiny/split", part)
    split = part / "split.json"
    split.write_text(split.read_text().replace('"test": [', '"never": ['))
    line = refused(InputError, "--checkpoint", part / "best.ckpt", "--labels", tiny_labels, "-o", out)
    assert f"{part}: has no test part. Next: train with --fold split" in line
    line = refused(InputError, "--checkpoint", part / "best.ckpt", "--split", "validation", "-o", out)
    assert "names no label file. Next: give it with --labels" in line
    line = refused(InputError, tmp_path / "runs/nothing", "--split", "test", "-o", out)
    assert "best.ckpt: no such checkpoint" in line
    assert not out.exists()


@pytest.mark.slow
def test_the_script_is_the_command_and_its_codes_are_documented(home: Path, tmp_path: Path) -> None:
    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, ROOT / "evaluate.py", *arguments]
        return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)

    shown = run("--help").stdout
    assert "--checkpoint" in shown
    assert "4 the labels are not" in " ".join(shown.split())
    done = run("--checkpoint", tmp_path / "none.ckpt", "--split", "test", "--output", tmp_path / "results")
    assert done.returncode == 3
    assert done.stderr.startswith(f"tocco: {tmp_path}/none.ckpt: no such checkpoint")
    assert done.stderr.count("\n") == 1
