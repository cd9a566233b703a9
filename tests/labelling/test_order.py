from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from labelling_example import make_project, new_store
from tocco.labelling.events import Item
from tocco.labelling.order import order_of, pairs_of, round_items
from tocco.labelling.project import Project, SegmentFacts, Settings, read_project, write_project
from tocco.labelling.raters import add_rater
from tocco.labelling.stored_orders import extend_order, stored_order


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path / "project", rated=100, calibration=20, anchors=8)


def of(items: tuple[Item, ...], occasion: str) -> list[Item]:
    return [one for one in items if one.occasion == occasion]


def test_calibration_comes_first_and_again(project: Project) -> None:
    items = round_items(project, "ann", 1, 0)
    assert [one.position for one in items] == list(range(len(items)))
    assert [one.occasion for one in items[:40]] == ["calibration_1"] * 20 + ["calibration_2"] * 20
    first, again = ([one.segment_id for one in items[a : a + 20]] for a in (0, 20))
    assert sorted(first) == sorted(again) == [f"segment{i:03d}" for i in range(20)]
    assert first != again


def test_a_tenth_is_repeated_at_a_distance_and_a_twentieth_are_anchors(project: Project) -> None:
    items = round_items(project, "ann", 1, 0)
    assert {name: len(of(items, name)) for name in ("first", "repeat", "anchor")} == {
        "first": 100,
        "repeat": 10,
        "anchor": 5,
    }
    at = {one.segment_id: one.position for one in of(items, "first")}
    distances = [one.position - at[one.segment_id] for one in of(items, "repeat")]
    assert min(distances) >= project.settings.repeat_distance == 20
    anchors = [one.position - 40 for one in of(items, "anchor")]
    assert [23 * k <= position < 23 * k + 24 for k, position in enumerate(anchors)] == [True] * 5


@pytest.mark.parametrize(("share", "n"), [(0.1, 10), (0.12, 12), (0.0, 0)])
def test_the_share_of_repetitions_is_that_of_the_settings(tmp_path: Path, share: float, n: int) -> None:
    project = make_project(tmp_path / "project", rated=100, settings=Settings(repeat_share=share))
    assert len(of(round_items(project, "ann", 1, 0), "repeat")) == n


def test_the_order_is_that_of_the_seed_and_the_rater(tmp_path: Path, project: Project) -> None:
    same = round_items(project, "ann", 1, 0)
    assert round_items(project, "ann", 1, 0) == same
    assert round_items(project, "bea", 1, 0) != same
    other = make_project(tmp_path / "other", rated=100, calibration=20, anchors=8, settings=Settings(seed=1))
    assert round_items(other, "ann", 1, 0) != same


def test_no_piece_comes_twice_in_a_row_where_another_is_left(project: Project) -> None:
    firsts = of(round_items(project, "ann", 1, 0), "first")
    pieces = [project.segments[one.segment_id].piece_id for one in firsts]
    assert all(a != b for a, b in pairwise(pieces))


def test_an_order_is_stored_and_grows_with_each_round(tmp_path: Path, project: Project) -> None:
    with new_store(tmp_path) as store:
        add_rater(store, "ann")
        order = order_of(project, store, "ann")
        assert stored_order(store, "ann") == order
        changed = Project(project.folder, Settings(seed=99), project.segments, project.facts)
        assert order_of(changed, store, "ann") == order  # a stored order stays
        records = dict(project.segments)
        facts = dict(project.facts)
        for i in range(10):
            name = f"new{i}"
            records[name] = project.segments["segment030"].model_copy(update={"segment_id": name})
            facts[name] = SegmentFacts(round=2)
        write_project(Project(project.folder, project.settings, records, facts))
        longer = order_of(read_project(project.folder), store, "ann")
        assert longer[: len(order)] == order
        assert sorted(one.segment_id for one in of(longer[len(order) :], "first")) == sorted(
            f"new{i}" for i in range(10)
        )
        assert len(of(longer[len(order) :], "repeat")) == 1


def test_a_position_is_given_away_once(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        add_rater(store, "ann")
        first = extend_order(store, "ann", [Item(0, "a", "first"), Item(1, "b", "first")])
        assert extend_order(store, "ann", [Item(0, "c", "first")]) == first
        assert extend_order(store, "ann", [Item(2, "c", "first")])[-1] == Item(2, "c", "first")


def test_pairs_are_of_one_piece_and_use_segments_about_equally_often(
    tmp_path: Path, project: Project
) -> None:
    with new_store(tmp_path) as store:
        add_rater(store, "ann")
        pairs = pairs_of(project, store, "ann")
        assert pairs_of(project, store, "ann") == pairs
    assert [one.number for one in pairs] == list(range(100))
    assert len({frozenset((one.segment_a, one.segment_b)) for one in pairs}) == 100
    segments = project.segments
    assert all(segments[p.segment_a].piece_id == segments[p.segment_b].piece_id for p in pairs)
    use = [sum(name in (p.segment_a, p.segment_b) for p in pairs) for name in segments]
    assert set(use[28:]) <= {1, 2, 3}
    assert use[:28] == [0] * 28  # neither calibration nor anchors


def test_a_few_segments_have_as_many_pairs_as_there_are(tmp_path: Path) -> None:
    project = make_project(tmp_path / "small", rated=3, pieces=3)
    with new_store(tmp_path) as store:
        add_rater(store, "ann")
        found = {frozenset((p.segment_a, p.segment_b)) for p in pairs_of(project, store, "ann")}
    names = list(project.segments)
    assert found == {frozenset((a, b)) for a in names for b in names if a < b}
