from __future__ import annotations

import multiprocessing
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from labelling_example import Clock, given, listening, new_store, rating, vote, write_many
from tocco.errors import InputError, OutputError
from tocco.labelling.events import CommentGiven, Presentation, RatingGiven, UndoGiven
from tocco.labelling.raters import add_rater, set_active
from tocco.labelling.store import RatingStore
from tocco.labelling.store_file import create_store

ANN = Presentation("ann", "take1", "first")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[RatingStore]:
    with new_store(tmp_path, clock) as made:
        add_rater(made, "ann")
        yield made


def values(store: RatingStore, presentation: Presentation = ANN) -> dict[str, float | None]:
    return {name: one.value for name, one in store.answers(presentation).ratings.items()}


def test_the_newest_rating_of_a_dimension_counts_and_the_history_stays(store: RatingStore) -> None:
    store.rate(ANN, rating("phrasing", 40.0))
    store.rate(ANN, rating("musicality", 55.0, uncertain=True))
    store.rate(ANN, rating("phrasing", 62.5))
    assert values(store) == {"phrasing": 62.5, "musicality": 55.0}
    assert store.answers(ANN).ratings["musicality"].uncertain
    assert [one.value for one in store.events()] == [40.0, 55.0, 62.5]


def test_occasions_and_raters_are_kept_apart(store: RatingStore) -> None:
    add_rater(store, "bea")
    again = Presentation("ann", "take1", "repeat")
    other = Presentation("bea", "take1", "first")
    for presentation, value in ((ANN, 40.0), (again, 50.0), (other, 60.0)):
        store.rate(presentation, rating("phrasing", value))
    assert [values(store, one)["phrasing"] for one in (ANN, again, other)] == [40.0, 50.0, 60.0]
    assert {one.value for one in store.ratings(rater_id="ann")} == {40.0, 50.0}
    assert {one.value for one in store.ratings(segment_id="take1")} == {40.0, 50.0, 60.0}


def test_a_clock_that_jumps_back_does_not_change_what_counts(store: RatingStore, clock: Clock) -> None:
    store.rate(ANN, rating("phrasing", 40.0))
    clock.now -= 86400.0
    newest = store.rate(ANN, rating("phrasing", 70.0, client_time_sec=-5.0e9))
    assert newest.server_time_sec == clock.now
    assert values(store) == {"phrasing": 70.0}


def test_an_event_that_is_sent_again_is_saved_once(store: RatingStore) -> None:
    event = rating("phrasing", 40.0)
    first = store.rate(ANN, event)
    store.rate(ANN, rating("phrasing", 70.0))
    again = store.rate(ANN, event)
    assert (again.sequence, again.is_duplicate) == (first.sequence, True)
    assert values(store) == {"phrasing": 70.0}
    assert len(store.events()) == 2


def test_an_event_id_that_is_used_for_something_else_is_refused(store: RatingStore) -> None:
    event = rating("phrasing", 40.0)
    store.rate(ANN, event)
    other = RatingGiven(**(event.model_dump() | {"value": 41.0}))
    with pytest.raises(InputError, match="was used for something else"):
        store.rate(ANN, other)
    with pytest.raises(InputError, match="was used for something else"):
        store.comment(ANN, CommentGiven(**given(event_id=event.event_id, comment="x")))


def test_two_raters_may_choose_the_same_event_id(store: RatingStore) -> None:
    add_rater(store, "bea")
    event = rating("phrasing", 40.0)
    first = store.rate(ANN, event)
    assert not store.rate(Presentation("bea", "take1", "first"), event).is_duplicate
    assert len(store.events()) == 2
    assert first.sequence == 1


def test_undo_steps_back_through_ratings_and_comments(store: RatingStore) -> None:
    store.rate(ANN, rating("phrasing", 40.0))
    store.rate(ANN, rating("phrasing", 70.0))
    store.comment(ANN, CommentGiven(**given(comment="a slip in bar 3")))
    assert store.undo(ANN, UndoGiven(**given())).undone == 3
    assert store.answers(ANN).comment == ""
    assert store.undo(ANN, UndoGiven(**given())).undone == 2
    assert values(store) == {"phrasing": 40.0}
    store.undo(ANN, UndoGiven(**given()))
    assert values(store) == {}
    with pytest.raises(InputError, match="nothing is left to undo"):
        store.undo(ANN, UndoGiven(**given()))
    assert [one.kind for one in store.events()] == ["rating", "rating", "comment", *["undo"] * 3]


