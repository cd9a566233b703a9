"""The notebook that trains on Colab: its commands exist, and it goes on after the loss of its machine."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import nbformat
import pytest
import typer
import yaml
from nbformat import NotebookNode

import tocco
from tocco.apps.cli.main import app
from tocco.training.config_file import load_config

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = ROOT / "notebooks" / "train_on_colab.ipynb"
SETTINGS = ("data.val_split=0.2", "data.test_split=0.2", "training.max_epochs=2")
STAGES = ("pseudo_pretrain", "expert_finetune")


@pytest.fixture
def notebook() -> NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


def with_settings(notebook: NotebookNode, **values: object) -> NotebookNode:
    """The notebook with other values of its settings, in a cell after the one that has them."""
    (place,) = (i for i, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", ()))
    known = {
        target.id
        for node in ast.walk(ast.parse(notebook.cells[place].source))
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    assert values.keys() <= known
    lines = [f"{name} = {value!r}" for name, value in values.items()]
    notebook.cells.insert(place + 1, nbformat.v4.new_code_cell("\n".join(lines)))
    return notebook


def code(notebook: NotebookNode) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def assert_command_exists(words: Sequence[str]) -> None:
    """The command line reads these arguments of `tocco`; an unknown option or command is an error."""
    command, context = typer.main.get_command(app), None
    name, arguments = "tocco", list(words)
    while isinstance(command, click.Group):
        context = command.make_context(name, arguments, parent=context)
        name, command, arguments = command.resolve_command(context, [*context._protected_args, *context.args])
        assert command is not None
    command.make_context(name, list(arguments), parent=context)


def test_it_is_valid_small_and_without_outputs(notebook: NotebookNode) -> None:
    nbformat.validate(notebook)
    assert NOTEBOOK.stat().st_size < 100_000
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in cells)
    assert notebook.cells[0].cell_type == "markdown"
    assert cells[0].metadata["tags"] == ["parameters"]


def test_its_settings_are_files_of_this_repository(notebook: NotebookNode) -> None:
    space: dict[str, Any] = {}
    exec(code(notebook)[0], space)
    assert space["IN_COLAB"] is False
    for stage, name in zip(STAGES, ("PSEUDO_CONFIG", "EXPERT_CONFIG"), strict=True):
        config = load_config(ROOT / space[name])
        assert config.name == stage
        assert config.callbacks.checkpoint.save_top_k == 3
        assert config.callbacks.checkpoint.every_epoch
    assert space["PSEUDO_SETTINGS"] == space["EXPERT_SETTINGS"] == []


def test_commands_and_settings_in_its_text_exist(notebook: NotebookNode) -> None:
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    commands = [line.split("#")[0] for line in re.findall(r"^    tocco (.*)$", text, re.MULTILINE)]
    assert len(commands) == 3
    for command in commands:
        assert_command_exists(shlex.split(command))
    settings = re.findall(r"`([a-z_.]+)=([\w.]+)`", text)
    assert len(settings) == 4
    for key, value in settings:
        load_config(ROOT / "configs" / "pseudo_pretrain.yaml", {key: value})
    for name in re.findall(r"`(?:configs/)?(\w+\.yaml)`", text):
        assert (ROOT / "configs" / name).is_file()


def test_the_memory_in_its_table_is_that_of_the_documents(notebook: NotebookNode) -> None:
    figures = dict(re.findall(r"^\| `(\w+)\.yaml`.*?\| ([\d.]+) GB: fits", notebook.cells[0].source, re.M))
    documented = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    assert figures.keys() == {"pseudo_pretrain", "mert95m", "mert330m"}
    for name, gigabytes in figures.items():
        assert re.search(rf"^\| `configs/{name}\.yaml`.*\| {re.escape(gigabytes)} GB \|$", documented, re.M)


class Colab:
    """A stand-in for `google.colab` and for the commands, which are recorded; git is run."""

    def __init__(self, folder: Path, archive: bytes = b"") -> None:
        self.output, self.work = folder / "drive", folder / "machine"
        self.archive = archive
        self.commands: list[list[str]] = []
        self.events: list[str] = []
        self.interpreter = str(self.work / "environment" / "bin" / "python")

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Put the modules in place of Colab's."""
        drive, files, colab = (ModuleType(f"google.colab.{n}") for n in ("drive", "files", "x"))
        drive.mount = self.events.append  # type: ignore[attr-defined]
        files.upload = self.upload  # type: ignore[attr-defined]
        files.download = self.events.append  # type: ignore[attr-defined]
        colab.drive, colab.files = drive, files  # type: ignore[attr-defined]
        hub = ModuleType("huggingface_hub")
        hub.login = lambda: self.events.append("login")  # type: ignore[attr-defined]
        modules = {"google": ModuleType("google"), "google.colab": colab, "huggingface_hub": hub}
        for name, module in modules.items():
            monkeypatch.setitem(sys.modules, name, module)

    def upload(self) -> dict[str, bytes]:
        """What the user chooses."""
        self.events.append("upload")
        return {"tocco.zip": self.archive}

    def run(self, *command: object, cwd: Path | None = None) -> str:
        """Record a command."""
        words = [str(word) for word in command]
        self.commands.append(words)
        if words[0] == "git":
            return subprocess.run(words, cwd=cwd, check=True, capture_output=True, text=True).stdout
        if "missing_packages" in words[-1]:
            return "some-piano\n"
        if words[1:3] == ["-m", "tocco"] and "pseudo-label" in words:
            labels = Path(words[words.index("-o") + 1])
            labels.parent.mkdir(parents=True)
            labels.write_text("{}\n")
        return ""

    def follow(self, stage: str, *arguments: object) -> None:
        """Record a training; it leaves what the cells after it read."""
        self.run(self.interpreter, "-m", "tocco", *arguments)
        part = self.output / "runs" / stage / "split"
        part.mkdir(parents=True, exist_ok=True)
        for name in ("best.ckpt", "curves.png", "split.json"):
            shutil.copyfile(ROOT / "docs" / "minuet.png", part / name)
        (part / "metrics.csv").write_text("epoch,step,train_loss,gpu_gb\n0,4,0.5,7.25\n1,8,0.4,7.5\n")

    def run_all(self, notebook: NotebookNode) -> dict[str, Any]:
        """Run the cells, with the commands and the displays recorded."""
        shown: list[Any] = []
        space: dict[str, Any] = {}
        for cell in code(notebook):
            exec(cell, space)
            space |= {"display": lambda *what: shown.extend(what)}
            space |= {name: getattr(self, name) for name in ("run", "follow") if name in space}
        return space | {"shown": shown}

    def of_tocco(self) -> list[list[str]]:
        """Arguments of the commands of tocco, in order."""
        return [words[3:] for words in self.commands if words[1:3] == ["-m", "tocco"]]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Source and labels in archives, as they are uploaded."""
    path = tmp_path / "source.zip"
    with zipfile.ZipFile(path, "w") as packed:
        for name in ("pyproject.toml", "train.py", "constraints.txt"):
            packed.write(ROOT / name, f"tocco-main/{name}")
        for config in (ROOT / "configs").glob("*.yaml"):
            packed.write(config, f"tocco-main/configs/{config.name}")
    return path


def labels_archive(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("annotations/labels.jsonl", "{}\n{}\n")
        packed.writestr("annotations/midi/a.jsonl", "")
    return str(path)


def test_on_colab_every_command_that_it_gives_exists(
    notebook: NotebookNode, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From an uploaded source, with MERT, MAESTRO and a login: installed, trained, downloaded."""
    colab = Colab(tmp_path, archive.read_bytes())
    colab.install(monkeypatch)
    expert = labels_archive(colab.output / "expert.zip")
    settings = {"OUTPUT": str(colab.output), "WORK": str(colab.work), "MAESTRO_RECORDINGS": 2}
    given = {"EXPERT_LABELS": expert, "EXPERT_SETTINGS": ["data.batch_size=4"], "HUB_LOGIN": True}
    space = colab.run_all(with_settings(notebook, **settings, **given))

    best = colab.output / "expert_finetune_best.ckpt"
    assert colab.events == ["/content/drive", "upload", "login", str(best)]
    assert best.is_file()
    assert space["SOURCE"] == colab.work / "source" / "tocco-main"
    (install,) = (words for words in colab.commands if words[:3] == ["uv", "pip", "install"])
    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert install[-1] == ".[train,data,mert]"
    assert {"train", "data", "mert"} <= known.keys()
    assert install[install.index("--python") + 1] == colab.interpreter
    assert (ROOT / install[install.index("--constraints") + 1]).is_file()

    commands = colab.of_tocco()
    for words in commands:
        assert_command_exists(words)
    kinds = [(words[0], "--estimate-memory" in words) for words in commands]
    assert (
        kinds == [("train", True)] * 2 + [("data", False), ("pseudo-label", False)] + [("train", False)] * 2
    )
    pseudo, finetune = commands[-2:]
    source = space["SOURCE"]
    assert pseudo[1:5] == [
        "--config", str(source / "configs/pseudo_pretrain.yaml"),
        "--labels", str(colab.work / "data/maestro/pseudo_labels.jsonl"),
    ]  # fmt: skip
    assert finetune[3] == "data.batch_size=4"
    assert finetune[finetune.index("--checkpoint") + 1] == str(
        colab.output / "runs/pseudo_pretrain/split/best.ckpt"
    )
    assert finetune[finetune.index("--labels") + 1].endswith("data/expert_labels/annotations/labels.jsonl")
    assert "--resume" not in pseudo
    assert "| expert_finetune | 2 | 7.5 GB |" in str(space["shown"][-1].data)

    # The machine is lost, Drive is not: nothing is asked for again, and the runs go on.
    shutil.rmtree(colab.work)
    colab.commands.clear()
    colab.events.clear()
    colab.run_all(notebook)
    assert "upload" not in colab.events
    assert all("--resume" in words for words in colab.of_tocco()[-2:])


