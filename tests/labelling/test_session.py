from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from labelling_example import SEGMENT_SEC, Clock, complete, given, listening, make_project, rating, vote
from tocco.errors import InputError
from tocco.labelling.events import UndoGiven
from tocco.labelling.project import Project, Settings
from tocco.labelling.raters import add_rater, set_active
from tocco.labelling.session import MOST_A_DAY, Session
from tocco.labelling.store import RatingStore

HOUR = 3600.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(
        tmp_path / "project", rated=10, calibration=2, anchors=1, known={"phrasing": 40.0, "musicality": 55.0}
    )


@pytest.fixture
def store(project: Project, clock: Clock) -> Iterator[RatingStore]:
    with project.open_store(clock=clock) as made:
        add_rater(made, "ann")
        add_rater(made, "bea")
        yield made


@pytest.fixture
def session(project: Project, store: RatingStore) -> Session:
    return Session(project, store, "ann")


def test_the_calibration_is_repeated_on_the_next_day_and_then_rating_opens(
    session: Session, clock: Clock
) -> None:
    assert [one.is_open for one in session.states()] == [True] * 2 + [False] * 13
    assert (session.next().reason, session.next().position) == ("item", 0)
    with pytest.raises(InputError, match="item 5: is not open yet"):
        session.rate(4, rating("phrasing", 50.0))
    complete(session, 0)
    complete(session, 1)
    waiting = session.next()
    assert (waiting.reason, waiting.opens_sec) == ("wait", clock.now + 12 * HOUR)
    clock.now += 12 * HOUR - 1.0
    assert session.next().reason == "wait"
    clock.now += 1.0
    assert session.next().position == 2
    complete(session, 2)
    clock.now -= 40 * HOUR  # a clock that is put back shuts nothing that was begun
    assert session.next().position == 3
    complete(session, 3)
    assert [one.is_open for one in session.states()] == [True] * 15
    assert session.next().position == 4
    assert session.progress().phase == "rating"


def test_rating_may_open_before_the_repetition(tmp_path: Path, clock: Clock) -> None:
    project = make_project(tmp_path / "eager", calibration=1, settings=Settings(waits_for_calibration=False))
    with project.open_store(clock=clock) as store:
        add_rater(store, "ann")
        session = Session(project, store, "ann")
        assert session.next(after=0).position == 0
        complete(session, 0)
        assert session.next().position == 2
        clock.now += 13 * HOUR
        assert session.next().position == 1


def test_an_item_is_complete_when_all_is_answered_and_four_fifths_were_heard(session: Session) -> None:
    for name in session.project.settings.dimensions[:-1]:
        session.rate(0, rating(name, 50.0))
    session.listen(0, listening((0.0, SEGMENT_SEC)))
    assert session.states()[0].missing == ("expressiveness",)
    session.rate(0, rating("expressiveness", None))
    assert session.states()[0].is_complete
    for name in session.project.settings.dimensions:
        session.rate(1, rating(name, 50.0))
    session.listen(1, listening((0.0, 0.79 * SEGMENT_SEC)))
    assert (session.states()[1].missing, session.states()[1].is_complete) == ((), False)
    session.listen(1, listening((0.79 * SEGMENT_SEC, 0.8 * SEGMENT_SEC)))
    assert session.states()[1].is_complete
    assert session.progress().done == 2


def test_next_looks_behind_the_item_first(session: Session, clock: Clock) -> None:
    for position in (0, 1):
        complete(session, position)
    clock.now += 13 * HOUR
    for position in (2, 3, 5):
        complete(session, position)
    assert session.next(after=4).position == 6
    assert session.next(after=14).position == 4
    for position in (4, *range(6, 15)):
        complete(session, position)
    assert session.next().reason == "done"
    assert session.progress().advice == "Everything is rated. Thank you."


def test_work_goes_on_at_the_same_item_and_second(project: Project, session: Session, clock: Clock) -> None:
    session.visit(1)
    session.rate(1, rating("phrasing", 30.0))
    session.listen(1, listening((0.0, 3.5), position_sec=3.5))
    with project.open_store(clock=clock) as restarted:
        again = Session(project, restarted, "ann")
        assert again.resume().position == 1
        answers = again.answers(1)
    assert (answers.position_sec, answers.ratings["phrasing"].value) == (3.5, 30.0)
    complete(session, 1)
    assert session.resume().position == 0


