"""The widget of the notebook: the messages of its script, and the script itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rating_example import SECONDS, event, project_in
from tocco.apps.notebook.bundle import bundle, modules
from tocco.apps.notebook.rating_widget import RatingWidget
from tocco.errors import InputError
from tocco.labelling.raters import set_active
from tocco.rubrics import DIMENSIONS


@pytest.fixture
def widget(tmp_path: Path, drawn: Path) -> Iterator[RatingWidget]:
    made = RatingWidget(project_in(tmp_path, drawn), "anna")
    yield made
    made.close()


def ask(widget: RatingWidget, what: str, *args: Any) -> Any:
    reply, buffers = widget.answer(json.loads(json.dumps({"id": "7", "ask": what, "args": list(args)})))
    assert reply["id"] == "7"
    return buffers[0] if buffers else reply


def test_a_slider_that_is_released_is_saved_and_a_later_widget_goes_on_there(
    widget: RatingWidget, tmp_path: Path
) -> None:
    assert ask(widget, "session")["answer"]["next"]["position"] == 0
    ask(widget, "item", 1)
    saved = ask(widget, "save", event("rating", 1, dimension="phrasing", value=61.0))
    assert saved["answer"]["answers"]["ratings"] == {"phrasing": {"value": 61.0, "uncertain": False}}
    ask(widget, "save", event("listening", 1, heard=[[0.0, 1.5]], position_sec=1.5))
    later = RatingWidget(tmp_path / "ratings", "anna")
    assert ask(later, "session")["answer"]["next"]["position"] == 1
    answers = ask(later, "item", 1)["answer"]["answers"]
    assert (answers["position_sec"], answers["ratings"]["phrasing"]["value"]) == (1.5, 61.0)
    later.close()


def test_the_progress_counts_what_is_rated_and_heard(widget: RatingWidget) -> None:
    for dimension in DIMENSIONS:
        ask(widget, "save", event("rating", 0, dimension=dimension, value=50.0))
    assert widget.progress().done == 0
    ask(widget, "save", event("listening", 0, heard=[[0.0, SECONDS]], position_sec=0.0))
    assert (widget.progress().done, widget.progress().total) == (1, 3)


def test_sound_goes_as_bytes_and_pictures_as_text(widget: RatingWidget) -> None:
    assert ask(widget, "sound", 0).startswith(b"fLaC")
    assert ask(widget, "sound_of_pair", 0, "b").startswith(b"fLaC")
    item = ask(widget, "item", 0)["answer"]
    assert item["wave"].startswith("<svg")
    assert "secret" not in json.dumps(item)
    assert len(ask(widget, "score", 0)["answer"]["events"]) >= 4


@pytest.mark.parametrize(
    ("what", "args"),
    [
        ("close", []),
        ("__init__", []),
        ("session_views", []),
        ("item", []),
        ("item", [99]),
        ("item", ["0"]),
        ("save", [{"kind": "rating", "position": 0, "given": {}}]),
        ("save", [event("rating", 0, dimension="phrasing", value=1000.0)]),
        (None, None),
    ],
)
def test_what_makes_no_sense_is_refused(widget: RatingWidget, what: Any, args: Any) -> None:
    reply, buffers = widget.answer({"id": "7", "ask": what, "args": args})
    assert set(reply) == {"id", "refused"}
    assert buffers == []


def test_a_full_disk_is_no_refusal_so_that_the_script_tries_again(
    widget: RatingWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tocco.errors import OutputError
    from tocco.labelling.store import RatingStore

    def full(*_: object) -> None:
        raise OutputError("ratings.sqlite", "cannot be written (disk full)")

    monkeypatch.setattr(RatingStore, "rate", full)
    reply = ask(widget, "save", event("rating", 0, dimension="phrasing", value=5.0))
    assert set(reply) == {"id", "trouble"}


def test_a_rater_who_was_shut_out_gets_no_widget(widget: RatingWidget, tmp_path: Path) -> None:
    set_active(widget.store, "anna", False)
    with pytest.raises(InputError, match="no longer active"):
        RatingWidget(tmp_path / "ratings", "anna")


def test_messages_of_the_front_end_are_answered(
    widget: RatingWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(widget, "send", lambda content, buffers=None: sent.append((content, buffers)))
    widget._handle_custom_msg({"id": "1", "ask": "feedback", "args": [0]}, [])
    assert sent == [({"id": "1", "answer": []}, [])]


def test_the_script_is_one_module_of_all() -> None:
    script = bundle(modules(), "notebook.js")
    assert not re.search(r"^import ", script, re.M)
    assert script.count("export ") == 1
    for name in ("items", "outbox", "player", "score_follower", "dimension"):
        assert script.count(f"const {name}_js = ") == 1
    assert script.index("const outbox_js") < script.index("const items_js") < script.index("notebook_js")


def test_a_module_of_another_form_is_not_bundled_in_silence() -> None:
    with pytest.raises(ValueError, match="cannot be bundled"):
        bundle({"a.js": 'import everything from "./b.js";\n', "b.js": ""}, "a.js")