def test_an_undo_that_is_sent_again_undoes_once(store: RatingStore) -> None:
    store.rate(ANN, rating("phrasing", 40.0))
    store.rate(ANN, rating("phrasing", 70.0))
    undo = UndoGiven(**given())
    assert [store.undo(ANN, undo).undone, store.undo(ANN, undo).undone] == [2, 2]
    assert values(store) == {"phrasing": 40.0}


def test_undo_leaves_other_presentations_alone(store: RatingStore) -> None:
    again = Presentation("ann", "take1", "repeat")
    store.rate(ANN, rating("phrasing", 40.0))
    store.rate(again, rating("phrasing", 50.0))
    store.undo(ANN, UndoGiven(**given()))
    assert (values(store), values(store, again)) == ({}, {"phrasing": 50.0})


def test_cannot_say_is_an_answer(store: RatingStore) -> None:
    store.rate(ANN, rating("pedaling_technique", None))
    assert values(store) == {"pedaling_technique": None}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"dimension": "phrasng", "value": 50.0}, "did you mean 'phrasing'"),
        ({"dimension": "phrasing", "value": 100.5}, "less than or equal to 100"),
        ({"dimension": "phrasing", "value": float("nan")}, "finite|greater than or equal"),
        ({"dimension": "phrasing", "value": 50.0, "event_id": "x y z 1 2 3"}, "pattern"),
        ({"dimension": "phrasing", "value": 50.0, "rating": 3}, "unknown"),
    ],
)
def test_what_cannot_be_a_rating_is_refused(fields: dict[str, object], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        RatingGiven(**given(**fields))


def test_a_vote_replaces_that_on_the_same_pair_in_either_order(store: RatingStore) -> None:
    store.vote("ann", "take1", "take2", vote("a"))
    store.vote("ann", "take1", "take3", vote("tie"))
    store.vote("ann", "take2", "take1", vote("a"))
    found = [(one.segment_a, one.segment_b, one.outcome) for one in store.votes()]
    assert found == [("take1", "take3", "tie"), ("take2", "take1", "a")]
    store.undo_vote("ann", "take2", "take1", UndoGiven(**given()))
    assert ("take1", "take2", "a") in [(o.segment_a, o.segment_b, o.outcome) for o in store.votes()]


def test_spans_add_up_and_a_rating_counts_from_four_fifths(store: RatingStore) -> None:
    store.rate(ANN, rating("phrasing", 40.0))
    store.save_listening(ANN, listening((0.0, 4.0), position_sec=4.0), 20.0)
    answers = store.save_listening(ANN, listening((2.0, 15.9), (19.0, 25.0), position_sec=15.9), 20.0)
    assert answers.heard == ((0.0, 15.9), (19.0, 20.0))
    assert answers.position_sec == 15.9
    assert answers.heard_share == pytest.approx(0.845)
    assert answers.ratings["phrasing"].counts
    other = Presentation("ann", "take2", "first")
    store.rate(other, rating("phrasing", 40.0))
    assert not store.save_listening(other, listening((0.0, 15.9)), 20.0).ratings["phrasing"].counts
    assert store.save_listening(other, listening((15.9, 16.0)), 20.0).ratings["phrasing"].counts
    assert store.heard_shares("ann") == {("take1", "first"): 0.845, ("take2", "first"): 0.8}


def test_only_active_raters_are_listened_to(store: RatingStore) -> None:
    set_active(store, "ann", False)
    for name, problem in (("ann", "no longer active"), ("eve", "is not a rater")):
        with pytest.raises(InputError, match=problem):
            store.rate(Presentation(name, "take1", "first"), rating("phrasing", 40.0))
    assert store.events() == ()


def test_events_and_the_audit_log_cannot_be_changed(store: RatingStore) -> None:
    store.rate(ANN, rating("phrasing", 40.0))
    with sqlite3.connect(store.path) as other:
        for statement in (
            "UPDATE events SET value = 99",
            "DELETE FROM events",
            "UPDATE audit SET who = 'eve'",
            "DELETE FROM audit",
        ):
            with pytest.raises(sqlite3.IntegrityError, match=r"never (changed|deleted)"):
                other.execute(statement)
    other.close()
    assert values(store) == {"phrasing": 40.0}


def test_everything_that_a_rater_gives_is_in_the_audit_log(store: RatingStore) -> None:
    store.rate(ANN, rating("phrasing", 40.0))
    store.vote("ann", "take1", "take2", vote("b"))
    store.undo(ANN, UndoGiven(**given()))
    store.note("ann", "sign out")
    assert [(one.action, one.detail.get("event")) for one in store.audit("ann")] == [
        ("rating", 1),
        ("vote", 2),
        ("undo", 3),
        ("sign out", None),
    ]


def test_threads_of_one_store_lose_nothing(store: RatingStore) -> None:
    saved: list[int] = []

    def work(number: int) -> None:
        presentation = Presentation("ann", f"take{number}", "first")
        saved.extend(store.rate(presentation, rating("phrasing", float(i))).sequence for i in range(25))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(saved) == list(range(1, 201))
    assert {one.value for one in store.ratings()} == {24.0}
    assert len(store.ratings()) == 8


def test_two_processes_write_to_one_store(store: RatingStore) -> None:
    add_rater(store, "bea")
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=write_many, args=(store.path, name, 60)) for name in ("ann", "bea")]
    for one in workers:
        one.start()
    for one in workers:
        one.join(60)
    assert [one.exitcode for one in workers] == [0, 0]
    assert [one.sequence for one in store.events()] == list(range(1, 121))
    assert {name: len(store.ratings(name)) for name in ("ann", "bea")} == {"ann": 60, "bea": 60}


