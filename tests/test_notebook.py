"""The notebook: it shows the examples by public code, and rates them as the command line and Python do."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

import tocco
from tocco.inference.assessment import read_assessment, to_json

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = ROOT / "notebooks" / "demo_inference.ipynb"
EXAMPLES = Path(tocco.__file__).parent / "examples"
PRELUDE = EXAMPLES / "bach_prelude"
STRUGGLING = (
    PRELUDE / "prelude_struggling.webm",
    PRELUDE / "prelude_struggling.mid",
    PRELUDE / "prelude.musicxml",
)


@pytest.fixture
def notebook() -> NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


def source(notebook: NotebookNode) -> str:
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")


def test_it_is_valid_small_and_without_outputs(notebook: NotebookNode) -> None:
    nbformat.validate(notebook)
    assert NOTEBOOK.stat().st_size < 100_000
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert notebook.cells[0].cell_type == "markdown"


def test_it_shows_every_example_and_calls_the_public_assessor(notebook: NotebookNode) -> None:
    tree = ast.parse(source(notebook))
    names = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    for path in EXAMPLES.rglob("*.mid"):
        assert {path.parent.name, path.name} <= names
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "tocco"
    }
    assert used - {"__file__"} == {"Assessor", "load_audio"}
    assert used - {"__file__"} <= set(tocco.__all__)
    shown = [
        call.args[0].value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and getattr(call.func, "id", "") == "show"
        and isinstance(call.args[0], ast.Constant)
    ]
    assert len(shown) == 4


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the libraries that run notebooks
def test_it_runs_and_gives_what_the_command_line_and_python_give(
    notebook: NotebookNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nbclient import NotebookClient

    monkeypatch.setenv("PYTHONPATH", str(Path(tocco.__file__).parents[1]))
    audio, midi, score = map(str, STRUGGLING)
    command = [sys.executable, str(ROOT / "inference.py"), "--audio", audio, "--midi", midi, "--score", score]
    done = subprocess.run(
        [*command, "-o", str(tmp_path)], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    by_command = (tmp_path / "prelude_struggling.json").read_text(encoding="utf-8")
    assert to_json(tocco.Assessor().assess(*STRUGGLING)) == by_command

    write = f"""
from tocco.inference.assessment import write_assessment_file
for number, assessment in enumerate(assessments.values()):
    write_assessment_file(assessment, Path({str(tmp_path)!r}) / f"notebook{{number}}.json")
"""
    notebook.cells.append(nbformat.v4.new_code_cell(write))
    NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
    written = [tmp_path / f"notebook{number}.json" for number in range(4)]
    assert written[2].read_text(encoding="utf-8") == by_command

    outputs = [one for cell in notebook.cells for one in cell.get("outputs", ())]
    kinds = [kind for one in outputs for kind in one.get("data", {})]
    assert kinds.count("image/png") == 5
    sounds = [one for one in outputs if "<audio" in one.get("data", {}).get("text/html", "")]
    assert len(sounds) == 4
    table = next(html for one in outputs if "<table>" in (html := one.get("data", {}).get("text/html", "")))
    for path in written:
        assert f"<b>{read_assessment(path).ratings['phrasing'].value:.1f}</b>" in table
    assert "11 of 12 wrong notes are listed as such" in json.dumps(outputs)
    struggling, fluent = read_assessment(written[2]), read_assessment(written[1])
    assert fluent.aggregate.value - struggling.aggregate.value > 8.0
    assert fluent.ratings["overall_quality"].value - struggling.ratings["overall_quality"].value > 20.0
