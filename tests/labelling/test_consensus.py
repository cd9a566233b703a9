from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from labelling_example import SEGMENT_SEC, Clock, listening, make_project, rating
from tocco.data.records import read_labels, write_labels
from tocco.errors import InputError
from tocco.labelling.consensus import expert_labels
from tocco.labelling.events import Presentation
from tocco.labelling.project import Project, Settings
from tocco.labelling.raters import add_rater
from tocco.labelling.store import RatingStore

NAMES = ("phrasing", "musicality")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(
        tmp_path / "project",
        rated=12,
        calibration=2,
        anchors=1,
        known={"phrasing": 50.0},
        settings=Settings(dimensions=NAMES),
    )


@pytest.fixture
def store(project: Project) -> Iterator[RatingStore]:
    with project.open_store(clock=Clock()) as made:
        for name in ("ann", "bea", "cid"):
            add_rater(made, name)
        yield made


def give(store: RatingStore, rater: str, segment: str, occasion: str = "first", **values: float) -> None:
    presentation = Presentation(rater, segment, occasion)
    for name, value in values.items():
        store.rate(presentation, rating(name, value))
    store.save_listening(presentation, listening((0.0, SEGMENT_SEC)), SEGMENT_SEC)


def test_labels_are_means_with_spread_and_number(project: Project, store: RatingStore) -> None:
    give(store, "ann", "segment003", phrasing=40.0, musicality=55.0)
    give(store, "bea", "segment003", phrasing=60.0)
    give(store, "ann", "segment003", "repeat", phrasing=99.0)
    give(store, "ann", "segment002", "anchor", phrasing=99.0)
    give(store, "ann", "segment000", "calibration_1", phrasing=30.0)
    give(store, "ann", "segment000", "calibration_2", phrasing=99.0)
    found = expert_labels(project, store)
    raw = {one.segment_id: one for one in found.raw}
    assert list(raw) == ["segment000", "segment003"]  # neither anchors nor repetitions make labels
    assert raw["segment003"].labels == {"phrasing": 50.0, "musicality": 55.0}
    assert raw["segment003"].label_sd == {"phrasing": pytest.approx(14.1421, abs=1e-4)}
    assert (raw["segment003"].n_raters, raw["segment000"].n_raters) == (2, 1)
    assert raw["segment000"].labels == {"phrasing": 30.0}
    assert {(r.segment_id, r.dimension): r.n for r in found.rows} == {
        ("segment000", "phrasing"): 1,
        ("segment003", "phrasing"): 2,
        ("segment003", "musicality"): 1,
    }
    assert found.n_without == 12
    assert [one.segment_id for one in expert_labels(project, store, min_raters=2).raw] == ["segment003"]
    with pytest.raises(InputError, match="no segment with 3 or more"):
        expert_labels(project, store, min_raters=3)


def test_what_was_not_heard_or_cannot_be_said_makes_no_label(project: Project, store: RatingStore) -> None:
    unheard = Presentation("ann", "segment003", "first")
    store.rate(unheard, rating("phrasing", 40.0))
    store.save_listening(unheard, listening((0.0, 0.79 * SEGMENT_SEC)), SEGMENT_SEC)
    silent = Presentation("bea", "segment003", "first")
    store.rate(silent, rating("phrasing", None))
    store.save_listening(silent, listening((0.0, SEGMENT_SEC)), SEGMENT_SEC)
    with pytest.raises(InputError, match="four fifths"):
        expert_labels(project, store)


def test_severity_is_taken_off_the_debiased_labels(project: Project, store: RatingStore) -> None:
    rng = np.random.default_rng(1)
    for i in range(3, 13):
        true = 40.0 + 2.0 * i
        give(store, "ann", f"segment{i:03d}", phrasing=true + rng.normal(0.0, 1.0))
        give(store, "bea", f"segment{i:03d}", phrasing=true + 10.0 + rng.normal(0.0, 1.0))
        if i < 8:
            give(store, "cid", f"segment{i:03d}", phrasing=true - 10.0 + rng.normal(0.0, 1.0))
    give(store, "cid", "segment013", phrasing=30.0)
    found = expert_labels(project, store)
    debiased = {one.segment_id: one.labels["phrasing"] for one in found.debiased}
    raw = {one.segment_id: one.labels["phrasing"] for one in found.raw}
    assert raw["segment013"] == 30.0
    assert debiased["segment013"] == pytest.approx(40.0, abs=1.5)  # by the severe rater alone
    assert raw["segment012"] == pytest.approx(69.0, abs=1.5)
    assert debiased["segment012"] == pytest.approx(64.0, abs=1.5)  # without the severe rater
    sd = {one.segment_id: one.label_sd.get("phrasing") for one in found.debiased}
    assert sd["segment005"] is not None
    assert sd["segment005"] < 3.0
    assert {one.source for one in found.debiased} == {"experts"}
    assert {one.source for one in found.raw} == {"experts, raw"}


def test_the_records_are_label_files(project: Project, store: RatingStore, tmp_path: Path) -> None:
    give(store, "ann", "segment003", phrasing=40.0)
    found = expert_labels(project, store)
    path = tmp_path / "out" / "expert_labels.jsonl"
    path.parent.mkdir()
    write_labels(found.debiased, path)
    (read,) = read_labels(path, must_exist=True)
    assert read == found.debiased[0]
    assert (read.start_time, read.end_time) == (3.0, 3.0 + SEGMENT_SEC)
