"""The commands of the open benchmark, as someone uses them who has only a label file and a CSV."""

import inspect
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from assessment_example import example
from benchmark_example import label_file, predictions_of, write_predictions
from tocco.apps.cli import open_benchmark
from tocco.apps.cli.main import app
from tocco.data.records import read_labels, write_labels
from tocco.errors import InputError, UsageError
from tocco.evaluation.benchmark import percepiano
from tocco.evaluation.benchmark.benchmark import DRAWS
from tocco.evaluation.benchmark.leaderboard import README
from tocco.inference.assessment import write_assessment_file

ABOUT = "name: mine\nauthors: [A. Nobody]\ntrained_on: nothing else\nreads: notes\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    label_file(tmp_path)
    (tmp_path / "about.yaml").write_text(ABOUT)
    return tmp_path


def run(folder: Path, *words: str, command: str = "percepiano") -> Result:
    given = [word.replace("@", f"{folder}/") for word in words]
    return CliRunner().invoke(app, ["benchmark", command, *given])


LABELS = ("--labels", "@labels.jsonl", "-o")


def test_folds_predictions_page_and_submission(folder: Path) -> None:
    done = run(folder, *LABELS, "@folds.csv", "--folds")
    assert done.exit_code == 0, done.output
    assert done.stdout == f"{folder}/folds.csv: 60 segments, protocols clusters, performer, both, work\n"
    benchmark = percepiano(folder / "labels.jsonl")
    said = {"clusters": predictions_of(benchmark.folds("clusters"), benchmark)}
    write_predictions(folder / "mine.csv", said)
    options = ("--predictions", "@mine.csv", "--about", "@about.yaml", "--draws", "20")
    done = run(folder, *LABELS, "@out", *options)
    assert done.exit_code == 0, done.output
    assert "| clusters | new music | 19 descriptors |" in done.stdout
    assert "clusters: every tested excerpt states its fold, and the right one" in done.stdout
    assert {path.name for path in (folder / "out").iterdir()} == {
        "benchmark.md",
        "benchmark.csv",
        "submission.json",
    }
    assert "## Published figures" in (folder / "out/benchmark.md").read_text()
    written = json.loads((folder / "out/submission.json").read_text())
    assert written["about"]["name"] == "mine"
    (folder / "board").mkdir()
    shutil.copy(folder / "out/submission.json", folder / "board/mine.json")
    done = run(folder, "@board", command="leaderboard")
    assert done.stdout == f"{folder}/board/{README}: 1 submissions\n"
    assert "| mine |" in (folder / "board" / README).read_text()


def test_every_fault_is_one_line_and_nothing_is_written(folder: Path) -> None:
    (folder / "mine.csv").write_text("segment_id,phrasing,charm\nx,101,1\nx,3,1\n")
    done = run(folder, *LABELS, "@out", "--predictions", "@mine.csv")
    assert done.exit_code == 3
    lines = done.stderr.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("tocco: ") for line in lines)
    assert "column 'charm' is unknown" in lines[0]
    assert "line 2: phrasing is '101', allowed is 0 to 100" in lines[1]
    assert "line 3: 'x' is listed again" in lines[2]
    assert not list((folder / "out").iterdir())


def test_missing_predictions_are_named(folder: Path) -> None:
    (folder / "mine.csv").write_text("segment_id,phrasing\npassage00_pianist0,3\n")
    done = run(folder, *LABELS, "@out", "--predictions", "@mine.csv")
    assert done.exit_code == 3
    assert len(done.stderr.splitlines()) == 21
    assert done.stderr.splitlines()[-1] == "tocco: and 39 more"


def test_a_baseline_is_a_system_and_its_predictions_are_a_file(folder: Path) -> None:
    options = ("--baseline", "passage mean", "--protocol", "performer", "--draws", "20")
    done = run(folder, *LABELS, "@out", *options)
    assert done.exit_code == 0, done.output
    again = run(folder, *LABELS, "@again", "--predictions", "@out/predictions.csv", *options[2:])
    assert again.exit_code == 0, again.output
    assert (folder / "again/benchmark.csv").read_text() == (folder / "out/benchmark.csv").read_text()
    assert (folder / "again/benchmark.md").read_text() == (folder / "out/benchmark.md").read_text()


