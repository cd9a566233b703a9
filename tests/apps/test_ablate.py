"""`tocco ablate` on the tiny corpus: trained once, compared, resumed, refused."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from safetensors.torch import load_file
from torch import Tensor
from typer.testing import CliRunner

from tocco.apps.cli.main import app
from tocco.errors import InputError, MismatchError, UsageError
from tocco.evaluation.ablations import comparison
from tocco.evaluation.ablations.report import COLUMNS
from tocco.training import run_folder
from tocco.training.lightning_module import PerformanceEvaluationModel

TINY = Path(__file__).parents[2] / "configs" / "tiny.yaml"

FILES = {
    "full": f"extends: {TINY}\ntraining: {{max_epochs: 1, checkpoint: none.ckpt}}\n",
    "audio_only": "extends: full.yaml\ndata: {statistics: false}\nmodel: {inputs: audio}\n"
    "training: {new_parts: [midi_encoder, fusion, head]}\nablation: {removes: notes and statistics}\n",
    "ensemble": "extends: full.yaml\ntraining: {members: 2}\nablation: {adds: a second seed}\n",
    "no_pretraining": "extends: full.yaml\ntraining: {checkpoint: null}\nablation: {removes: pre-training}\n",
}


@pytest.fixture(autouse=True, scope="module")
def _one_revision_and_few_draws() -> Iterator[None]:
    """A commit while the tests run makes no other revision; intervals are not what is tested here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_folder, "revision", lambda: "0.0 tests")
        patch.setattr(comparison, "DRAWS", 200)
        yield


def written(folder: Path, *names: str) -> Path:
    """A folder with some of the experiments, all of them by default."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or FILES:
        (folder / f"{name}.yaml").write_text(FILES[name])
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ablations")


def run(home: Path, labels: Path, *more: object) -> str:
    arguments = ("--configs", home / "configs", "--labels", labels, "--run", home / "runs")
    command = ("ablate", *arguments, "-o", home / "results", "--jobs", 1, *more)
    result = CliRunner().invoke(app, [str(a) for a in command], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


class StopError(Exception):
    """The power cut."""


RANDOM = "training.checkpoint=null"


@pytest.fixture(scope="module")
def first(home: Path, tiny_labels: Path) -> str:
    """What the command prints the first time, from random weights."""
    written(home / "configs")
    return run(home, tiny_labels, "--fold", "0", RANDOM)


def rows_of(home: Path) -> dict[tuple[str, str], dict[str, str]]:
    with (home / "results" / "ablations.csv").open() as stream:
        return {(row["ablation"], row["target"]): row for row in csv.DictReader(stream)}


def test_every_experiment_is_compared_on_the_held_out_fold(first: str, home: Path) -> None:
    rows = rows_of(home)
    systems = ["full", "full, untrained", "audio_only", "ensemble", "ensemble, member0", "ensemble, member1"]
    assert list(dict.fromkeys(name for name, _ in rows)) == [*systems, "constant", "passage mean"]
    targets = ["dynamics_control", "phrasing", "timbre_soft_loud"]
    means = ["mean of 1 descriptors", "mean of 2 dimensions"]
    assert [target for name, target in rows if name == "full"] == [*targets, *means]
    assert set(rows["full", "phrasing"]) == set(COLUMNS)
    assert rows["full", "phrasing"]["n"] == "10"
    assert rows["full", "phrasing"]["r2_difference"] == ""
    assert rows["full, untrained", "phrasing"]["r2"] != rows["full", "phrasing"]["r2"]
    full, audio = (float(rows[name, "mean of 2 dimensions"]["r2"]) for name in ("full", "audio_only"))
    assert full > 0.9 > audio
    row = rows["audio_only", "mean of 2 dimensions"]
    assert float(row["r2_difference"]) == pytest.approx(audio - full, abs=2e-4)
    assert float(row["r2_low"]) <= float(row["r2_difference"]) <= float(row["r2_high"]) < 0.0
    assert (home / "results" / "ablations.png").read_bytes().startswith(b"\x89PNG")


def test_the_page_says_what_earns_its_place_and_what_was_done(first: str, home: Path) -> None:
    page = (home / "results" / "ablations.md").read_text()
    assert page in first
    assert "without it is worse, interval below 0)**: notes and statistics." in page
    assert "- command: tocco ablate --fold 0 training.checkpoint=null" in page
    assert "- training: 1 epoch of all training records, from random weights, seed 20261122" in page
    assert "held out: fold 0;" in page
    assert "Not measured: it takes one network of each alone." in page
    assert "all networks start from random weights" in page


def test_the_ensemble_is_the_mean_of_its_members(first: str, home: Path) -> None:
    def ratings(folder: Path) -> Tensor:
        (path,) = (folder / "fold0").glob("held_out-*.safetensors")
        return load_file(path)["rating"]

    each = [ratings(home / "runs" / "ensemble" / f"member{k}") for k in range(2)]
    assert not each[0].equal(each[1])
    rows = rows_of(home)
    mae = [float(rows[name, "phrasing"]["mae"]) for name in ("ensemble", "ensemble, member0")]
    assert mae[0] != mae[1]
    assert float(rows["ensemble, member0", "phrasing"]["r2_difference"]) == 0.0  # the seed of full


def test_what_changes_nothing_is_left_out(first: str, home: Path) -> None:
    assert "no_pretraining: left out, since with these settings it is the same as full" in first
    assert not (home / "runs" / "no_pretraining").exists()


def test_what_is_trained_is_not_trained_again(
    first: str, home: Path, tiny_labels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(self: PerformanceEvaluationModel) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(PerformanceEvaluationModel, "on_train_epoch_start", never)
    monkeypatch.setattr(run_folder, "revision", lambda: "0.0 later")
    words = home / "configs" / "audio_only.yaml"
    words.write_text(words.read_text().replace("removes: notes and statistics", "removes: all notes"))
    before = (home / "results" / "ablations.csv").read_text()
    printed = run(home, tiny_labels, "--fold", "0", RANDOM)
    assert f"{home / 'runs' / 'audio_only' / 'fold0'}: trained already" in printed
    assert (home / "results" / "ablations.csv").read_text() == before
    assert "| audio_only | without all notes |" in (home / "results" / "ablations.md").read_text()
    run(home, tiny_labels, "--fold", "0", "--only", "audio_only", RANDOM)
    assert {name for name, _ in rows_of(home)} > {
        "audio_only",
        "ensemble",
    }  # trained before, still in the table
    shutil.move(home / "runs" / "ensemble", home / "ensemble")
    run(home, tiny_labels, "--fold", "0", "--only", "audio_only", RANDOM)
    shutil.move(home / "ensemble", home / "runs" / "ensemble")
    assert {name for name, _ in rows_of(home)} == {
        *("full", "full, untrained", "audio_only", "constant", "passage mean")
    }
    assert "- Not trained yet: ensemble." in (home / "results" / "ablations.md").read_text()
    (home / "results" / "ablations.csv").write_text(before)


def test_other_settings_are_refused_before_any_training(first: str, home: Path, tiny_labels: Path) -> None:
    with pytest.raises(
        MismatchError, match=r"full/fold0: was trained with other settings \(.*max_epochs 1, now 2"
    ):
        run(home, tiny_labels, "--fold", "0", "--epochs", 2, RANDOM)


def test_an_interrupted_command_goes_on(
    first: str, home: Path, tiny_labels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ended in the second epoch of the second network: the first is kept, the second goes on there."""
    written(tmp_path / "configs", "full", "audio_only")
    shutil.copytree(home / "prepared", tmp_path / "prepared")
    original, begun = PerformanceEvaluationModel.on_train_epoch_start, []

    def interrupted(self: PerformanceEvaluationModel) -> None:
        begun.append(self.current_epoch)
        if len(begun) == 4:
            raise StopError
        original(self)

    monkeypatch.setattr(PerformanceEvaluationModel, "on_train_epoch_start", interrupted)
    options = ("--fold", "0", "--epochs", 2, "--only", "audio_only", RANDOM)
    with pytest.raises(StopError):
        run(tmp_path, tiny_labels, *options)
    part = tmp_path / "runs" / "audio_only" / "fold0"
    assert (part / "last.ckpt").is_file()
    assert not (part / "model.safetensors").is_file()
    run(tmp_path, tiny_labels, *options)
    assert begun == [0, 1, 0, 1, 1]
    assert (tmp_path / "results" / "ablations.md").is_file()