def test_a_busy_store_says_so(tmp_path: Path, store: RatingStore) -> None:
    holder = sqlite3.connect(store.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with RatingStore(store.path, busy_sec=0.05) as waiting:
        with pytest.raises(OutputError, match="in use by another process"):
            waiting.rate(ANN, rating("phrasing", 40.0))
        assert waiting.ratings() == ()  # readers do not wait
        holder.execute("ROLLBACK")
        holder.close()
        assert waiting.rate(ANN, rating("phrasing", 40.0)).sequence == 1


def test_a_full_disk_is_one_line_and_costs_nothing_that_was_acknowledged(store: RatingStore) -> None:
    with store.connections.lent() as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages + 3}")  # stays with this, the only idle connection
    saved: list[tuple[int, int]] = []

    def write_until_full() -> None:
        for i in range(2000):
            text = CommentGiven(**given(comment=f"{i} " + "x" * 3000))
            saved.append((i, store.comment(ANN, text).sequence))

    with pytest.raises(OutputError, match="this change was not saved, everything before it was") as caught:
        write_until_full()
    assert "\n" not in str(caught.value)
    assert saved
    with RatingStore(store.path) as again:
        assert [one.sequence for one in again.events()] == [sequence for _, sequence in saved]
        assert again.answers(ANN).comment.startswith(f"{saved[-1][0]} ")
        assert again.rate(ANN, rating("phrasing", 40.0)).sequence == len(saved) + 1


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 100])
def test_other_files_are_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.sqlite"
    path.write_bytes(content)
    with pytest.raises(InputError, match="is no store of ratings"):
        RatingStore(path)
    assert path.read_bytes() == content


def test_a_damaged_store_is_one_line(store: RatingStore) -> None:
    store.rate(ANN, rating("phrasing", 40.0))
    store.close()
    content = bytearray(store.path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    store.path.write_bytes(content)
    with RatingStore(store.path) as damaged, pytest.raises(InputError, match="not a readable store"):
        damaged.ratings()


def test_a_store_of_another_version_and_a_missing_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="tocco label prepare"):
        RatingStore(tmp_path / "none.sqlite")
    path = tmp_path / "later.sqlite"
    create_store(path)
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version = 2")
    other.close()
    with pytest.raises(InputError, match=r"version 2 \(allowed: 1\)"):
        RatingStore(path)
    with pytest.raises(OutputError, match="is there already"):
        create_store(path)