def test_assessments_are_predictions_of_any_label_file(folder: Path) -> None:
    assessed = folder / "assessed"
    assessed.mkdir()
    rng = np.random.default_rng(0)
    for record in percepiano(folder / "labels.jsonl").records:
        said = example()
        rating = said.ratings["phrasing"]
        value = float(np.clip(record.labels["phrasing"] + rng.normal(0, 3), 0, 100))
        given = rating.model_copy(update={"value": round(value, 2), "sigma": 5.0, "interval_90": None})
        ratings = dict(said.ratings) | {"phrasing": given}
        changed = said.model_copy(update={"ratings": ratings})
        write_assessment_file(changed, assessed / f"{record.segment_id}.json")
    options = ("--assessments", "@assessed", "--untrained", "--protocol", "work", "--draws", "20")
    done = run(folder, *LABELS, "@out", "--title", "Students", *options, command="ratings")
    assert done.exit_code == 0, done.output
    page = (folder / "out/benchmark.md").read_text()
    assert page.startswith("# Students benchmark")
    assert "the system is said to have learned nothing from these labels" in page
    line = next(line for line in page.splitlines() if line.startswith("| phrasing | 60 |"))
    assert float(line.split(" | ")[2].split(" ")[0]) > 0.9  # r: the raters' ratings, and a little noise


def test_what_is_to_be_evaluated_is_one_thing(folder: Path) -> None:
    for words in ((), ("--baseline", "constant", "--predictions", "@x.csv")):
        done = run(folder, *LABELS, "@out", *words)
        assert isinstance(done.exception, UsageError)
        assert "--predictions, --assessments, --result, --baseline or --model" in str(done.exception)
    done = run(folder, *LABELS, "@folds.csv", "--folds", "--baseline", "constant")
    assert "--folds: and --baseline exclude each other" in str(done.exception)
    done = run(folder, *LABELS, "@out", "--result", "clusters=x")
    assert "--result: needs --system" in str(done.exception)
    done = run(folder, *LABELS, "@out", "--result", "x", "--system", "trees")
    assert "allowed: PROTOCOL=PATH" in str(done.exception)
    done = run(folder, *LABELS, "@out", "--assessments", "@none")
    assert "has no assessment" in str(done.exception)


@pytest.mark.parametrize("option", ["--baseline", "--model", "--protocol"])
def test_a_wrong_name_is_a_wrong_usage(folder: Path, option: str) -> None:
    done = run(folder, *LABELS, "@out", option, "nonsense")
    assert isinstance(done.exception, UsageError)
    assert str(done.exception).startswith(f"{option}: is 'nonsense' (allowed: '")
    assert not (folder / "out").exists()


def test_labels_that_allow_no_protocol_are_refused(folder: Path) -> None:
    bare = [
        one.model_copy(update={"cluster_id": None, "performer_id": None, "work_id": None, "folds": {}})
        for one in read_labels(folder / "labels.jsonl")
    ]
    write_labels(bare, folder / "bare.jsonl")
    for words in (("@out", "--baseline", "constant"), ("@folds.csv", "--folds")):
        done = run(folder, "--labels", "@bare.jsonl", "-o", *words, command="ratings")
        assert isinstance(done.exception, InputError)
        assert "allows no protocol (clusters: " in str(done.exception)
        assert "has no work_id" in str(done.exception)
    assert not (folder / "out").exists()
    assert not (folder / "folds.csv").exists()


def test_a_split_of_ones_own_is_checked(folder: Path) -> None:
    names = percepiano(folder / "labels.jsonl").segment_ids
    lines = [f"{name},{'test' if 'pianist0' in name else 'train'}" for name in names]
    (folder / "split.csv").write_text("\n".join(["segment_id,side", *lines]))
    words = ("--labels", "@labels.jsonl", "--split", "@split.csv", "--no-notes")
    done = run(folder, *words, command="leaks")
    assert done.exit_code == 0, done.output
    assert "cluster: 60 segments (100 %) have one in another part" in done.stdout
    assert "pianist: none" in done.stdout
    assert "new music: no, it leaks" in done.stdout
    done = run(folder, *words, "--claim", "new music", command="leaks")
    assert isinstance(done.exception, InputError)
    assert "does not test new music" in str(done.exception)
    done = run(folder, *words, "--claim", "new pianist", command="leaks")
    assert isinstance(done.exception, InputError)
    said = "is not shown to test new pianist: identical MIDI, same take could not be compared"
    assert said in str(done.exception)
    done = run(folder, *words, "--claim", "anything", command="leaks")
    assert "allowed: unseen takes, new music, new pianist" in str(done.exception)


def test_commands_draw_as_often_as_the_library() -> None:
    for command in (open_benchmark.percepiano, open_benchmark.ratings):
        assert inspect.signature(command).parameters["draws"].default == DRAWS == 2000
