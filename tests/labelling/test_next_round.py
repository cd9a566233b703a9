from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from labelling_example import Clock, complete, make_project
from tocco.data.records import read_labels, write_labels
from tocco.errors import InputError
from tocco.labelling import next_round as module
from tocco.labelling.next_round import add_round, next_round
from tocco.labelling.order import order_of
from tocco.labelling.project import Project, Settings, read_project
from tocco.labelling.raters import add_rater
from tocco.labelling.session import Session
from tocco.music.midi import save_midi
from tocco.music.performance import PedalCurve, Performance


def write_music(path: Path, rng: np.random.Generator, *, notes_a_sec: float, duration_sec: float) -> Path:
    n = int(notes_a_sec * duration_sec)
    onset = np.sort(rng.uniform(0.0, duration_sec - 1.0, n))
    save_midi(
        Performance(
            onset,
            onset + 0.3,
            rng.integers(40, 90, n),
            rng.integers(40, 100, n),
            PedalCurve(),
            PedalCurve(),
            PedalCurve(),
            duration_sec,
        ),
        path,
    )
    return path


@pytest.fixture
def project(tmp_path: Path, rng: np.random.Generator) -> Project:
    """A project of slow scales; in its pool are more of them, two of dense music and a recording."""
    made = make_project(tmp_path / "project", rated=5, settings=Settings(dimensions=("phrasing",)))
    slow = [
        made.segments[name].model_copy(update={"segment_id": f"slow{i}"})
        for i, name in enumerate(made.segments)
    ]
    dense = write_music(made.folder / "dense.mid", rng, notes_a_sec=12.0, duration_sec=30.0)
    other = [
        slow[0].model_copy(
            update={
                "segment_id": f"dense{i}",
                "midi_path": dense,
                "start_time": 10.0 * i,
                "end_time": 10.0 * i + 9.0,
            }
        )
        for i in range(2)
    ]
    recording = slow[0].model_copy(
        update={"segment_id": "recording", "midi_path": None, "audio_path": made.folder / "take.wav"}
    )
    write_labels([*slow, *other, recording], made.pool_path)
    return made


def test_the_next_round_is_what_the_project_has_not(project: Project) -> None:
    with project.open_store(clock=Clock()) as store:
        found = next_round(project, store, 2, None)
    assert {one.segment_id for one in found.chosen} == {"dense0", "dense1"}
    assert (found.number, found.parts, found.n_rated, found.n_without_notes) == (2, (), 0, 1)
    assert len(found.left) == 6


def test_a_round_is_added_to_every_order(project: Project) -> None:
    with project.open_store(clock=Clock()) as store:
        add_rater(store, "ann")
        before = order_of(project, store, "ann")
        add_round(project, next_round(project, store, 3, None))
        again = read_project(project.folder)
        after = order_of(again, store, "ann")
        add_rater(store, "bea")
        whole = order_of(again, store, "bea")
        assert after[: len(before)] == before
        assert {one.segment_id for one in after} == set(again.segments)
        assert {one.segment_id for one in whole[:5]} == {f"segment{i:03d}" for i in range(5)}
        assert {again.facts[one.segment_id].round for one in after[5:]} == {2}
        left = {one.segment_id for one in read_labels(project.pool_path)}
        assert len(left) == 5
        assert not left & set(again.segments)
        rest = next_round(again, store, 99, None)
        assert (rest.number, len(rest.chosen), [one.segment_id for one in rest.left]) == (3, 4, ["recording"])
        add_round(again, rest)
        with pytest.raises(InputError, match="has no segment with notes"):
            next_round(read_project(project.folder), store, 1, None)
        project.pool_path.unlink()
        with pytest.raises(InputError, match="has no candidates left"):
            next_round(read_project(project.folder), store, 1, None)


def test_measures_are_read_back(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with project.open_store(clock=Clock()) as store:
        first = next_round(project, store, 3, None)
        monkeypatch.setattr(module, "_measures", lambda record: pytest.fail("measured again"))
        assert next_round(project, store, 3, None).chosen == first.chosen


def test_the_projects_own_ratings_count_once_there_are_enough(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert module.FEWEST_RATED == 20
    with project.open_store(clock=Clock()) as store:
        add_rater(store, "ann")
        session = Session(project, store, "ann")
        for position in range(5):
            complete(session, position, 40.0 + position)
        assert next_round(project, store, 2, None).n_rated == 0
        monkeypatch.setattr(module, "FEWEST_RATED", 5)
        found = next_round(project, store, 2, None)
    assert found.n_rated == 5
    assert [part.split(",")[0] for part in found.parts] == [
        "expected error",
        "disagreement of models of the project's ratings",
    ]
