"""`benchmarks/rating_kills.py`: killed writers lose nothing, and what is lost or changed is counted."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import rating_kills

from tocco.labelling.raters import add_rater
from tocco.labelling.store import RatingStore
from tocco.labelling.store_file import create_store


def test_killed_writers_lose_nothing(tmp_path: Path) -> None:
    counts = rating_kills.run(6, 1, tmp_path)
    assert (counts.kills, counts.lost, counts.changed, counts.unreadable) == (6, 0, 0, 0)
    assert counts.sent_again_and_not_saved_once == 0
    assert counts.under_way_and_saved + counts.under_way_and_not_saved == 12


def test_a_loss_and_a_change_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "ratings.sqlite"
    create_store(path)
    with RatingStore(path) as store:
        for rater in rating_kills.THREADS:
            add_rater(store, rater)
        saved = [rating_kills.give(store, 0, "ann", number).sequence for number in range(3)]
    counts = rating_kills.Counts()
    rating_kills.check(path, 0, {"ann": [*saved, 99], "bea": []}, 0, counts)
    assert (counts.acknowledged, counts.lost, counts.changed) == (4, 1, 0)
    counts = rating_kills.Counts()
    rating_kills.check(path, 0, {"ann": [saved[1], saved[0], saved[2]], "bea": []}, 0, counts)
    assert (counts.lost, counts.changed) == (0, 2)
    path.write_bytes(b"\0" * 9000)
    rating_kills.check(path, 0, {"ann": [], "bea": []}, 0, counts)
    assert counts.unreadable == 1
