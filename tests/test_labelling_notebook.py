"""The labelling notebook: five segments, the widget, what was given as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

import tocco
from tocco.apps.rating.example_project import example_project
from tocco.labelling.project import read_project
from tocco.labelling.session import Session
from tocco.rubrics import DIMENSIONS

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = ROOT / "notebooks" / "labeling_interface.ipynb"


@pytest.fixture
def notebook() -> NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


def test_it_is_valid_small_and_without_outputs(notebook: NotebookNode) -> None:
    nbformat.validate(notebook)
    assert NOTEBOOK.stat().st_size < 20_000
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert notebook.cells[0].cell_type == "markdown"


def test_the_example_project_has_five_segments_with_sound_notes_and_score(tmp_path: Path) -> None:
    example_project(tmp_path, n_calibration=2)
    project = read_project(tmp_path)
    assert len(project.segments) == 5
    for record in project.segments.values():
        paths = (record.audio_path, record.midi_path, record.score_path)
        assert all(path is not None and path.is_file() for path in paths)
        assert record.labels == {}
    with project.open_store() as store:
        from tocco.labelling.raters import add_rater

        add_rater(store, "me")
        phases = [one.phase for one in Session(project, store, "me").states()]
    assert phases == [*["calibration"] * 2, *["calibration_again"] * 2, *["rating"] * 3]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the libraries that run notebooks
def test_it_runs_saves_and_goes_on_where_it_was_left(
    notebook: NotebookNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nbclient import NotebookClient

    monkeypatch.setenv("PYTHONPATH", str(Path(tocco.__file__).parents[1]))
    release = """
import time, uuid
def release(**given):
    full = {"event_id": uuid.uuid4().hex, "client_time_sec": time.time(), **given}
    sent = {"kind": "rating", "position": 1, "given": full}
    widget._handle_custom_msg({"id": "1", "ask": "item", "args": [1]}, [])
    widget._handle_custom_msg({"id": "2", "ask": "save", "args": [sent]}, [])
for name in widget.project.settings.dimensions:
    release(dimension=name, value=64.0, uncertain=name == "phrasing")
heard = {"position_sec": 3.5, "heard": [[0.0, 16.0]], "client_time_sec": time.time()}
sent = {"kind": "listening", "position": 1, "given": heard}
widget._handle_custom_msg({"id": "3", "ask": "save", "args": [sent]}, [])
"""
    shown = next(k for k, cell in enumerate(notebook.cells) if cell.source == "widget")
    notebook.cells.insert(shown + 1, nbformat.v4.new_code_cell(release))
    run = {"timeout": 600, "kernel_name": "python3", "resources": {"metadata": {"path": str(tmp_path)}}}
    NotebookClient(notebook, **run).execute()
    views = [
        kind for cell in notebook.cells for one in cell.get("outputs", ()) for kind in one.get("data", {})
    ]
    assert views.count("application/vnd.jupyter.widget-view+json") == 2
    (given,) = json.loads((tmp_path / "example_ratings" / "me.json").read_text(encoding="utf-8"))
    assert given["labels"] == dict.fromkeys(DIMENSIONS, 64.0)
    assert given["uncertain"] == ["phrasing"]
    text = json.dumps(notebook.cells)
    assert "Progress(done=1, total=5" in text

    again = nbformat.read(NOTEBOOK, as_version=4)
    ask = "print('answers', widget.answer({'id': '1', 'ask': 'item', 'args': [1]})[0]['answer']['answers'])"
    again.cells.append(nbformat.v4.new_code_cell(ask))
    NotebookClient(again, **run).execute()
    said = again.cells[-1].outputs[0].text
    assert "'position_sec': 3.5" in said
    assert said.count("64.0") == len(DIMENSIONS)