def test_a_clone_takes_the_commit_that_the_run_began_with(
    notebook: NotebookNode, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "repository"
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(tmp_path)
    (tmp_path / "tocco-main").rename(repository)
    git = ["git", "-C", str(repository), "-c", "user.name=a", "-c", "user.email=a@example.org"]

    def commit(name: str) -> str:
        (repository / "new.txt").write_text(name)
        for words in (["add", "."], ["commit", "-qm", name]):
            subprocess.run([*git, *words], check=True, capture_output=True)
        head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
        return head.stdout.strip()

    subprocess.run(["git", "init", "-q", "-b", "main", str(repository)], check=True)
    first = commit("first")
    colab = Colab(tmp_path)
    colab.install(monkeypatch)
    expert = labels_archive(colab.output / "labels.zip")
    given = {"EXPERT_LABELS": expert, "PSEUDO_LABELS": expert, "REPOSITORY": str(repository)}
    compact = {"PSEUDO_CONFIG": "configs/tiny.yaml", "EXPERT_CONFIG": "configs/tiny.yaml"}
    folders = {"OUTPUT": str(colab.output), "WORK": str(colab.work)}
    with_settings(notebook, **given, **compact, **folders)
    colab.run_all(notebook)
    assert (colab.output / "revision.txt").read_text().strip() == first
    commit("second")
    shutil.rmtree(colab.work)
    colab.run_all(notebook)
    assert (colab.work / "source" / "new.txt").read_text() == "first"
    install = [words[-1] for words in colab.commands if words[:3] == ["uv", "pip", "install"]]
    assert install == [".[train,data]"] * 2  # no MERT in configs/tiny.yaml
    assert "login" not in colab.events


def test_uv_has_the_options_that_install(notebook: NotebookNode) -> None:
    uv = shutil.which("uv") or str(Path(sys.executable).parent / "uv")
    text = subprocess.run([uv, "pip", "install", "--help"], capture_output=True, text=True, check=True).stdout
    for option in ("--torch-backend", "--constraints", "--python", "--editable", "--quiet"):
        assert option in text
        assert any(option in cell for cell in code(notebook))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the libraries that run notebooks
def test_it_trains_both_stages_and_goes_on_after_the_loss_of_its_machine(
    tiny_labels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nbclient import NotebookClient
    from nbclient.exceptions import DeadKernelError

    monkeypatch.setenv("PYTHONPATH", str(Path(tocco.__file__).parents[1]))
    packed = Path(shutil.make_archive(str(tmp_path / "labels"), "zip", tiny_labels.parent))
    output, work = tmp_path / "drive", tmp_path / "machine"
    technical = (*SETTINGS, "model.mtl_dimensions=6", "callbacks.checkpoint.every_steps=1")
    values = {
        "OUTPUT": str(output),
        "WORK": str(work),
        "PSEUDO_CONFIG": "configs/tiny.yaml",
        "PSEUDO_LABELS": str(packed),
        "PSEUDO_SETTINGS": list(technical),
        "EXPERT_CONFIG": "configs/tiny.yaml",
        "EXPERT_LABELS": str(tiny_labels),
        "EXPERT_SETTINGS": list(SETTINGS),
    }
    part = {stage: output / "runs" / stage / "split" for stage in STAGES}

    def run_all(before: str = "") -> NotebookNode:
        notebook = with_settings(nbformat.read(NOTEBOOK, as_version=4), **values)
        notebook.cells.insert(2, nbformat.v4.new_code_cell(before))
        client = NotebookClient(
            notebook, timeout=900, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}
        )
        client.execute()
        return notebook

    with pytest.raises(DeadKernelError):  # once there is a checkpoint, the machine is gone
        run_all(LOSS.format(checkpoint=str(part["pseudo_pretrain"] / "last.ckpt")))
    assert not (part["pseudo_pretrain"] / "model.safetensors").exists()
    assert not part["expert_finetune"].exists()
    shutil.rmtree(work)

    printed = printed_by(run_all())
    assert printed.count("--resume") == 1
    for stage in STAGES:
        assert len(list((part[stage] / "checkpoints").glob("*.ckpt"))) == 2  # of two epochs
        assert (part[stage] / "curves.png").stat().st_size > 10_000
        assert f"{stage}  epoch=001-val_loss=" in printed
    assert "epoch 2  training " in printed
    assert "musicality" not in yaml.safe_load((part["pseudo_pretrain"] / "config.yaml").read_text())
    assert (output / "expert_finetune_best.ckpt").read_bytes() == (
        part["expert_finetune"] / "best.ckpt"
    ).read_bytes()
    started_from = (part["expert_finetune"] / "split.json").read_text()
    assert "start_sha256" in started_from

    straight = tmp_path / "straight" / "run"
    command = [sys.executable, str(ROOT / "train.py"), "--config", str(ROOT / "configs" / "tiny.yaml")]
    options = ["--labels", str(tiny_labels), "-o", str(straight), "--fold", "split"]
    subprocess.run([*command, *technical, *options], check=True, capture_output=True, cwd=tmp_path)
    kept = part["pseudo_pretrain"] / "model.safetensors"
    assert kept.read_bytes() == (straight / "split" / "model.safetensors").read_bytes()

    before = {stage: (part[stage] / "model.safetensors").stat().st_mtime_ns for stage in STAGES}
    printed = printed_by(run_all())
    assert all(f"{stage} is trained" in printed for stage in STAGES)
    assert before == {stage: (part[stage] / "model.safetensors").stat().st_mtime_ns for stage in STAGES}


LOSS = """
import os, signal, threading, time
from pathlib import Path

def lose():
    while not Path({checkpoint!r}).is_file():
        time.sleep(0.02)
    os.killpg(os.getpgid(0), signal.SIGKILL)

threading.Thread(target=lose, daemon=True).start()
"""


def printed_by(notebook: NotebookNode) -> str:
    outputs = [one for cell in notebook.cells for one in cell.get("outputs", ())]
    pictures = sum("image/png" in one.get("data", {}) for one in outputs)
    assert pictures == len(STAGES)
    return "".join(one.get("text", "") for one in outputs)