def test_a_folder_without_ablations_is_refused(tmp_path: Path, tiny_labels: Path) -> None:
    written(tmp_path / "configs", "audio_only")
    with pytest.raises(InputError, match=r"configs: has no full\.yaml \(allowed: full\.yaml, and a file"):
        run(tmp_path, tiny_labels)
    (tmp_path / "configs" / "audio_only.yaml").unlink()
    written(tmp_path / "configs", "full")
    with pytest.raises(InputError, match="configs: has no ablation"):
        run(tmp_path, tiny_labels)


def test_what_cannot_be_compared_is_refused(tmp_path: Path, tiny_labels: Path) -> None:
    configs = written(tmp_path / "configs")
    with pytest.raises(
        InputError, match=r"none\.ckpt: no such checkpoint\. Next: name one with --checkpoint, or"
    ):
        run(tmp_path, tiny_labels)
    with pytest.raises(UsageError, match="--only: 'audio_onl' is unknown, did you mean 'audio_only'"):
        run(tmp_path, tiny_labels, "--only", "audio_onl", RANDOM)
    with pytest.raises(
        UsageError, match=r"--checkpoint: is given, and .*full\.yaml starts from random weights"
    ):
        run(tmp_path, tiny_labels, "--checkpoint", "a.ckpt", RANDOM)
    (configs / "other.yaml").write_text("extends: full.yaml\ntraining: {loss: equal}\n")
    with pytest.raises(
        InputError, match=r"other\.yaml: does not say what it changes\. Next: add `ablation:`"
    ):
        run(tmp_path, tiny_labels, RANDOM)
    (configs / "other.yaml").write_text("extends: full.yaml\ndata: {window_sec: 5}\nablation: {adds: less}\n")
    with pytest.raises(InputError, match=r"other: has another data\.window_sec than full"):
        run(tmp_path, tiny_labels, RANDOM)
