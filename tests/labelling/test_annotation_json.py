from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labelling_example import Clock, complete, given, make_project, rating
from tocco.errors import InputError
from tocco.labelling.annotation_json import annotation_objects, import_annotations, read_annotations
from tocco.labelling.events import CommentGiven
from tocco.labelling.project import Project
from tocco.labelling.raters import add_rater
from tocco.labelling.session import Session
from tocco.labelling.store import RatingStore


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path / "project")


@pytest.fixture
def store(project: Project) -> Iterator[RatingStore]:
    with project.open_store(clock=Clock()) as made:
        yield made


def written(folder: Path, content: Any, name: str = "annotations.json") -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_what_is_exported_is_imported_again(project: Project, store: RatingStore, tmp_path: Path) -> None:
    add_rater(store, "ann")
    session = Session(project, store, "ann")
    complete(session, 0, 40.0, phrasing=70.0)
    session.rate(0, rating("musicality", 55.0, uncertain=True))
    session.rate(0, rating("pedaling_technique", None))
    session.comment(0, CommentGiven(**given(comment="a slip in bar 3")))
    session.rate(1, rating("phrasing", 20.0))
    objects = annotation_objects(project, store)
    assert [set(one["labels"].values()) for one in objects if one["comment"]] == [{40.0, 70.0, 55.0, None}]
    assert [one["uncertain"] for one in objects if one["comment"]] == [["musicality"]]
    assert {one["rater"] for one in objects} == {"ann"}
    path = written(tmp_path, objects)
    other = make_project(tmp_path / "other")
    with other.open_store(clock=Clock()) as second:
        done = import_annotations(other, second, read_annotations(path), rater_id=None, source="x")
        assert (done.segments, done.ratings, done.comments, done.known) == (2, 11, 1, 0)
        again = import_annotations(other, second, read_annotations(path), rater_id=None, source="x")
        assert (again.ratings, again.comments, again.known) == (0, 0, 12)
        copied = annotation_objects(other, second)
    keys = ("segment_id", "labels", "uncertain", "comment", "occasion")
    assert [[one[key] for key in keys] for one in copied] == [[one[key] for key in keys] for one in objects]


@pytest.mark.parametrize("form", ["list", "object", "lines"])
def test_a_notebooks_file_is_read(project: Project, store: RatingStore, tmp_path: Path, form: str) -> None:
    rows = [
        {
            "audio_path": None,
            "midi_path": "somewhere/else/scale.mid",
            "start_time": 2.0,
            "end_time": 10.0,
            "labels": {"note_accuracy": 85.2, "phrasing": 78.5},
            "uncertain": {"phrasing": True, "note_accuracy": False},
        },
        {"segment_id": "segment004", "labels": {"phrasing": 60}},
    ]
    content: Any = {
        "list": rows,
        "object": {"annotations": rows},
        "lines": "\n".join(map(json.dumps, rows)) + "\n",
    }[form]
    given_ = read_annotations(written(tmp_path, content))
    done = import_annotations(project, store, given_, rater_id="me", source="notebook")
    assert (done.segments, done.ratings) == (2, 3)
    ratings = store.ratings("me")
    assert {one.presentation.segment_id for one in ratings} == {"segment002", "segment004"}
    assert all(one.counts for one in ratings)
    assert [one.dimension for one in ratings if one.uncertain] == ["phrasing"]
    assert Session(project, store, "me").states()[0].missing != ()


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"segment_id": "segment001", "labels": {"phrasing": 101}}, "less than or equal to 100"),
        ({"segment_id": "segment001", "labels": {"phrasng": 50}}, "did you mean 'phrasing'"),
        ({"labels": {"phrasing": 50}}, "names no segment"),
        ({"segment_id": "other", "labels": {"phrasing": 50}}, "no segment of the project"),
        ({"segment_id": "segment001", "label": {}}, "is unknown, did you mean 'labels'"),
    ],
)
def test_what_cannot_be_imported_is_named_and_nothing_is(
    project: Project, store: RatingStore, tmp_path: Path, row: dict[str, Any], problem: str
) -> None:
    good = {"segment_id": "segment000", "labels": {"phrasing": 50}}
    path = written(tmp_path, [good, row])

    def read_and_import() -> None:
        import_annotations(project, store, read_annotations(path), rater_id="me", source=str(path))

    with pytest.raises(InputError, match=problem) as caught:
        read_and_import()
    assert "object 2" in str(caught.value)
    assert store.events() == ()


def test_whose_ratings_they_are_has_to_be_said(project: Project, store: RatingStore, tmp_path: Path) -> None:
    path = written(tmp_path, [{"segment_id": "segment000", "labels": {"phrasing": 50}}])
    with pytest.raises(InputError, match="--rater"):
        import_annotations(project, store, read_annotations(path), rater_id=None, source="x")
    with pytest.raises(InputError, match="has no annotations"):
        read_annotations(written(tmp_path, "[]", "empty.json"))
    with pytest.raises(InputError, match="is not valid JSON"):
        read_annotations(written(tmp_path, '[{"labels": ', "cut.json"))