def test_progress_counts_the_week_and_says_when_to_stop(session: Session, clock: Clock) -> None:
    complete(session, 0)
    clock.now += 25 * HOUR
    complete(session, 1)
    progress = session.progress()
    assert (progress.done, progress.total, progress.today_done, progress.week_done) == (2, 15, 1, 2)
    assert progress.advice == "38 more items this week."
    clock.now += 6 * 24 * HOUR
    assert session.progress().week_done == 1
    few = replace(session.project, settings=Settings(weekly_goal=1))
    assert Session(few, session.store, "ann").progress().advice == "The week's 1 items are done."


def test_the_advice_after_fifty_items_in_a_day_is_to_stop(tmp_path: Path, clock: Clock) -> None:
    project = make_project(
        tmp_path / "long", rated=60, settings=Settings(dimensions=("phrasing",), weekly_goal=100)
    )
    with project.open_store(clock=clock) as store:
        add_rater(store, "ann")
        session = Session(project, store, "ann")
        for position in range(MOST_A_DAY - 1):
            complete(session, position)
        assert session.progress().advice == "51 more items this week."
        complete(session, MOST_A_DAY - 1)
        assert session.progress().advice.startswith("50 items in a day: stop")


def test_feedback_comes_after_a_calibration_item_and_never_on_others(
    project: Project, session: Session, clock: Clock
) -> None:
    assert session.feedback(0) == ()
    complete(session, 0, 60.0, phrasing=45.0)
    complete(session, 1)
    first = {one.dimension: one for one in session.feedback(0)}
    assert (first["phrasing"].value, first["phrasing"].reference, first["phrasing"].source) == (
        45.0,
        40.0,
        "known",
    )
    assert (first["overall_quality"].reference, first["overall_quality"].source) == (None, "none")
    other = Session(project, session.store, "bea")
    at = next(i for i in (0, 1) if other.segment_id(i) == session.segment_id(0))
    complete(other, at, 80.0)
    shown = {one.dimension: one for one in session.feedback(0)}["overall_quality"]
    assert (shown.reference, shown.source, shown.n_raters) == (80.0, "raters", 1)
    clock.now += 13 * HOUR
    again = next(i for i in (2, 3) if session.segment_id(i) == session.segment_id(0))
    complete(session, again, 70.0)
    later = {one.dimension: one for one in session.feedback(again)}["phrasing"]
    assert (later.value, later.before) == (70.0, 45.0)
    complete(session, 5 - again)
    complete(session, 4)
    assert session.feedback(4) == ()


def test_what_a_page_sees_names_no_segment(session: Session) -> None:
    seen = [asdict(one) for one in session.states()]
    seen += [asdict(session.progress()), asdict(session.next()), *map(asdict, session.feedback(0))]
    assert "segment0" not in json.dumps(seen)
    assert "piece" not in json.dumps(seen)
    assert {one["phase"] for one in seen[:15]} == {"calibration", "calibration_again", "rating"}


def test_only_dimensions_and_positions_of_the_project_are_taken(session: Session) -> None:
    with pytest.raises(InputError, match="is not rated in this project"):
        session.rate(0, rating("timing_stable_unstable", 50.0))
    with pytest.raises(InputError, match=r"item: is 15 \(allowed: 0 to 14\)"):
        session.answers(15)
    with pytest.raises(InputError, match="item: is -1"):
        session.answers(-1)


def test_undo_and_votes_work_by_position(session: Session) -> None:
    session.rate(0, rating("phrasing", 30.0))
    session.undo(0, UndoGiven(**given()))
    assert session.answers(0).ratings == {}
    n = len(session.pairs())
    assert n == 45  # ten rated segments
    assert session.next_pair() == 0
    session.vote(0, vote("tie"))
    outcome = session.vote_on(0)
    assert outcome is not None
    assert outcome.outcome == "tie"
    assert (session.next_pair(), session.next_pair(after=44)) == (1, 1)
    session.undo_vote(0, UndoGiven(**given()))
    assert session.next_pair() == 0
    with pytest.raises(InputError, match="pair: is 45"):
        session.vote(45, vote("a"))


def test_who_was_shut_out_has_no_session(project: Project, store: RatingStore) -> None:
    set_active(store, "ann", False)
    with pytest.raises(InputError, match="no longer active"):
        Session(project, store, "ann")
    with pytest.raises(InputError, match="has no rater 'eve'"):
        Session(project, store, "eve")
